"""A metric's row in the summary: its days, its target, its explanation, and why it may be missing."""

import dataclasses
import datetime as dt
from decimal import Decimal

import pytest

from productpulse_assets.facts.calendar import months
from productpulse_assets.metrics.summary import SUMMARY_SCHEMA, Availability, summary_rows
from rules.metrics.models import MetricCatalog
from rules.models import Sources
from tests.graph import RULES

GOVERNANCE = {
    "category": "Revenue", "unit": "money", "owner": "team:finance", "definition": "d", "purpose": "p",
    "interpretation": "i", "risk_if_misread": "r", "good_direction": "up",
}  # fmt: skip


def measured(label, period="as_of", **given):
    return {"label": label, "model": "customer_months", "period": period, "formula": {"sum": "x"}, **given}


METRICS = {
    "mrr": measured("MRR", aliases=["Monthly Revenue"], counted_by="customers"),
    "customers": measured("Paying customers", unit="count"),
    "churned": measured("Churned customers", "last_complete_month", unit="count", good_direction="down"),
    "opening": measured("Opening customers", "last_complete_month", unit="count"),
    "failed": measured("Failed payments", {"trailing_complete_months": 3}, unit="count", good_direction="down"),
    "risk": measured("Revenue at risk", "current"),
    "arpu": {"label": "ARPU", "formula": {"divide": ["mrr", "customers"]}},
    "churn": {"label": "Customer churn", "unit": "rate", "good_direction": "down", "formula": {"divide": ["churned", "opening"]}},
    "retention": {"label": "Retention", "unit": "rate", "formula": {"complement": "churn"}},
    "kept": {
        **measured("Kept revenue", "last_complete_month", unit="rate"),
        "formula": {"ratio": {
            "numerator": {"sum": "kept", "label": "still paid", "unit": "money"},
            "denominator": {"sum": "before", "where": [{"column": "plan", "operator": "equals", "value": "A"}]},
        }},
    },
    "yearly": {"label": "ARR", "formula": {"multiply": ["mrr", 12]}},
    "percent": {"label": "Churn in percent", "unit": "score", "formula": {"multiply": [100, {"divide": ["churned", "opening"]}]}},
}  # fmt: skip
CATALOG = MetricCatalog.model_validate(
    {"activation_threshold": 5, "metrics": {name: {**GOVERNANCE, **content} for name, content in METRICS.items()}}
)
MADE_UP = dataclasses.replace(RULES, metric_catalog=CATALOG)
ALL_THERE = Availability({}, set(), set())


def month(number, year=2026):
    return dt.date(year, number, 1)


def summary(values, as_of="2026-03-10", first="2026-01-05", availability=ALL_THERE, targets=(), rules=MADE_UP):
    """The summary by metric; `values` maps (metric, month of 2026) to a value or (value, numerator, denominator)."""
    history = []
    for (name, number), content in values.items():
        value, top, bottom = content if isinstance(content, tuple) else (content, None, None)
        amount = Decimal(str(value)) if name in ("mrr", "arpu", "yearly") and value is not None else None
        history.append(
            {"metric_name": name, "month": month(number), "value": value, "amount": amount, "numerator": top, "denominator": bottom}
        )  # fmt: skip
    calendar = months(dt.date.fromisoformat(first), dt.date.fromisoformat(as_of))
    rows = summary_rows(rules, history, calendar, availability, list(targets))
    assert all(set(row) == set(SUMMARY_SCHEMA) for row in rows)
    return {row["metric_name"]: row for row in rows}


def target(name, value, day):
    return {"metric_name": name, "target_value": Decimal(str(value)), "date": dt.date.fromisoformat(day)}


EVERY_MONTH = {(name, number): 10.0 * number for name in METRICS for number in (1, 2, 3)}


def test_a_stock_is_read_at_the_as_of_date_and_a_flow_in_the_last_complete_month():
    rows = summary(EVERY_MONTH)
    places = {n: (r["value"], r["previous_value"], r["change"], r["grain"], r["period_start"], r["period_end"]) for n, r in rows.items()}  # fmt: skip
    tenth, february_end = dt.date(2026, 3, 10), dt.date(2026, 2, 28)
    stock = (30.0, 20.0, 10.0, "day", tenth, tenth)
    flow = (20.0, 10.0, 10.0, "month", month(2), february_end)
    assert places == {
        "mrr": stock, "customers": stock, "arpu": stock, "yearly": stock, "risk": stock,
        "churned": flow, "opening": flow, "percent": flow, "churn": flow, "retention": flow, "kept": flow,
        # The metric covers three months; the data has two.
        "failed": (20.0, 10.0, 10.0, "3 months", month(1), february_end),
    }  # fmt: skip


