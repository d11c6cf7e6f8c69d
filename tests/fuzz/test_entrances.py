"""Whatever the bytes, an entrance refuses them with a sentence or accounts for every row of them."""

from __future__ import annotations

import copy
import json

import dagster as dg
import ibis
import pytest
import yaml
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from tests.broken_inputs.csv_values import PAYMENT
from tests.broken_inputs.judging import Input, judge, lay_out
from tests.fuzz import entrances
from tests.fuzz.findings import CSV, JSON, YAML

quick = settings(
    max_examples=60, deadline=None, derandomize=True, suppress_health_check=[HealthCheck.function_scoped_fixture]
)


@pytest.fixture(scope="module")
def backend():
    return ibis.duckdb.connect()


# --- what was found ------------------------------------------------------------------------------


@pytest.mark.parametrize(("way", "content"), CSV)
def test_a_csv_file_that_was_trouble_once(backend, tmp_path, way, content):
    entrances.csv_entrance(backend, tmp_path, content, *way)


@pytest.mark.parametrize(("way", "content"), JSON)
def test_a_json_file_that_was_trouble_once(backend, tmp_path, way, content):
    entrances.json_entrance(backend, tmp_path, content, *way)


@pytest.mark.parametrize(("name", "content"), YAML)
def test_a_rules_file_that_was_trouble_once(tmp_path, name, content):
    assert entrances.yaml_entrance(tmp_path / "rules", content, name) == entrances.REFUSED


# --- bytes ---------------------------------------------------------------------------------------

csv_pieces = st.sampled_from(
    [",", ";", "\t", "\n", "\r\n", "\r", '"', '""', " ", "a", "1", "é", "\0", "\ufeff", "x,y\n", '"p,\nq"']
)
csv_texts = st.lists(csv_pieces, max_size=40).map(lambda pieces: "a,b\n" + "".join(pieces))
json_pieces = st.sampled_from(
    [
        *'{}[]",:\n',
        " ",
        "\\u00e9",
        "\\ud800",
        "null",
        "1e400",
        '"a"',
        '{"a": 1}',
        '{"a": [{}], "b": "x"}\n',
        "[" * 300,
        "\0",
    ]
)
json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=3), inner, max_size=3),
    max_leaves=8,
)
json_texts = st.one_of(
    st.lists(json_pieces, max_size=25).map("".join),
    st.lists(json_values, max_size=6).map(json.dumps),
    st.lists(json_values, max_size=6).map(lambda rows: "\n".join(map(json.dumps, rows))),
)  # fmt: skip


def in_bytes(texts: st.SearchStrategy[str]) -> st.SearchStrategy[bytes]:
    """The texts in the encodings that files come in, and bytes that are no text."""
    encodings = st.sampled_from(["utf-8", "utf-8-sig", "utf-16", "cp1252"])
    return st.builds(lambda text, encoding: text.encode(encoding, "replace"), texts, encodings) | st.binary(max_size=60)


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


def test_the_judge_of_an_entrance_sees_a_row_that_is_lost(backend, tmp_path, monkeypatch):
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

awkward = st.sampled_from(
    [
        "",
        " ",
        "NULL",
        "0",
        "-0",
        "-1",
        "1e9",
        "1e400",
        "NaN",
        "C1",
        "S1",
        "usd",
        "EUR",
        "Success",
        "paid",
        "2026-01-01",
        "2026-1-1T5:00Z",
        "0000-00-00",
        "9999-12-31",
        "'",
        "%s",
        "\x1b[31m",
        "🙂",
    ]
)
cells = awkward | st.text(st.characters(codec="utf-8", exclude_characters="\0\r\n"), max_size=6) | st.dates().map(str)


@settings(quick, max_examples=8)
@given(rows=st.lists(st.lists(cells, min_size=7, max_size=7), min_size=20, max_size=60))
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

strange = st.sampled_from(
    [
        None,
        True,
        0,
        -1,
        10**30,
        1.5,
        float("nan"),
        float("inf"),
        "",
        "x",
        "{x}",
        "{",
        "\x1b[31m",
        [],
        ["x"],
        [None],
        {},
        {"x": 1},
        {None: 1},
    ]
)
RULES = {name: yaml.safe_load((entrances.RULES / f"{name}.yaml").read_text()) for name in entrances.YAML}


@st.composite
def spoiled_rules(draw) -> tuple[str, str]:
    """A file of rules in which one value, somewhere, is another."""
    name = draw(st.sampled_from(sorted(RULES)))
    content = at = copy.deepcopy(RULES[name])
    while True:
        keys = sorted(at, key=str) if isinstance(at, dict) else range(len(at))
        key = draw(st.sampled_from(keys))
        if not (isinstance(at[key], dict | list) and at[key]) or draw(st.integers(0, 5)) == 0:
            break
        at = at[key]
    at[key] = draw(strange)
    return name, yaml.safe_dump(content, allow_unicode=True)


@quick
@given(spoiled=spoiled_rules())
def test_rules_with_a_strange_value(tmp_path, spoiled):
    name, text = spoiled
    entrances.yaml_entrance(tmp_path / "rules", text.encode(), name)


yaml_pieces = st.sampled_from(
    [
        "datasets",
        "a",
        ": ",
        "- ",
        "\n",
        "  ",
        "{",
        "}",
        "[",
        "]",
        ",",
        "&a ",
        "*a",
        "<<: ",
        "? ",
        "!!int ",
        "!!binary ",
        "!!set ",
        "!!omap ",
        "|\n",
        ">-\n",
        "'",
        '"',
        "#",
        "---\n",
        "%",
        "1",
        ".inf",
        "2026-02-30",
        "\t",
        "\0",
        "é",
    ]
)


@quick
@given(content=st.lists(yaml_pieces, max_size=25).map("".join).map(str.encode) | st.binary(max_size=40))
def test_yaml(tmp_path, content):
    entrances.yaml_entrance(tmp_path / "rules", content, "sources")
