"""Texts filled from a row's columns say values as the reports and the command line do."""

import re
from decimal import Decimal

import ibis
import pytest
from hypothesis import given
from hypothesis import strategies as st

from resources.tables import table_of
from rules.operators import OPERATORS
from rules.text.formats import change_text, money, percent, value_text
from rules.text.sql_text import (
    SIGNED_NUMBER,
    SIGNS,
    SKIPPED,
    escape_formula_text,
    escape_formulas,
    fill_template,
    relation_words,
    value_words,
)
from rules.text.templates import TemplateError
from tests.builders import day, rows
from tests.errors import raises

AMOUNTS = [
    "0", "0.01", "-0.01", "0.5", "9.99", "-61.27", "100", "999", "999.5", "999.99", "1000", "1000.49", "1000.50",
    "1001.50", "1234.50", "-1234.56", "9999.99", "99999.5", "999999.49", "999999.50", "1000000", "1001002.03",
    "1234567.89", "-1234567.89", "98765432101.23",
]  # fmt: skip
SHARES = [0.0, 0.001, -0.001, 0.0004, -0.0004, 0.03249, 0.0625, -0.0625, 0.9375, -0.5, 1.0, 1 / 3, -2 / 3, 12.3456, 1e4]
NUMBERS = [0.0, 0.04, -0.04, 0.25, 2.75, -7.3, 28.0, 999.95, 1000.04, 12345.678, -1234567.89]
COUNTS = [0, 7, -3, 999, 1000, 1001, -12345, 1234567, 1000000000, 9876543210]


def words(values, kind, name="value", currency="USD"):
    """Each value as said in a column of that name and type."""
    table = table_of([{"place": i, name: v} for i, v in enumerate(values)], ibis.schema({"place": "int64", name: kind}))
    return [
        text for (text,) in rows(table.mutate(said=value_words(table[name], name, currency)), "said", by=("place",))
    ]


@pytest.mark.parametrize("currency", ["USD", "EUR", "CHF"])
def test_money_is_said_as_in_reports(currency):
    amounts = [Decimal(text) for text in AMOUNTS]
    assert words(amounts, "decimal(18, 2)", currency=currency) == [money(amount, currency) for amount in amounts]


@pytest.mark.parametrize("name", ["churn_rate", "usage_change"])
def test_shares_are_said_as_in_reports(name):
    assert words(SHARES, "float64", name) == [percent(share) for share in SHARES]


def test_numbers_are_said_as_in_reports():
    assert words(NUMBERS, "float64") == [value_text(number, "months").removesuffix(" months") for number in NUMBERS]
    assert words(COUNTS, "int64") == [value_text(count, "count") for count in COUNTS]


def test_halves_go_to_the_even_neighbour_as_in_reports():
    assert words([Decimal("2500.5"), Decimal("2501.5")], "decimal(18, 2)") == ["$2,500", "$2,502"]
    assert change_text(-0.0625, "rate") == "-6.2 pp"
    assert words([-0.0625], "float64", "usage_change") == ["-6.2 %"]


@pytest.mark.parametrize(
    ("value", "kind", "text"),
    [
        (True, "boolean", "yes"),
        (False, "boolean", "no"),
        (day("2026-06-30"), "date", "2026-06-30"),
        ("Scale", "string", "Scale"),
        *((None, kind, "unknown") for kind in ("decimal(18, 2)", "float64", "int64", "boolean", "date", "string")),
    ],
)
def test_what_is_no_number_is_said_plainly(value, kind, text):
    assert words([value], kind) == [text]


# --- texts ----------------------------------------------------------------------------------------

ROW = ibis.schema({"plan": "string", "mrr": "decimal(18, 2)", "usage_change": "float64", "logins": "int64"})


def fill(text, **row):
    table = table_of([dict.fromkeys(ROW) | row], ROW)
    return rows(table.select(text=fill_template(text, table)), "text")[0][0]


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("{plan} at {mrr}: usage {usage_change}.", "Scale at $1,250: usage -50.0 %."),
        ("{logins}{plan}", "unknownScale"),
        ("Call.", "Call."),
        ("{{plan}} is {plan}", "{plan} is Scale"),
    ],
)
def test_placeholders_are_the_rows_values(text, said):
    assert fill(text, plan="Scale", mrr=Decimal("1250"), usage_change=-0.5) == said


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("{plna} ends", "rules.unknown_placeholder"),
        ("{} ends", "rules.unknown_placeholder"),
        ("{plan.name}", "rules.unknown_placeholder"),
        ("{plan ends", "rules.braces"),
        ("{mrr:.2f} a month", "rules.placeholder_format"),
        ("{plan!r}", "rules.placeholder_format"),
    ],
)
def test_a_text_that_cannot_be_filled_is_refused(text, code):
    with raises(code, TemplateError):
        fill(text)