def test_a_month_that_ends_at_the_as_of_date_is_complete():
    row = summary(EVERY_MONTH, as_of="2026-03-31")["churned"]
    assert (row["value"], row["period_start"], row["period_end"]) == (30.0, month(3), dt.date(2026, 3, 31))


def test_three_complete_months_end_before_the_month_that_is_not_over():
    values = {("failed", number): float(number) for number in (1, 2, 3, 4)}
    row = summary(values, as_of="2026-04-30")["failed"]
    assert (row["value"], row["period_start"], row["period_end"]) == (4.0, month(2), dt.date(2026, 4, 30))
    row = summary(values, as_of="2026-04-29")["failed"]
    assert (row["value"], row["period_start"], row["period_end"]) == (3.0, month(1), dt.date(2026, 3, 31))


def test_without_a_month_before_there_is_no_change():
    row = summary({("mrr", 1): 50.0, ("customers", 1): 2.0}, as_of="2026-01-20")["mrr"]
    assert (row["value"], row["previous_value"], row["change"]) == (50.0, None, None)
    assert row["explanation"] == "$50.00 from 2 paying customers."


def test_an_unknown_value_before_leaves_the_change_unknown():
    row = summary({("mrr", 3): 50.0, ("mrr", 2): None})["mrr"]
    assert (row["value"], row["previous_value"], row["change"]) == (50.0, None, None)


def test_money_has_its_exact_amount_and_nothing_else_has_one():
    rows = summary({("mrr", 3): 1234.56, ("customers", 3): 3.0})
    assert rows["mrr"]["amount"] == Decimal("1234.56")
    assert rows["customers"]["amount"] is None


def test_explanations_contain_the_numbers():
    rows = summary(
        {
            ("mrr", 2): 282590.0, ("mrr", 3): 284090.0, ("customers", 3): 710.0, ("customers", 2): 713.0,
            ("arpu", 3): (400.12676, 284090.0, 710.0),
            ("churned", 2): 20.0, ("opening", 2): 640.0,
            ("churn", 2): (0.03125, 20.0, 640.0), ("churn", 1): (0.05, 30.0, 600.0), ("retention", 2): 0.96875,
            ("kept", 2): (0.5, 1500.5, 3001.0),
            ("yearly", 3): 3409080.0,
        }
    )  # fmt: skip
    explanations = {name: row["explanation"] for name, row in rows.items()}
    assert explanations["mrr"] == "$284,090.00 from 710 paying customers (+$1,500 compared with the month before)."
    assert explanations["customers"] == "710 (-3 compared with the month before)."
    assert explanations["arpu"] == "$400.13 = $284,090.00 MRR divided by 710 paying customers."
    assert explanations["churn"] == (
        "3.12 % = 20 churned customers divided by 640 opening customers (-1.9 pp compared with the month before)."
    )
    assert explanations["retention"] == "96.88 %."
    assert explanations["kept"] == "50.00 % = $1,500.50 still paid divided by 3,001 sum of before where plan equals A."
    assert explanations["yearly"] == "$3,409,080.00."
    assert explanations["failed"] == "Failed payments is not available."


def test_the_reporting_currency_is_that_of_the_sources():
    in_euros = dataclasses.replace(MADE_UP, sources=Sources(reporting_currency="EUR"))
    assert summary({("yearly", 3): 5000.0}, rules=in_euros)["yearly"]["explanation"] == "€5,000.00."


# --- targets -------------------------------------------------------------------------------------


def against(name, value, *targets):
    number = 2 if name in ("churned", "churn", "opening", "failed") else 3
    row = summary({(name, number): value}, targets=targets)[name]
    return row["target_value"], row["target_gap"], row["target_status"]


@pytest.mark.parametrize("given", ["mrr", "MRR", "Mrr", "monthly revenue", "Monthly Revenue"])
def test_a_target_gives_its_metric_by_name_label_or_alias(given):
    assert against("mrr", 100.0, target(given, 80, "2026-01-01")) == (80.0, 20.0, "Met")


