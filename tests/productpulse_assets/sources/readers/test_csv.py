"""Source files as rows: CSV. Each case: a file in, the exact rows and bad lines out."""

import csv
import gzip
import io
from pathlib import Path

import duckdb
import ibis
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from productpulse_assets.sources.errors import SourceProblem
from productpulse_assets.sources.readers import csv_table
from productpulse_assets.sources.readers.raw_rows import columns_of, read_files
from tests.errors import raises


@pytest.fixture(scope="module")
def backend():
    return ibis.duckdb.from_connection(duckdb.connect())


def read(backend, folder: Path, content: bytes | str, name="t.csv", encoding="utf-8"):
    """(row_number, values…) of each row, and {row_number: reason and line} of the bad lines."""
    path = folder / name
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    raw = read_files(backend, "t", [path], encoding, scratch=folder / "scratch")
    assert not list((folder / "scratch").iterdir())
    assert columns_of(backend, [path], encoding, scratch=folder / "scratch") == raw.columns
    rows = raw.rows.drop("source_file").to_pyarrow().to_pylist()
    bad = raw.malformed.to_pyarrow().to_pylist()
    assert len({each["row_number"] for each in bad}) == len(bad)
    assert all(len(each["value"]) <= 200 for each in bad)
    return [tuple(row.values()) for row in rows], {b["row_number"]: b["line"] for b in bad}


WELL_FORMED = {
    "quotes, delimiters, newlines": (
        'a,b\n1,"x, ""y""\nz"\n2,w\n',
        [(1, "1", 'x, "y"\nz'), (2, "2", "w")],
    ),
    "empty and quoted empty": ('a,b\n,""\n', [(1, None, None)]),
    "blank lines": ("\na,b\n\n1,2\n\n\n3,4\n\n", [(1, "1", "2"), (2, "3", "4")]),
    "no final line end": ("a,b\n1,2", [(1, "1", "2")]),
    "header only": ("a,b\n", []),
    "header only, no line end": ("a,b", []),
    "crlf": ('a,b\r\n1,"x\r\ny"\r\n', [(1, "1", "x\r\ny")]),
    "crlf inside, lf outside": ('a,b\n1,"x\r\ny"\n', [(1, "1", "x\r\ny")]),
    "both line ends": ("a,b\r\n1,2\n3,4\r\n", [(1, "1", "2"), (2, "3", "4")]),
    "cr alone": ("a,b\r1,2\r3,4", [(1, "1", "2"), (2, "3", "4")]),
    "byte order mark": (b"\xef\xbb\xbfa,b\n1,2\n", [(1, "1", "2")]),
    "semicolons": ("a;b\n1;2,5\n", [(1, "1", "2,5")]),
    "tabs": ("a\tb\n1\t2\n", [(1, "1", "2")]),
    "trimmed names": (' a ," b "\n1, 2\n', [(1, "1", " 2")]),
    "a quote in a bare field": ('a,b\n1,5" pipe\n', [(1, "1", '5" pipe')]),
    "one column": ('a\n1\n\n""\n2\n', [(1, "1"), (2, None), (3, "2")]),
    "nul": ("a,b\n1,x\0y\n", [(1, "1", "x\0y")]),
    "names that are SQL": ("a\"; DROP TABLE x --,b'\n1,2\n", [(1, "1", "2")]),
}


@pytest.mark.parametrize(("content", "rows"), WELL_FORMED.values(), ids=WELL_FORMED)
def test_well_formed(backend, tmp_path, content, rows):
    assert read(backend, tmp_path, content) == (rows, {})


