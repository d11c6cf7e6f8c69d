"""Source files as rows: JSON, Parquet, and a query of sources.yaml."""

import datetime as dt
import traceback

import duckdb
import ibis
import pytest

from productpulse_assets.sources.errors import SourceProblem
from productpulse_assets.sources.readers.raw_rows import (
    columns_of,
    read_files,
    read_query,
)
from resources.duckdb_connection import FileAccess, set_up
from tests.errors import raises


@pytest.fixture
def backend():
    return ibis.duckdb.from_connection(duckdb.connect())


def values(table):
    return [tuple(row.values()) for row in table.to_pyarrow().to_pylist()]


def read(backend, folder, content, name):
    path = folder / name
    path.write_bytes(content)
    raw = read_files(backend, "t", [path], scratch=folder / "scratch")
    assert columns_of(backend, [path], scratch=folder / "scratch") == raw.columns
    return (
        raw.columns,
        values(raw.rows.drop("source_file")),
        values(raw.malformed.select("row_number", "line")),
    )


JSON = {
    "types": (
        "t.jsonl",
        b'{"a":"x\\ny","b":12345678901234567890123,"c":true}\n{"c":{"z": [1]},"a":null,"d e\\"":""}\n',
        ("a", "b", "c", 'd e"'),
        [(1, "x\ny", "12345678901234567890123", "true", None), (2, None, None, '{"z":[1]}', "")],
        [],
    ),
    "bad lines": (
        "t.jsonl",
        b'{"a":1}\r\n\r\nbad\r\n[1]\r\n{"a":"\xe9"}\r\n5\r\n{"a":2}{"a":3}\r\n{"a":4}',
        ("a",),
        [(1, "1"), (7, "4")],
        [(2, "bad"), (3, "[1]"), (4, '{"a":"\ufffd"}'), (5, "5"), (6, '{"a":2}{"a":3}')],
    ),
    "only values that are not objects": ("t.jsonl", b"1\n2\n", (), [], [(1, "1"), (2, "2")]),
    "byte order mark": ("t.jsonl", b'\xef\xbb\xbf{"a":1}\n', ("a",), [(1, "1")], []),
    "array": (
        "t.json",
        b' [{"a":1},\n 5, null, {"b":\n"x"}]\n',
        ("a", "b"),
        [(1, "1", None), (4, None, "x")],
        [(2, "5"), (3, "null")],
    ),
    "empty array": ("t.json", b"[]", (), [], []),
    "lines in .json": ("t.json", b'{"a":1}\nbad\n', ("a",), [(1, "1")], [(2, "bad")]),
}


@pytest.mark.parametrize(("name", "content", "columns", "rows", "bad"), JSON.values(), ids=JSON)
def test_json(backend, tmp_path, name, content, columns, rows, bad):
    assert read(backend, tmp_path, content, name) == (columns, rows, bad)


def test_parquet_keeps_its_types(backend, tmp_path):
    dated = backend.con.sql("SELECT 1 AS n, DATE '2026-01-02' AS d")
    dated.write_parquet(str(tmp_path / "b.parquet"))
    backend.con.sql("SELECT 0.5 AS x, n FROM range(2) t(n)").write_parquet(str(tmp_path / "a'[1].parquet"))
    raw = read_files(backend, "t", [tmp_path / "b.parquet", tmp_path / "a'[1].parquet"], scratch=tmp_path)
    assert raw.columns == ("x", "n", "d")
    assert values(raw.rows.select("source_file", "row_number", "n", "d")) == [
        ("a'[1].parquet", 1, 0, None),
        ("a'[1].parquet", 2, 1, None),
        ("b.parquet", 1, 1, dt.date(2026, 1, 2)),
    ]
    assert raw.malformed.count().execute() == 0
    lasting_views = "FROM duckdb_views() WHERE NOT internal AND NOT temporary"
    assert backend.con.sql(lasting_views).fetchall() == []


