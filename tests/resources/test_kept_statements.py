"""A statement that is kept is the one that would be written, and only an equal expression has it."""

import re

import ibis
import pyarrow as pa
import pytest
from ibis import _

from resources import kept_statements as module
from resources.duckdb_connection import in_memory
from resources.kept_statements import FILE, describe_expression, kept_statements, load_statements, write_statements
from resources.tables import count_of, rows_of
from resources.warehouse import fill
from tests.graph import queries

LIMIT = re.compile(r"(>(?: CAST\()?) ?2")
MONTHS = ibis.table({"customer": "string", "mrr": "decimal(18, 2)", "day": "date"}, name="months")


@pytest.fixture
def backend():
    connection = in_memory()
    connection.con.execute("CREATE TABLE months AS SELECT 'a' AS customer, 2 AS mrr UNION ALL SELECT 'b', 3")
    return connection


def described(table):
    return describe_expression(table).parts


@pytest.mark.slow
def test_each_query_of_the_graph_has_a_description_of_its_own():
    found = {name: tuple(described(query)) for name, query in queries().items()}
    assert len(set(found.values())) == len(found) > 20


@pytest.mark.parametrize(
    "other",
    [
        MONTHS.filter(_.mrr > 6),
        MONTHS.filter(_.mrr >= 5),
        MONTHS.filter(_.mrr > 5.0),
        MONTHS.filter(_.mrr > 5).limit(1),
        MONTHS.filter(_.mrr > 5).drop("day"),
        MONTHS.rename(mrr_end="mrr").filter(_.mrr_end > 5),
        ibis.table(MONTHS.schema(), name="weeks").filter(_.mrr > 5),
        ibis.table({**MONTHS.schema(), "mrr": "decimal(18, 3)"}, name="months").filter(_.mrr > 5),
        ibis.table({**MONTHS.schema(), "plan": "string"}, name="months").filter(_.mrr > 5),
    ],
)
def test_another_value_operator_column_type_or_table_gives_another_description(other):
    assert described(other) != described(MONTHS.filter(_.mrr > 5))
    assert described(MONTHS.filter(_.mrr > 5)) == described(MONTHS.filter(_.mrr > 5))


def test_columns_of_a_drop_are_described_in_one_order():
    names = [f"column_{number}" for number in range(9)]
    table = ibis.table(dict.fromkeys([*names, "kept"], "string"), name="wide")
    assert repr(names)[1:-1] in "".join(described(table.drop(*names))).replace("str ", "").replace('"', "")


def test_a_later_run_takes_the_statements_of_an_earlier_one(backend, tmp_path):
    def run():
        with kept_statements(tmp_path, "f1"):
            months = backend.table("months")
            fill(backend, "large", months.filter(_.mrr > 2))
            return rows_of(backend.table("large")), count_of(months)

    assert run() == ([{"customer": "b", "mrr": 3}], 2)
    first = (tmp_path / FILE).read_bytes()
    path = tmp_path / FILE
    kept = load_statements(path, "f1")
    assert len(kept) == 3
    write_statements(path, "f1", {key: LIMIT.sub(r"\1 1", sql) for key, sql in kept.items()})
    assert path.read_bytes() != first, "the statement has the limit"
    assert run()[0] == [{"customer": "a", "mrr": 2}, {"customer": "b", "mrr": 3}], "the kept statement is used"


def test_rows_in_memory_are_not_those_of_an_earlier_run(backend, tmp_path):
    for value in (1, 2):
        with kept_statements(tmp_path, "f1"):
            fill(backend, "small", ibis.memtable(pa.table({"value": [value]})))
            assert rows_of(backend.table("small")) == [{"value": value}]
    assert len(load_statements(tmp_path / FILE, "f1")) == 2


def test_statements_of_another_program_and_damaged_ones_are_not_used(tmp_path):
    path = tmp_path / FILE
    write_statements(path, "f1", {"key": "SELECT 1"})
    assert load_statements(path, "f1") == {"key": "SELECT 1"}
    assert load_statements(path, "f2") == {}
    for damaged in (b"", path.read_bytes()[:-9], path.read_bytes().replace(b"SELECT 1", b"SELECT 2"), b"[]"):
        path.write_bytes(damaged)
        assert load_statements(path, "f1") == {}


def test_a_file_that_grows_too_large_has_the_statements_of_the_last_run(backend, tmp_path, monkeypatch):
    monkeypatch.setattr(module, "MOST", 3)
    write_statements(tmp_path / FILE, "f1", {f"old {number}": "SELECT 1" for number in range(3)})
    with kept_statements(tmp_path, "f1"):
        count_of(backend.table("months"))
    assert len(load_statements(tmp_path / FILE, "f1")) == 1