MALFORMED = {
    "too few, too many": (
        "a,b\n1\n2,3\n4,5,6,7\n8,9\n",
        [(2, "2", "3"), (4, "8", "9")],
        {1: "1", 3: "4,5,6,7"},
    ),
    "an empty field too many": ("a,b\n1,2,\n3,4\n", [(2, "3", "4")], {1: "1,2,"}),
    "text after a quoted field": ('a,b\n1,"x"y\n3,4\n', [(2, "3", "4")], {1: '1,"x"y'}),
    "two quoted texts in a field": ('a,b\n1,"x" "y"\n3,4\n', [(2, "3", "4")], {1: '1,"x" "y"'}),
    "invalid utf-8": (b"a,b\n1,caf\xe9\n2,x\n", [(2, "2", "x")], {1: "1,caf\ufffd"}),
    "cr in a line": ("a,b\n1,x\ry\n2,z\n", [(2, "2", "z")], {1: "1,x\ry"}),
    "unclosed, first": ('a,b\n"1,x\n2,y\n3,z\n', [(2, "2", "y"), (3, "3", "z")], {1: '"1,x'}),
    "unclosed, last field": ('a,b\n1,"x\n2,y\n', [(2, "2", "y")], {1: '1,"x'}),
    "unclosed, last line": ('a,b\n1,x\n2,"y', [(1, "1", "x")], {2: '2,"y'}),
    "unclosed, only a quote": ('a,b\n1,x\n"', [(1, "1", "x")], {2: '"'}),
    "unclosed before quoted fields": (
        'a,b\n1,"x\n2,"y"\n3,"z\nw"\n4,"v"\n',
        [(2, "2", "y"), (3, "3", "z\nw"), (4, "4", "v")],
        {1: '1,"x'},
    ),
    "two unclosed": (
        'a,b\n1,"x\n2,y\n3,"z\n4,"w"\n',
        [(2, "2", "y"), (4, "4", "w")],
        {1: '1,"x', 3: '3,"z'},
    ),
    "two unclosed in a row": ('a,b\n1,"x\n3,"z\n4,w\n', [(3, "4", "w")], {1: '1,"x', 2: '3,"z'}),
    "a row of two lines, too wide": (
        'a,b\n1,"x\ny",3\n4,5\n',
        [(2, "4", "5")],
        {1: '1,"x\ny",3'},
    ),
    "a bad line after a row of two lines": (
        'a,b\n1,"x\ny"\n\nbad\n4,5\n',
        [(1, "1", "x\ny"), (3, "4", "5")],
        {2: "bad"},
    ),
}


@pytest.mark.parametrize(("content", "rows", "bad"), MALFORMED.values(), ids=MALFORMED)
def test_malformed_lines(backend, tmp_path, content, rows, bad):
    assert read(backend, tmp_path, content) == (rows, bad)


def test_the_malformed_table_says_why(backend, tmp_path):
    read(backend, tmp_path, "a,b\n1,2\n" + "x" * 500 + "\n")
    (bad,) = backend.table("malformed_t").to_pyarrow().to_pylist()
    assert bad == {
        "source_file": "t.csv",
        "row_number": 2,
        "check_name": "malformed_line",
        "column_name": None,
        "value": ("too few fields: 1 found, 2 expected: " + "x" * 500)[:200],
        "line": "x" * 500,
    }


def test_a_long_field_and_a_line_that_is_too_long(backend, tmp_path):
    long, too_long = "x" * 10_000_000, "y" * 20_000_000
    rows, bad = read(backend, tmp_path, f"a,b\n1,{long}\n2,{too_long}\n3,z\n")
    assert rows == [(1, "1", long), (3, "3", "z")]
    assert list(bad) == [2]


def test_a_quote_unclosed_in_the_middle_of_many_lines(backend, tmp_path):
    lines = [f'{n},"text ""{n}"" of\ntwo lines",z' for n in range(60_000)]
    lines[30_000] = '30000,"text,z'
    rows, bad = read(backend, tmp_path, "a,b,c\n" + "\n".join(lines))
    assert bad == {30_001: '30000,"text,z'}
    assert [(row[0] - 1, row[1]) for row in rows] == [(n, str(n)) for n in range(60_000) if n != 30_000]


def test_encodings(backend, tmp_path):
    text = "a,b\n1,café\n"
    for encoding in ("utf-16", "latin-1", "utf-32-le"):
        rows = read(backend, tmp_path, text.encode(encoding), encoding=encoding)
        assert rows == ([(1, "1", "café")], {})


def test_a_byte_that_the_encoding_does_not_have_is_a_bad_line(backend, tmp_path):
    rows = read(backend, tmp_path, b"a,b\n1,x\x81\n2,\xe9\n", encoding="cp1252")
    assert rows == ([(2, "2", "é")], {1: "1,x\ufffd"})


def test_gzip(backend, tmp_path):
    packed = gzip.compress(b'a,b\n1,2\n3,"4\n')
    assert read(backend, tmp_path, packed, "t.csv.gz") == ([(1, "1", "2")], {2: '3,"4'})
    tabs = gzip.compress(b"a\tb,c\n1\t2;3\n")
    assert read(backend, tmp_path, tabs, "t.tsv.gz") == ([(1, "1", "2;3")], {})


