"""The gate counts for itself what a source step has left."""

from __future__ import annotations

import datetime as dt
import json
from decimal import Decimal

import ibis
import pytest

from asset_checks.contracts import CONTRACTS, REJECTS_SCHEMA, table_schema
from asset_checks.row_rules import follows
from asset_checks.validation_gate import (
    accounts_result,
    broken_rows,
    contract_result,
    gate_results,
    line_problem,
    reject_reasons,
    tally,
)
from resources.tables import table_of

SUBSCRIPTIONS = CONTRACTS["subscriptions"]
SOUND = {
    "subscription_id": "S1",
    "customer_id": "C1",
    "status": "Active",
    "start_date": dt.date(2026, 1, 1),
    "monthly_price": Decimal("10.00"),
}


def kept(*changes: dict) -> ibis.Table:
    """Stored subscriptions S1, S2, …, sound but for what `changes` say of each."""
    rows = [SOUND | {"subscription_id": f"S{number}"} | change for number, change in enumerate(changes, 1)]
    return table_of(rows, table_schema(SUBSCRIPTIONS))


def rejects(*rows: tuple[int, str]) -> ibis.Table:
    """Rejects of one file, as (row_number, check_name)."""
    found = [{"source_file": "s.csv", "row_number": number, "check_name": check} for number, check in rows]
    return table_of(found, REJECTS_SCHEMA)


@pytest.mark.parametrize(
    ("change", "rule"),
    [
        ({"customer_id": None}, "customer_id not_null"),
        ({"monthly_price": Decimal("-0.01")}, "monthly_price not_negative"),
        ({"status": "Paused"}, "status allowed_values"),
        ({"currency": "usd"}, "currency currency_code"),
        ({"end_date": dt.date(2025, 12, 31)}, "end_date_not_before_start_date"),
        ({"status": "Canceled"}, "ended_has_end_date"),
        ({"subscription_id": "S1"}, "unique_key"),
    ],
)
def test_a_kept_row_that_breaks_its_contract_is_counted_under_the_rule(change, rule):
    assert broken_rows(SUBSCRIPTIONS, kept({}, change, {})) == (3, {rule: 1})


def test_rows_in_another_order_are_no_fault():
    assert broken_rows(SUBSCRIPTIONS, kept({"subscription_id": "S9"}, {}, {})) == (3, {})


def test_a_table_of_other_columns_breaks_the_contract():
    result = contract_result(SUBSCRIPTIONS, tally(SUBSCRIPTIONS, kept({}).drop("plan"), rejects()))
    assert not result.passed
    assert "columns are not subscription_id, customer_id, plan" in result.description


def test_a_row_that_is_neither_kept_nor_rejected_shows():
    counted = tally(
        SUBSCRIPTIONS, kept({}, {}), rejects((3, "not_null"), (3, "allowed_values"), (4, "parent_rejected"))
    )
    assert (counted.kept, counted.rejected, counted.orphaned) == (2, 1, 1)
    assert accounts_result(SUBSCRIPTIONS, counted, 4).passed
    assert not accounts_result(SUBSCRIPTIONS, counted, 5).passed


def test_a_dataset_without_rows_passes_unless_it_is_required():
    nothing = table_of([], table_schema(SUBSCRIPTIONS))
    failed = [
        result.check_name for result in gate_results(SUBSCRIPTIONS, nothing, rejects(), 0, 0.01) if not result.passed
    ]
    assert failed == ["not_empty"]
    targets = table_of([], table_schema(CONTRACTS["targets"]))
    assert all(result.passed for result in gate_results(CONTRACTS["targets"], targets, rejects(), 0, 0.01))


@pytest.mark.parametrize(
    ("keys", "expected"),
    [
        ([("a", 1), ("a", 2), ("b", 1)], [None, True, True]),
        ([("a", 1), ("a", 1), ("b", 1)], [None, False, True]),
        ([("b", 1), ("a", 2), ("c", 0)], [None, False, True]),
    ],
)
def test_a_key_follows_on_the_one_stored_before_it(keys, expected):
    table = ibis.memtable(keys, columns=["name", "day"])
    assert table.select(is_next=follows(table, ("name", "day"))).to_pyarrow()["is_next"].to_pylist() == expected


def rejected(**row: object) -> ibis.Table:
    """One reject of customers."""
    found = {"dataset": "customers", "source_file": "c.csv", "row_number": 3, "row_key": "C1", "row_json": "{}"} | row
    return table_of([found], REJECTS_SCHEMA)


def test_a_value_is_shown_where_it_broke_a_rule_and_the_key_where_the_value_is_personal():
    date = rejected(column_name="signup_date", check_name="parses_as_date", value="soon")
    assert reject_reasons(date) == "signup_date parses_as_date: 1 (first in row 3: 'soon')."
    name = rejected(column_name="company_name", check_name="not_null", value="Acme GmbH")
    assert reject_reasons(name) == "company_name not_null: 1 (first in row 3: C1; the value is personal)."


@pytest.mark.parametrize(
    ("problem", "line"),
    [
        ("too few fields: 2 found, 3 expected", "C1,Acme: a firm"),
        ("not a JSON object", '{"note": "a: b"}'),
        ("bytes not in its encoding (set encoding: in sources.yaml)", "C2,B\ufffdta, " + "x" * 300),
        ("a quote that is not closed", ""),
    ],
)
def test_a_line_that_could_not_be_split_is_shown_by_its_problem_alone(problem, line):
    value = f"{problem}: {line}"[:200]
    row_json = json.dumps({"line": line})
    assert line_problem(value, row_json) == problem
    reject = rejected(column_name=None, check_name="malformed_line", value=value, row_key=None, row_json=row_json)
    assert reject_reasons(reject).startswith("Line malformed_line: 1 (first in row 3: '" + problem[:59])
    assert line not in reject_reasons(reject) or not line