UNREADABLE = {
    "broken array": ("t.json", b'[{"a":1}{"a":2}]', "json.invalid_array"),
    "empty": ("t.jsonl", b"", "source.empty"),
    "no key": ("t.jsonl", b'{"":1}\n', "source.column_without_name"),
    "empty parquet": ("t.parquet", b"", "parquet.unreadable"),
}


@pytest.mark.parametrize(("name", "content", "code"), UNREADABLE.values(), ids=UNREADABLE)
def test_unreadable(backend, tmp_path, name, content, code):
    with raises(code, SourceProblem):
        read(backend, tmp_path, content, name)


def test_a_cut_parquet_file_and_a_mixed_dataset(backend, tmp_path):
    whole, cut, text = tmp_path / "a.parquet", tmp_path / "b.parquet", tmp_path / "c.csv"
    backend.con.sql("FROM range(1000)").write_parquet(str(whole))
    cut.write_bytes(whole.read_bytes()[:-20])
    text.write_text("a,b\n")
    with raises("parquet.unreadable") as caught:
        read_files(backend, "t", [whole, cut], scratch=tmp_path)
    assert caught.value.details["files"] == "b.parquet"
    with raises("source.mixed_formats"):
        read_files(backend, "t", [whole, text], scratch=tmp_path)


def test_a_dataset_can_be_read_again_in_another_format(backend, tmp_path):
    backend.con.sql("SELECT 1 AS a").write_parquet(str(tmp_path / "t.parquet"))
    for _ in range(2):
        read_files(backend, "t", [tmp_path / "t.parquet"], scratch=tmp_path / "scratch")
        assert read(backend, tmp_path, b'{"a":2}', "t.jsonl") == (("a",), [(1, "2")], [])


def test_query(backend):
    raw = read_query(backend, "t", "SELECT 3 - n AS a FROM range(2) t(n) ORDER BY a; -- done")
    assert raw.columns == ("a",)
    assert values(raw.rows) == [("query", 1, 2), ("query", 2, 3)]
    assert raw.malformed.count().execute() == 0


@pytest.mark.parametrize(
    ("query", "code"),
    [
        ("SELECT 1; SELECT 2", "query.not_one_select"),
        ("DROP TABLE x", "query.not_one_select"),
        ("", "query.not_one_select"),
        ("SELEC 1", "query.failed"),
        ("SELECT x FROM nowhere", "query.failed"),
        ("SELECT 'a'::INT AS a", "query.failed"),
        ("SELECT 1 AS row_number", "source.reserved_column"),
    ],
)
def test_a_query_that_cannot_be_read(backend, query, code):
    with raises(code, SourceProblem):
        read_query(backend, "t", query)


@pytest.mark.parametrize(
    "query",
    [
        "FROM 'https://user:hunter2@127.0.0.1:9/x.csv'",
        "FROM read_csv('http://127.0.0.1:9/x.csv')",
        "FROM read_parquet('s3://bucket/x.parquet')",
        "FROM read_csv(['own.csv', 'HTTPS://127.0.0.1:9/x.csv'])",
        "SELECT * FROM glob('gs://bucket/*')",
        "FROM read_xlsx('x.xlsx')",
        "SELECT ST_Point(1, 2) AS place",
        "FROM postgres_scan('host=db password=hunter2', 'public', 't')",
        "INSTALL httpfs",
        "LOAD spatial; SELECT 1",
    ],
)
def test_nothing_is_downloaded_for_a_query(tmp_path, query):
    (tmp_path / "own.csv").write_text("a\n1\n")
    backend = set_up(duckdb.connect(), "UTC", FileAccess(query_folder=tmp_path))
    with raises("query.not_local") as caught:
        read_query(backend, "t", query)
    assert "hunter2" not in "".join(traceback.format_exception(caught.value))


def test_a_password_in_a_query_is_in_no_error(backend):
    query = "SELEC * FROM x WHERE address = 'mysql://app:hunter2@db/t' OR y = 'pwd=hunter2'"
    with raises("query.failed") as caught:
        read_query(backend, "t", query)
    assert "hunter2" not in "".join(traceback.format_exception(caught.value))
