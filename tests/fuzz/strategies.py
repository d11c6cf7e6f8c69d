"""Inputs for the entrances: texts of the pieces that readers fail on, and valid rules with one wrong value."""

from __future__ import annotations

import copy
import json

import yaml
from hypothesis import strategies as st

from rules.rule_set import SHIPPED
from tests.fuzz import entrances

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
    """The texts in common encodings, and bytes that are not text."""
    encodings = st.sampled_from(["utf-8", "utf-8-sig", "utf-16", "cp1252"])
    return st.builds(lambda text, encoding: text.encode(encoding, "replace"), texts, encodings) | st.binary(max_size=60)


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


rows_of_seven = st.lists(st.lists(cells, min_size=7, max_size=7), min_size=20, max_size=60)

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
RULES = {name: yaml.safe_load((SHIPPED / f"{name}.yaml").read_text()) for name in entrances.YAML}


@st.composite
def spoiled_rules(draw) -> tuple[str, str]:
    """A file of rules in which one value is replaced."""
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


yaml_texts = st.lists(yaml_pieces, max_size=25).map("".join).map(str.encode) | st.binary(max_size=40)