def test_several_files_are_united_by_name(backend, tmp_path):
    (tmp_path / "b*.csv").write_text("b,c\n3,4\nbad\n")
    (tmp_path / "b2.csv").write_text("A,b\n1,2\n")
    (tmp_path / "a.jsonl").write_text('{"a": 5}\n')
    files = [tmp_path / name for name in ("b2.csv", "b*.csv", "a.jsonl")]
    raw = read_files(backend, "t", files, scratch=tmp_path / "scratch")
    assert raw.columns == ("a", "b", "c") == columns_of(backend, files, scratch=tmp_path / "scratch")
    assert [tuple(row.values()) for row in raw.rows.to_pyarrow().to_pylist()] == [
        ("a.jsonl", 1, "5", None, None),
        ("b*.csv", 1, None, "3", "4"),
        ("b2.csv", 1, "1", "2", None),
    ]
    assert raw.malformed.select("source_file", "row_number").to_pyarrow().to_pylist() == [
        {"source_file": "b*.csv", "row_number": 2}
    ]


UNREADABLE = {
    "no name": ("t.csv", b"a,,b\n1,2,3\n", "source.column_without_name"),
    "utf-32": ("t.csv", "a,b\n1,2".encode("utf-32"), "source.wide_text"),
    "cut gzip": ("t.csv.gz", gzip.compress(b"a,b\n1,2\n")[:-9], "source.gzip_incomplete"),
    "unknown ending": ("t.xls", b"PK", "source.unknown_ending"),
    "a row for a header": ("t.csv", b"1,2026-01-01,1\n2,2026-01-02,1\n", "source.no_header"),
}


@pytest.mark.parametrize(("name", "content", "code"), UNREADABLE.values(), ids=UNREADABLE)
def test_unreadable(backend, tmp_path, name, content, code):
    with raises(code, SourceProblem) as caught:
        read(backend, tmp_path, content, name)
    assert caught.value.details["file"] == name
    with raises(code, SourceProblem):
        columns_of(backend, [tmp_path / name], scratch=tmp_path / "scratch")


def test_a_missing_file_no_file_and_an_unknown_encoding(backend, tmp_path):
    with raises("source.cannot_open"):
        read_files(backend, "t", [tmp_path / "none.csv"], scratch=tmp_path)
    with raises("source.no_file"):
        read_files(backend, "t", [], scratch=tmp_path)
    with raises("source.unknown_encoding"):
        read(backend, tmp_path, "a,b\n", encoding="utf-99")


def test_a_gzip_file_that_unpacks_to_more_than_any_export(backend, tmp_path):
    bomb = gzip.compress(b"a,b\n") + 80 * gzip.compress(b"x" * (1 << 20))
    with raises("source.gzip_too_large") as caught:
        read(backend, tmp_path, bomb, "t.csv.gz")
    assert caught.value.details["file"] == "t.csv.gz"


def test_rows_that_differ_from_the_text_even_after_the_repair(backend, tmp_path, monkeypatch):
    monkeypatch.setattr(csv_table, "_nothing_lost", lambda table, file: False)
    with raises("csv.ambiguous_rows") as caught:
        read(backend, tmp_path, "a,b\n1,2\n")
    assert caught.value.details["file"] == "t.csv"


text = st.text(
    st.characters(codec="utf-8", exclude_characters="\0") | st.sampled_from('",\n\r; x'),
    max_size=8,
)
# The first field of a good row starts with a letter: after an unclosed quote, a line that
# starts with an empty or a quote-laden field can be read in two ways.
CORRUPTED = ["one field", "1,2,3,4", '1,"open,3', '1,2,"open', '"open', '1,"x"y,3']


@settings(max_examples=60, deadline=None, suppress_health_check=list(HealthCheck))
@given(
    lines=st.lists(
        st.tuples(text.map("r".__add__), text, text).map(list) | st.sampled_from(CORRUPTED),
        max_size=12,
    ),
    line_end=st.sampled_from(["\n", "\r\n"]),
)
def test_every_line_is_a_row_or_a_bad_line(backend, tmp_path, lines, line_end):
    content = io.StringIO()
    writer = csv.writer(content, lineterminator=line_end, quoting=csv.QUOTE_ALL)
    content.write("a,b,c" + line_end)
    for line in lines:
        if isinstance(line, str):
            content.write(line + line_end)
        else:
            writer.writerow(line)
    numbered = list(enumerate(lines, start=1))
    rows, bad = read(backend, tmp_path, content.getvalue())
    assert bad == {number: line for number, line in numbered if isinstance(line, str)}
    assert rows == [
        (number, *(value or None for value in line)) for number, line in numbered if not isinstance(line, str)
    ]