def test_the_target_of_another_metric_is_not_used():
    assert against("mrr", 100.0, target("revenue", 80, "2026-01-01")) == (None, None, "No target")


@pytest.mark.parametrize(
    ("name", "value", "status"),
    [
        ("mrr", 80.0, "Met"),  # up: at the target or above
        ("mrr", 79.99, "Missed"),
        ("churned", 80.0, "Met"),  # down: at the target or below
        ("churned", 80.01, "Missed"),
        ("mrr", 79.99999999999999, "Met"),  # a binary rounding error does not count
        ("churned", 80.00000000000001, "Met"),
    ],
)
def test_a_target_is_met_in_the_good_direction(name, value, status):
    assert against(name, value, target(name, 80, "2026-01-01"))[2] == status


def test_the_newest_target_that_is_valid_at_the_periods_end_counts():
    older, newer, later = (
        target("mrr", 1, "2025-01-01"),
        target("MRR", 2, "2026-03-10"),
        target("mrr", 3, "2026-03-11"),
    )
    assert against("mrr", 5.0, newer, older, later) == (2.0, 3.0, "Met")
    # A flow's period ended on February 28: a target from March on is not valid yet.
    assert against("churned", 5.0, target("churned", 4, "2026-02-28"), target("churned", 9, "2026-03-01")) == (
        4.0,
        1.0,
        "Missed",
    )
    assert against("mrr", 5.0, later) == (None, None, "No target")


def test_a_target_of_an_unknown_value_is_neither_met_nor_missed():
    assert against("mrr", None, target("mrr", 2, "2026-01-01")) == (2.0, None, "Not available")


# --- why a value is missing ----------------------------------------------------------------------


def reason(name, values, availability=ALL_THERE, **given):
    row = summary(values, availability=availability, **given)[name]
    assert (row["value"], row["status"]) == (None, "Not available")
    assert row["explanation"] == f"{row['label']} is not available."
    return row["not_available_reason"]


def test_an_available_metric_has_no_reason():
    row = summary({("mrr", 3): 0.0})["mrr"]
    assert (row["status"], row["not_available_reason"]) == ("Available", None)


def test_an_absent_dataset():
    lacking = Availability(
        {"failed": ["transactions.status", "transactions.transaction_date", "customers.customer_id"]},
        absent_datasets={"transactions", "nps_scores"},
        absent_columns={"transactions.status"},
    )
    assert reason("failed", {}, lacking) == "Needs the dataset transactions, which is absent."


def test_an_absent_column():
    lacking = Availability({"failed": ["product_usage.features_used"]}, set(), {"product_usage.features_used"})
    assert reason("failed", {}, lacking) == "Needs the column product_usage.features_used, which is absent."


def test_no_complete_month_yet():
    values = {("churned", 1): 3.0, ("mrr", 1): 5.0}
    assert reason("churned", values, as_of="2026-01-20") == "The data does not cover a complete month yet."
    rows = summary(values, as_of="2026-01-20")
    assert (rows["churned"]["period_start"], rows["churned"]["period_end"]) == (None, None)
    assert rows["mrr"]["value"] == 5.0


def test_a_zero_denominator():
    assert reason("churn", {("churned", 2): 0.0, ("opening", 2): 0.0, ("churn", 2): (None, 0.0, 0.0)}) == (
        "Opening customers is 0, so there is nothing to divide by."
    )
    assert reason("kept", {("kept", 2): (None, 0.0, 0.0)}) == (
        "Sum of before where plan equals A is 0, so there is nothing to divide by."
    )


def test_a_zero_denominator_inside_of_a_formula():
    assert reason("percent", {("churned", 2): 0.0, ("opening", 2): 0.0, ("percent", 2): None}) == (
        "Opening customers is 0, so there is nothing to divide by."
    )


def test_an_operand_that_is_not_available():
    assert reason("retention", {("churn", 2): (None, 0.0, 0.0)}) == "Needs customer churn, which is not available."
    assert reason("yearly", {}) == "Needs MRR, which is not available."


def test_no_rows_at_all():
    lacking = Availability({"mrr": ["subscriptions.monthly_price", "customers.customer_id"]}, set(), set())
    assert reason("mrr", {}, lacking) == "There are no rows of customers, subscriptions to compute it from."


def test_not_a_number_is_not_available():
    assert summary({("mrr", 3): float("nan")})["mrr"]["status"] == "Not available"