class SparkOptions(ibis.config.Config):
    """What compiling for Spark asks of ibis.options.pyspark; the backend would set it, and needs pyspark."""

    treat_nan_as_null: bool = False


@pytest.mark.parametrize("dialect", ["duckdb", "pyspark"])
def test_a_text_compiles(dialect, monkeypatch):
    monkeypatch.setattr(ibis.options, "pyspark", SparkOptions())
    table = ibis.table(ROW, name="customers")
    text = fill_template("{plan}: {mrr}, {usage_change}, {logins}", table)
    assert "SELECT" in ibis.to_sql(table.select(text=text), dialect=dialect)


# --- what a spreadsheet would run ---------------------------------------------------------------

HARMLESS = {
    "=1+1": "'=1+1",
    "+1+cmd|'/c calc'!A0": "'+1+cmd|'/c calc'!A0",
    "-2+3": "'-2+3",
    "@SUM(1+1)": "'@SUM(1+1)",
    "\uff1d1+1": "'\uff1d1+1",
    "\uff0bA1": "'\uff0bA1",
    "\uff0dA1": "'\uff0dA1",
    "\uff20SUM(1)": "'\uff20SUM(1)",
    "  =1+1": "'  =1+1",
    "\u00a0\u200b=1+1": "'\u00a0\u200b=1+1",
    "\ufeff=1+1": "'\ufeff=1+1",
    "\t=1+1": "\t'=1+1",
    "Acme;=1+1": "Acme;'=1+1",
    'Acme; "=1+1"': 'Acme;\' "=1+1"',
    "Acme\r\n=1+1\n\n@x": "Acme\r\n'=1+1\n\n'@x",
    "Acme;\uff1d1;=2": "Acme;'\uff1d1;'=2",
    "'=1+1": "''=1+1",
    "''=1+1": "'''=1+1",
}
"""Texts in which a spreadsheet finds something to run, and how they are exported."""

HONEST = (
    "", "Acme", "a = b", "a-b", "me@acme.example", "Acme; Sons", "x;y;z", "'quoted'", "5 - 3", "-5", "+1,234.50",
    "-0.5", "\tindented", "line\nbreak",
)  # fmt: skip
"""Texts that are exported as they are; a signed number is a number in a spreadsheet too."""


def exported(texts: list[str]) -> list[str]:
    table = ibis.memtable({"text": texts}, schema={"text": "string"})
    return ibis.duckdb.connect().to_pyarrow(escape_formulas(table)).column("text").to_pylist()


def test_a_formula_gets_an_apostrophe_and_every_other_text_stays():
    assert exported([*HARMLESS, *HONEST]) == [*HARMLESS.values(), *HONEST]
    assert [escape_formula_text(text) for text in (*HARMLESS, *HONEST)] == [*HARMLESS.values(), *HONEST]


@given(st.text("=+-@\uff1d;'\" \t\n\u200bab1", max_size=12))
def test_what_an_export_changed_can_be_taken_back(text):
    written = escape_formula_text(text)
    assert re.sub(f"(^|[;\t\r\n])'(?=[{SKIPPED}]*[{SIGNS}])", r"\1", written) == text
    assert not re.search(f'(^|[;\t\r\n])[ \u200b"]*[{SIGNS}]', written) or re.fullmatch(SIGNED_NUMBER, written)


def test_numbers_and_what_is_unknown_are_no_texts():
    schema = {"change": "int64", "name": "string"}
    table = escape_formulas(ibis.memtable({"change": [-5, None], "name": [None, "-x"]}, schema=schema))
    assert ibis.duckdb.connect().to_pyarrow(table).to_pylist() == [
        {"change": -5, "name": None},
        {"change": None, "name": "'-x"},
    ]


# --- thresholds -----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("operator", "threshold", "name", "text"),
    [
        ("less_than", -0.5, "usage_change", "below -50.0 %"),
        ("less_or_equal", 6, "latest_nps_score", "6 or less"),
        ("greater_than", 2.5, "logins_baseline", "above 2.5"),
        ("greater_or_equal", 10000, "mrr", "10,000 or more"),
        ("equals", False, "is_activated", "exactly no"),
        ("not_equals", "Free", "plan", "other than Free"),
        ("in", ("Starter", "Growth"), "plan", "one of Starter, Growth"),
        ("not_in", ("Scale",), "plan", "none of Scale"),
        ("contains", "Pro", "plan", "with Pro in it"),
        ("between", (0, 0.1), "churn_rate", "0.0 % to 10.0 %"),
        ("is_true", None, "is_past_due", "yes"),
        ("is_missing", None, "usage_change", "not known"),
    ],
)
def test_what_a_rule_asks_for_in_words(operator, threshold, name, text):
    assert operator in OPERATORS
    assert relation_words(operator, threshold, name) == text
