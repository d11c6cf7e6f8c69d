"""An entrance refuses any bytes with a sentence, or counts every row of them."""

from __future__ import annotations

import sys

import dagster as dg
import ibis
import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from tests.broken_inputs.csv_values import PAYMENT
from tests.broken_inputs.judging import Input, judge, lay_out
from tests.fuzz import __main__ as search
from tests.fuzz import entrances
from tests.fuzz.findings import CSV, JSON, YAML
from tests.fuzz.strategies import csv_texts, in_bytes, json_texts, rows_of_seven, spoiled_rules, yaml_texts

pytestmark = pytest.mark.slow

quick = settings(
    max_examples=60, deadline=None, derandomize=True, suppress_health_check=[HealthCheck.function_scoped_fixture]
)


@pytest.fixture(scope="module")
def backend():
    return ibis.duckdb.connect()


# --- past findings ------------------------------------------------------------------------------


@pytest.mark.parametrize(("way", "content"), CSV)
def test_a_csv_file_that_failed_once(backend, tmp_path, way, content):
    entrances.csv_entrance(backend, tmp_path, content, *way)


@pytest.mark.parametrize(("way", "content"), JSON)
def test_a_json_file_that_failed_once(backend, tmp_path, way, content):
    entrances.json_entrance(backend, tmp_path, content, *way)


@pytest.mark.parametrize(("name", "content"), YAML)
def test_a_rules_file_that_failed_once(tmp_path, name, content):
    assert entrances.yaml_entrance(tmp_path / "rules", content, name) == entrances.REFUSED


def test_the_search_names_atheris_where_it_is_not_installed(tmp_path, monkeypatch, capsys):
    monkeypatch.setitem(sys.modules, "atheris", None)
    monkeypatch.setattr(sys, "argv", ["fuzz", "csv", "--corpus", str(tmp_path / "corpus")])
    assert search.main() == 2
    assert capsys.readouterr().err == (
        "This needs atheris, which is not installed: pip install atheris. Nothing was tried.\n"
    )
    assert not (tmp_path / "corpus").exists()


# --- bytes ---------------------------------------------------------------------------------------


@quick
@given(content=in_bytes(csv_texts), way=st.sampled_from(entrances.CSV))
@example(content=b'a,b\n1,2\n3,"4\n', way=("t.csv", "utf-8"))
def test_csv(backend, tmp_path, content, way):
    entrances.csv_entrance(backend, tmp_path, content, *way)


@quick
@given(content=in_bytes(json_texts), way=st.sampled_from(entrances.JSON))
@example(content=b'{"a": 1}\nbad\n{"a": 2}', way=("t.jsonl", "utf-8"))
def test_json(backend, tmp_path, content, way):
    entrances.json_entrance(backend, tmp_path, content, *way)


def test_an_entrance_detects_a_lost_row(backend, tmp_path, monkeypatch):
    read = entrances.read_files

    def careless(*arguments, **settings):
        raw = read(*arguments, **settings)
        return type(raw)(raw.columns, raw.rows.limit(1), raw.malformed)

    monkeypatch.setattr(entrances, "read_files", careless)
    with pytest.raises(AssertionError, match="letters of the file"):
        entrances.csv_entrance(backend, tmp_path, b"a,b\n1,2\n3,4\n", "t.csv", "utf-8")
    with pytest.raises(AssertionError, match="an item of the array"):
        entrances.json_entrance(backend, tmp_path, b'[{"a": 1}, {"a": 2}]', "t.json", "utf-8")


# --- values --------------------------------------------------------------------------------------


@settings(quick, max_examples=8)
@given(rows=rows_of_seven)
def test_values(tmp_path_factory, rows):
    folder = tmp_path_factory.mktemp("values")
    quoted = [",".join('"' + cell.replace('"', '""') + '"' for cell in row) for row in rows]
    lay_out(folder, Input("", "transactions.csv", "\n".join([PAYMENT, *quoted])))
    with dg.DagsterInstance.ephemeral() as instance:
        found = judge(folder, instance, "transactions")
    assert found.problems == []
    assert found.counted == (len(rows), len(found.kept), len({row for row, *_ in found.rejects}))
    assert sum(found.counted[1:]) == len(rows)


# --- rules ---------------------------------------------------------------------------------------


@quick
@given(spoiled=spoiled_rules())
def test_rules_with_a_strange_value(tmp_path, spoiled):
    name, text = spoiled
    entrances.yaml_entrance(tmp_path / "rules", text.encode(), name)


@quick
@given(content=yaml_texts)
def test_yaml(tmp_path, content):
    entrances.yaml_entrance(tmp_path / "rules", content, "sources")
