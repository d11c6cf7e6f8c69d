"""The catalog's grammar on a handful of rows, every metric of the catalog on hand-worked
customer-months, and what must hold for any subscription history."""

import datetime as dt
import functools
from decimal import Decimal

import hypothesis.strategies as st
import ibis
import pytest
from hypothesis import given, settings

from asset_checks.contracts import CONTRACTS, unbound
from productpulse_assets.facts.calendar import SCHEMA as CALENDAR
from productpulse_assets.facts.customer_months import customer_months
from productpulse_assets.metrics.summary import Availability, summary_rows
from productpulse_assets.orchestration.graph import MODELS as OURS
from productpulse_assets.tables import declaration_of
from resources.tables import rows_of, table_of
from rules.metrics.compile import metric_columns, metric_history
from rules.metrics.models import Derived, Measure, MetricCatalog
from rules.metrics.periods import LAST_COMPLETE, read_at
from tests.builders import calendar, dataset, stored
from tests.graph import RULES, empty, with_mrr
from tests.graph import unbound as table_of_graph

UNBOUND_CALENDAR = ibis.table(CALENDAR, name="calendar")
SALES = ibis.schema(
    {"month": "date", "plan": "string", "country": "string", "amount": "decimal(18, 2)", "seats": "int64"}
)
STOCK = ibis.schema({"plan": "string", "amount": "decimal(18, 2)"})
MODELS = {"sales": SALES, "stock": STOCK}
GOVERNANCE = {
    "category": "Revenue", "unit": "money", "owner": "team:finance", "definition": "d", "purpose": "p",
    "interpretation": "i", "risk_if_misread": "r", "good_direction": "up",
}  # fmt: skip

JANUARY, FEBRUARY, MARCH = (dt.date(2026, month, 1) for month in (1, 2, 3))
ROWS = {
    "sales": [
        {"month": JANUARY, "plan": "A", "country": "DE", "amount": Decimal("10.10"), "seats": 1},
        {"month": JANUARY, "plan": "B", "country": "DE", "amount": Decimal("20.20"), "seats": 2},
        {"month": JANUARY, "plan": "A", "country": "FR", "amount": None, "seats": 2},
        {"month": FEBRUARY, "plan": "A", "country": "DE", "amount": Decimal("5.05"), "seats": 3},
        {"month": FEBRUARY, "plan": None, "country": "FR", "amount": Decimal("0.10"), "seats": None},
        {"month": MARCH, "plan": "B", "country": None, "amount": Decimal("100.00"), "seats": 3},
    ],
    "stock": [{"plan": "A", "amount": Decimal("7.00")}, {"plan": None, "amount": Decimal("1.50")}],
}
AS_OF = "2026-03-10"
"""March is not over: the last complete month is February."""


def metric(formula, period=None, model=None, **given):
    """A metric; arithmetic on others takes no period."""
    places = {} if period is None else {"period": period, "model": model or "sales"}
    return {**GOVERNANCE, "formula": formula, **places, **given}


def catalog_of(metrics):
    labelled = {name: {"label": name, **content} for name, content in metrics.items()}
    return MetricCatalog.model_validate({"activation_threshold": 5, "metrics": labelled})


def compiled(query):
    """A query's SQL."""
    return ibis.to_sql(query, dialect="duckdb")


def result(sql, **tables):
    """The rows that a compiled query gives over these tables."""
    return rows_of(stored(sql, **tables))


def history(metrics, by=()):
    """The rows of metric_history for these metrics over ROWS."""
    models = {name: ibis.table(schema, name=name) for name, schema in MODELS.items()}
    query = metric_history(catalog_of(metrics), models, UNBOUND_CALENDAR, by)
    tables = {name: table_of(ROWS[name], schema) for name, schema in MODELS.items()}
    return result(compiled(query), **tables, calendar=calendar("2026-01-01", AS_OF))


def by_month(metrics):
    """Each metric's values in January, February and March."""
    found = {(row["metric_name"], row["month"]): row["value"] for row in history(metrics)}
    return {name: tuple(found[name, month] for month in (JANUARY, FEBRUARY, MARCH)) for name in metrics}


AGGREGATIONS = {
    "sum": {"sum": "amount"},
    "mean": {"mean": "amount"},
    "count": {"count": "amount"},
    "count_distinct": {"count_distinct": "seats"},
    "min": {"min": "amount"},
    "max": {"max": "amount"},
}
ONLY_A = {"where": [{"column": "plan", "operator": "equals", "value": "A"}]}


def over(period, **filtered):
    return by_month({name: metric({**formula, **filtered}, period) for name, formula in AGGREGATIONS.items()})


@pytest.mark.parametrize("period", ["as_of", "last_complete_month", {"trailing_complete_months": 1}])
def test_aggregations_of_a_month(period):
    assert over(period) == {
        "sum": (30.30, 5.15, 100.0),  # January: 10.10 + 20.20, the unknown amount left out
        "mean": (15.15, 2.575, 100.0),  # February: 5.15 / 2
        "count": (2, 2, 1),  # known amounts
        "count_distinct": (2, 1, 1),  # January: 1 and 2; February: 3
        "min": (10.10, 0.10, 100.0),
        "max": (20.20, 5.05, 100.0),
    }


def test_aggregations_over_two_months():
    assert over({"trailing_complete_months": 2}) == {
        "sum": (30.30, 35.45, 105.15),  # February: 30.30 + 5.15
        "mean": (15.15, pytest.approx(8.8625), pytest.approx(35.05)),  # 35.45 / 4 and 105.15 / 3: no mean of means
        "count": (2, 4, 3),
        "count_distinct": (2, 3, 1),  # February: 1, 2 and 3; in February and March both seats are 3
        "min": (10.10, 0.10, 0.10),
        "max": (20.20, 20.20, 100.0),
    }


def test_more_months_than_the_data_has_are_those_it_has():
    assert over({"trailing_complete_months": 24}) == {
        "sum": (30.30, 35.45, 135.45),
        "mean": (15.15, pytest.approx(8.8625), pytest.approx(27.09)),  # 135.45 / 5
        "count": (2, 4, 5),
        "count_distinct": (2, 3, 3),
        "min": (10.10, 0.10, 0.10),
        "max": (20.20, 20.20, 100.0),
    }


def test_aggregations_of_the_rows_that_meet_a_filter():
    assert over("last_complete_month", **ONLY_A) == {
        "sum": (10.10, 5.05, None),  # March has no row of plan A: unknown, not 0
        "mean": (10.10, 5.05, None),
        "count": (1, 1, 0),
        "count_distinct": (2, 1, 0),  # seats of January's A: 1 and 2
        "min": (10.10, 5.05, None),
        "max": (10.10, 5.05, None),
    }
    assert over({"trailing_complete_months": 2}, **ONLY_A) == {
        "sum": (10.10, 15.15, 5.05),
        "mean": (10.10, 7.575, 5.05),
        "count": (1, 2, 1),
        "count_distinct": (2, 3, 1),
        "min": (10.10, 5.05, 5.05),
        "max": (10.10, 10.10, 5.05),
    }


def test_a_row_counts_when_it_meets_every_condition_and_unknown_values_meet_none():
    conditions = [
        {"column": "plan", "operator": "not_equals", "value": "B"},
        {"column": "country", "operator": "in", "value": ["DE", "FR"]},
    ]
    found = by_month(
        {
            "both": metric({"count": "month", "where": conditions}, "as_of"),
            "first": metric({"count": "month", "where": conditions[:1]}, "as_of"),
            "missing": metric({"count": "month", "where": [{"column": "plan", "operator": "is_missing"}]}, "as_of"),
        }
    )
    # February's row without a plan is not one whose plan is known to be another than B.
    assert found == {"both": (2, 1, 0), "first": (2, 1, 0), "missing": (0, 1, 0)}


def test_aggregations_of_a_snapshot_stand_in_the_as_of_month():
    found = by_month(
        {
            "sum": metric({"sum": "amount"}, "current", "stock"),
            "mean": metric({"mean": "amount"}, "current", "stock"),
            "rows": metric({"count": "amount", **ONLY_A}, "current", "stock"),
            "kinds": metric({"count_distinct": "plan"}, "current", "stock"),
            "share": metric({"divide": ["sum", "sales"]}),
            "sales": metric({"sum": "amount"}, "as_of"),
        }
    )
    assert found == {
        "sum": (None, None, 8.5),
        "mean": (None, None, 4.25),
        "rows": (None, None, 1),
        "kinds": (None, None, 1),
        "share": (None, None, 0.085),  # 8.50 / 100.00
        "sales": (30.30, 5.15, 100.0),
    }


def test_a_ratio_has_its_parts_and_is_unknown_over_zero():
    ratio = {"numerator": {"sum": "amount"}, "denominator": {"sum": "seats", **ONLY_A}}
    found = history(
        {
            "per_seat": metric({"ratio": ratio}, "last_complete_month"),
            "over_two": metric({"ratio": ratio}, {"trailing_complete_months": 2}),
            "of_none": metric({"ratio": {"numerator": {"sum": "seats"}, "denominator": {"count": "amount", **ONLY_A}}}, "as_of"),
        }
    )  # fmt: skip
    parts = {
        (row["metric_name"], row["month"].month): (row["numerator"], row["denominator"], row["value"]) for row in found
    }
    assert parts == {
        ("per_seat", 1): (30.30, 3, pytest.approx(10.10)),
        ("per_seat", 2): (5.15, 3, pytest.approx(5.15 / 3)),
        ("per_seat", 3): (100.0, None, None),
        ("over_two", 1): (30.30, 3, pytest.approx(10.10)),
        ("over_two", 2): (35.45, 6, pytest.approx(35.45 / 6)),
        ("over_two", 3): (105.15, 3, pytest.approx(35.05)),
        ("of_none", 1): (5, 1, 5.0),
        ("of_none", 2): (3, 1, 3.0),
        ("of_none", 3): (3, 0, None),
    }  # fmt: skip


BASE = {
    "amount": metric({"sum": "amount"}, "as_of"),  # 30.30, 5.15, 100.00
    "rows": metric({"count": "month"}, "as_of"),  # 3, 2, 1
    "of_a": metric({"sum": "amount", **ONLY_A}, "as_of"),  # 10.10, 5.05, unknown
    "rows_of_a": metric({"count": "month", **ONLY_A}, "as_of"),  # 2, 1, 0
}


@pytest.mark.parametrize(
    ("formula", "expected"),
    [
        ({"add": ["rows", "rows_of_a", 10]}, (15, 13, 11)),
        ({"subtract": ["rows", "rows_of_a", 1]}, (0, 0, 0)),
        ({"subtract": [1, "rows"]}, (-2, -1, 0)),
        ({"multiply": ["amount", 12]}, (363.60, 61.80, 1200.0)),
        ({"multiply": ["amount", "rows", 0.5]}, (45.45, 5.15, 50.0)),
        ({"divide": ["amount", "rows"]}, (10.10, 2.575, 100.0)),
        ({"divide": ["amount", "rows_of_a"]}, (15.15, 5.15, None)),  # over zero
        ({"divide": [1, "rows"]}, (1 / 3, 0.5, 1.0)),
        ({"complement": "rows_of_a"}, (-1, 0, 1)),
        ({"complement": {"divide": ["rows_of_a", "rows"]}}, (1 / 3, 0.5, 1.0)),
        ({"divide": [{"subtract": ["amount", {"add": ["of_a", 0.05]}]}, {"multiply": ["rows", 2]}]}, ((30.30 - 10.15) / 6, 0.05 / 4, None)),
        ({"add": ["of_a", 1]}, (11.10, 6.05, None)),  # unknown stays unknown
        ({"multiply": ["of_a", 0]}, (0, 0, None)),
        ({"complement": "of_a"}, (-9.10, -4.05, None)),
        ({"divide": ["of_a", "rows"]}, (10.10 / 3, 2.525, None)),
        ({"add": [{"divide": ["amount", "rows_of_a"]}, 1]}, (16.15, 6.15, None)),
        ({"divide": [{"multiply": ["amount", "amount"]}, "amount"]}, (30.30, 5.15, 100.0)),
    ],
)  # fmt: skip
def test_arithmetic_on_metrics(formula, expected):
    assert by_month({**BASE, "wanted": metric(formula)})["wanted"] == pytest.approx(expected)


def test_arithmetic_on_arithmetic():
    found = by_month(
        {**BASE, "each": metric({"divide": ["amount", "rows"]}), "yearly": metric({"multiply": ["each", 12]})}
    )
    assert found["yearly"] == pytest.approx((121.20, 30.90, 1200.0))


def test_slices_by_one_dimension_name_the_unknown_members():
    found = history({"amount": BASE["amount"], "stock": metric({"sum": "amount"}, "current", "stock")}, by=["plan"])
    values = {(row["metric_name"], row["plan"], row["month"].month): row["value"] for row in found}
    assert values == {
        ("amount", "A", 1): 10.10, ("amount", "A", 2): 5.05, ("amount", "A", 3): None,
        ("amount", "B", 1): 20.20, ("amount", "B", 2): None, ("amount", "B", 3): 100.0,
        ("amount", "Unknown", 1): None, ("amount", "Unknown", 2): 0.10, ("amount", "Unknown", 3): None,
        ("stock", "A", 1): None, ("stock", "A", 2): None, ("stock", "A", 3): 7.0,
        ("stock", "B", 1): None, ("stock", "B", 2): None, ("stock", "B", 3): None,
        ("stock", "Unknown", 1): None, ("stock", "Unknown", 2): None, ("stock", "Unknown", 3): 1.50,
    }  # fmt: skip


def test_slices_over_several_months_and_of_a_quotient():
    metrics = {
        "two": metric({"sum": "amount"}, {"trailing_complete_months": 2}),
        "seats": metric({"count_distinct": "seats"}, {"trailing_complete_months": 2}),
        "each": metric({"divide": ["two", "seats"]}),
    }
    found = {(row["metric_name"], row["plan"]): row["value"] for row in history(metrics, by=["plan"]) if row["month"] == FEBRUARY}  # fmt: skip
    assert found == {
        ("two", "A"): 15.15, ("two", "B"): 20.20, ("two", "Unknown"): 0.10,
        ("seats", "A"): 3, ("seats", "B"): 1, ("seats", "Unknown"): 0,
        ("each", "A"): pytest.approx(5.05), ("each", "B"): 20.20, ("each", "Unknown"): None,
    }  # fmt: skip


def test_slices_by_two_dimensions():
    found = history({"amount": BASE["amount"]}, by=["plan", "country"])
    values = {(row["plan"], row["country"], row["month"].month): row["value"] for row in found if row["value"]}
    assert values == {
        ("A", "DE", 1): 10.10, ("B", "DE", 1): 20.20,
        ("A", "DE", 2): 5.05, ("Unknown", "FR", 2): 0.10,
        ("B", "Unknown", 3): 100.0,
    }  # fmt: skip


def test_a_metric_without_the_dimension_is_left_out():
    stock = metric({"sum": "amount"}, "current", "stock")
    metrics = {**BASE, "stock": stock, "both": metric({"add": ["amount", "stock"]})}
    assert {row["metric_name"] for row in history(metrics, by=["country"])} == set(BASE)


def test_months_say_whether_they_are_over():
    found = {row["month"]: row["is_complete"] for row in history({"amount": BASE["amount"]})}
    assert found == {JANUARY: True, FEBRUARY: True, MARCH: False}


def test_money_is_exact_to_the_cent():
    """A tenth has no exact binary form: ten thousand of them added up as floats are not 1,000."""
    models = {"sales": ibis.table(SALES, name="sales")}
    query = metric_columns(
        catalog_of(
            {"amount": BASE["amount"], "yearly": metric({"multiply": ["amount", 12]}), "more": metric({"add": ["amount", "yearly"]})}
        ),
        models, UNBOUND_CALENDAR,
    )  # fmt: skip
    cents = table_of([{**ROWS["sales"][0], "amount": Decimal("0.10")}] * 10_000, SALES)
    found = result(compiled(query), sales=cents, calendar=calendar("2026-01-01", "2026-01-31"))
    assert found == [{"amount": Decimal("1000.00"), "yearly": Decimal("12000.00"), "more": Decimal("13000.00")}]


# --- every metric of the catalog, worked out by hand ---------------------------------------------

NOW = "2026-04-10"
"""Stocks are read at this day; flows in March, the last complete month."""

APRIL = dt.date(2026, 4, 1)
DECEMBER = dt.date(2025, 12, 1)
CUSTOMER_MONTHS = [
    # December lies outside of three complete months: none of it may count.
    {"customer_id": "C1", "month": DECEMBER, "mrr_end": 90, "paying_end": 1, "is_new": 1, "acquisition_cost": 999,
     "payments_failed": 7, "payments_succeeded": 7, "nps_responses": 5, "nps_score_sum": 5, "nps_promoters": 0, "nps_detractors": 5},
    {"customer_id": "C1", "month": JANUARY, "mrr_end": 100, "paying_start": 1, "paying_end": 1, "acquisition_cost": 999,
     "payments_failed": 1, "payments_succeeded": 3, "nps_responses": 2, "nps_score_sum": 12, "nps_detractors": 1},
    {"customer_id": "C2", "month": FEBRUARY, "mrr_end": 200, "paying_end": 1, "is_new": 1, "acquisition_cost": 100,
     "payments_failed": 2, "payments_succeeded": 3},
    {"customer_id": "C6", "month": FEBRUARY, "paying_start": 1, "is_churned": 1},
    # March: C1 expands, C2 contracts, C3 leaves, C4 is new, C5 comes back.
    {"customer_id": "C1", "month": MARCH, "mrr_start": 100, "mrr_expansion": 50, "mrr_fx": -1,
     "mrr_expansion_quantity": 20, "mrr_expansion_price": 10, "mrr_expansion_plan": 8, "mrr_expansion_addon": 5, "mrr_expansion_discount": 7,
      "mrr_end": 150, "mrr_gross_profit": 120, "acquisition_cost": 999,
     "paying_start": 1, "paying_end": 1, "mrr_12m_ago": 100, "mrr_kept_12m": 150, "mrr_retained_12m": 100,
     "payments_failed": 0, "payments_succeeded": 3, "logins": 30, "key_actions": 12, "features_used_sum": 9, "usage_records": 4,
     "nps_responses": 3, "nps_score_sum": 27, "nps_promoters": 2, "tickets_opened": 5},
    {"customer_id": "C2", "month": MARCH, "mrr_start": 200, "mrr_contraction": 80, "mrr_fx": 4,
     "mrr_contraction_quantity": 30, "mrr_contraction_price": 20, "mrr_contraction_plan": 15, "mrr_contraction_addon": 10, "mrr_contraction_discount": 5,
     "mrr_end": 120, "mrr_gross_profit": 96,
     "paying_start": 1, "paying_end": 1, "mrr_12m_ago": 200, "mrr_kept_12m": 120, "mrr_retained_12m": 120,
     "payments_failed": 1, "payments_succeeded": 1, "logins": 18, "key_actions": 8, "features_used_sum": 6, "usage_records": 1},
    {"customer_id": "C3", "month": MARCH, "mrr_start": 50, "mrr_churned": 50, "mrr_end": 0, "mrr_gross_profit": 0,
     "mrr_churned_voluntary": 50, "is_churned_voluntary": 1, "paying_start": 1, "is_churned": 1, "mrr_12m_ago": 40, "logins": 2, "usage_records": 1, "tickets_opened": 1},
    {"customer_id": "C4", "month": MARCH, "mrr_new": 300, "mrr_end": 300, "mrr_gross_profit": 240, "paying_end": 1, "is_new": 1, "acquisition_cost": 300},
    {"customer_id": "C5", "month": MARCH, "mrr_reactivation": 80, "mrr_end": 80, "mrr_gross_profit": 64, "paying_end": 1, "is_reactivated": 1},
    # April is not over: stocks are read here, flows are not.
    {"customer_id": "C1", "month": APRIL, "mrr_start": 150, "mrr_end": 150, "mrr_gross_profit": 120, "paying_start": 1, "paying_end": 1, "on_trial_end": 1,
     "is_activated": 1, "days_to_first_key_action": 10, "logins": 500, "tickets_opened": 500},
    {"customer_id": "C2", "month": APRIL, "mrr_start": 120, "mrr_end": 120, "mrr_gross_profit": 96, "paying_start": 1, "paying_end": 1,
     "days_to_first_key_action": 40},
    {"customer_id": "C4", "month": APRIL, "mrr_start": 300, "mrr_end": 300, "mrr_gross_profit": 240, "paying_start": 1, "paying_end": 1,
     "is_activated": 1, "days_to_first_key_action": 3},
    {"customer_id": "C5", "month": APRIL, "mrr_start": 80, "mrr_churned": 80, "paying_start": 1, "is_churned": 1, "on_trial_end": 1,
     "is_new": 1, "acquisition_cost": 7000, "payments_failed": 9, "payments_succeeded": 9, "nps_responses": 9},
]  # fmt: skip
MODEL_ROWS = {
    "customer_months": CUSTOMER_MONTHS,
    "customer_signals": [{"customer_id": f"C{n}", "usage_change": x, "mrr_up_for_renewal": 10, "mrr_scheduled_to_end": 3} for n, x in enumerate((-0.9, -1.0, -0.8, 0.5, None))],
    "churn_risk_profiles": [{"customer_id": f"C{n}", "revenue_at_risk": x, "is_at_risk": y} for n, (x, y) in enumerate(((120, 1), (0, 0), (80, 1), (None, None)))],
    "leakage_summary": [{"leakage_type": "Failed Payment", "estimated_revenue_loss": 30, "amount_collected": 400}, {"leakage_type": "Refund", "estimated_revenue_loss": 10, "amount_collected": 400}, {"leakage_type": "Missed Invoice", "estimated_revenue_loss": None, "amount_collected": 400}],
    "receivables": [{"customer_id": "C1", "amount_open": 60, "amount_due_90_days": 300}, {"customer_id": "C2", "amount_open": 40, "amount_due_90_days": 150}],
    "renewals": [
        {"customer_id": "C1", "month": MARCH, "mrr": 100, "mrr_renewed": 90, "is_due": 1, "is_renewed": 1},
        {"customer_id": "C2", "month": MARCH, "mrr": 50, "is_due": 1},
        {"customer_id": "C4", "month": APRIL, "mrr": 300},
    ],
    # In December C1 cost 999, outside of the three months. A customer whose cost is not known does not count.
    "acquisition_costs": [
        {"month": DECEMBER, "customer_id": "C1", "acquisition_cost": 999, "customers_with_cost": 1},
        {"month": FEBRUARY, "customer_id": "C2", "acquisition_cost": 100, "customers_with_cost": 1},
        {"month": MARCH, "customer_id": "C4", "acquisition_cost": 240, "customers_with_cost": 1},
        {"month": MARCH, "acquisition_channel": "Ads", "acquisition_cost": 60},
        {"month": MARCH, "customer_id": "C7", "acquisition_cost": None},
    ],
    "data_quality_scores": [{"dataset": "customers", "overall_score": 0.9}, {"dataset": "targets", "overall_score": 0.7}, {"dataset": "nps_scores", "overall_score": None}],
}  # fmt: skip
"""By model; a number that a row does not say is 0."""

WORKED = {
    "monthly_recurring_revenue": 150 + 120 + 300,
    "annual_recurring_revenue": 570 * 12,
    "paying_customers": 3,
    "mrr_up_for_renewal": 5 * 10,
    "gross_renewal_rate": 90 / (100 + 50),
    "logo_renewal_rate": 1 / 2,
    "scheduled_churn_mrr": 5 * 3,
    "committed_mrr": 570 - 15,
    "voluntary_churned_customers": 1,
    "voluntary_churned_revenue": 50,
    "involuntary_churned_customers": 0,
    "involuntary_churned_revenue": 0,
    "customers_on_trial": 2,
    "average_revenue_per_user": 570 / 3,
    "opening_revenue": 100 + 200 + 50,
    "opening_customers": 3,
    "new_customers": 1,
    "churned_customers": 1,
    "new_revenue": 300,
    "reactivation_revenue": 80,
    "expansion_revenue": 50,
    "contraction_revenue": 80,
    "expansion_from_quantity": 20,
    "expansion_from_price": 10,
    "expansion_from_plan": 8,
    "expansion_from_addon": 5,
    "expansion_from_discount": 7,
    "contraction_from_quantity": 30,
    "contraction_from_price": 20,
    "contraction_from_plan": 15,
    "contraction_from_addon": 10,
    "contraction_from_discount": 5,
    "fx_revenue": 4 - 1,
    "churned_revenue": 50,
    "net_new_revenue": 300 + 80 + 50 - 80 - 50,
    "revenue_growth_rate": 300 / 350,
    "quick_ratio": (300 + 80 + 50) / (80 + 50),
    "gross_revenue_retention": (100 + 120 + 0) / (100 + 200 + 40),
    "net_revenue_retention": (150 + 120 + 0) / (100 + 200 + 40),
    "monthly_gross_revenue_retention": (350 - 80 - 50) / 350,
    "monthly_net_revenue_retention": (350 + 50 - 80 - 50) / 350,
    "failed_payments": 1 + 2 + 1,
    "successful_payments": 3 + 3 + 4,
    "attempted_payments": 4 + 10,
    "failed_payment_rate": 4 / 14,
    "customer_churn_rate": 1 / 3,
    "retention_rate": 2 / 3,
    "revenue_churn_rate": 50 / 350,
    "activation_rate": 2 / 4,
    "usage_frequency": (30 + 18 + 2) / 4,
    "key_action_rate": (12 + 8) / 50,
    "engagement_drop_rate": 2 / 4,  # -0.9 and -1.0 of four known; -0.8 is not below
    "feature_adoption_proxy": (9 + 6) / (4 + 1 + 1),
    "time_to_activation": (10 + 3) / 2,
    "nps_responses": 2 + 3,
    "nps_promoters": 2,
    "nps_detractors": 1,
    "average_nps": (12 + 27) / 5,
    "net_promoter_score": 100 * (2 - 1) / 5,
    "support_burden": (5 + 1) / 4,
    "average_monthly_churn_rate": (1 + 1) / (1 + 1 + 3),
    "blended_acquisition_cost": (100 + 240 + 60) / 2,
    "gross_margin_applied": 456 / 570,
    "gross_profit_per_user": 456 / 3,
    "customer_lifetime_value": (520 / 4) / 0.4,  # in March: 80 % of the MRR of four customers
    "ltv_to_cac": 325 / 200,
    "cac_payback_months": 200 / 130,
    "revenue_at_risk": 120 + 80,
    "at_risk_customers": 2,
    "revenue_leakage": 30 + 10,  # a kind that cannot be looked for adds nothing
    "failed_payment_leakage": 30,
    "accounts_receivable": 60 + 40,
    "amount_billed_90_days": 300 + 150,
    "days_sales_outstanding": 100 / 450 * 90,
    "revenue_leakage_ratio": 40 / 400,
    "data_quality_score": (0.9 + 0.7) / 2,  # an absent dataset has no score
}


@functools.cache
def worked_values():
    """Every metric of the catalog over MODEL_ROWS, read at the month that its period says."""
    catalog = RULES.metric_catalog
    models = {name: table_of_graph(name) for name in OURS}
    query = metric_history(catalog, models, UNBOUND_CALENDAR)
    tables = {name: _rows(name, model.schema()) for name, model in models.items()}
    found = result(compiled(query), **tables, calendar=calendar("2025-12-01", NOW))
    values = {(row["metric_name"], row["month"]): row["value"] for row in found}
    months = {name: MARCH if read_at(catalog, name) == LAST_COMPLETE else APRIL for name in catalog.metrics}
    return {name: values.get((name, month)) for name, month in months.items()}


def _rows(model, schema):
    return table_of([_row(given_values, schema) for given_values in MODEL_ROWS.get(model, [])], schema)


def _row(given_values, schema):
    zero = {name: 0 if kind.is_numeric() else None for name, kind in schema.items()} | given_values
    return {
        name: Decimal(zero[name]) if kind.is_decimal() and zero[name] is not None else zero[name]
        for name, kind in schema.items()
    }


@pytest.mark.parametrize("name", RULES.metric_catalog.metrics)
def test_a_metric_of_the_catalog_is_what_the_hand_works_out(name):
    assert name in WORKED, f"{name} is new in the catalog: work it out by hand here."
    assert worked_values()[name] == pytest.approx(WORKED[name], abs=1e-12)


def test_no_case_is_left_of_a_metric_that_is_gone():
    assert set(WORKED) <= set(RULES.metric_catalog.metrics)


# --- what holds for any history ------------------------------------------------------------------

DATASETS = [name for name in CONTRACTS if name in declaration_of(customer_months).inputs]
CUSTOMERS = [{"segment": segment} for segment in ("SMB", "SMB", "Enterprise", None, "Mid-Market", "Enterprise")]
dates = st.dates(min_value=dt.date(2025, 1, 1), max_value=dt.date(2026, 6, 10))
histories = st.lists(
    st.fixed_dictionaries(
        {
            "customer_id": st.sampled_from([f"C{number}" for number in range(1, len(CUSTOMERS) + 1)]),
            "span": st.tuples(dates, dates),
            "status": st.sampled_from(["Active", "Past Due", "Canceled", "Expired", "Trial"]),
            "monthly_price": st.decimals(min_value=Decimal("0"), max_value=Decimal("999.99"), places=2),
        }
    ),
    max_size=25,
)


@functools.cache
def queries():
    """SQL for the fact table, for its metrics and for those by segment; compiled once."""
    facts = {name: unbound(CONTRACTS[name]) for name in DATASETS}
    mrr = {name: table_of_graph(name) for name in ("mrr_periods", "mrr_changes", "bill_balances")}
    months = customer_months(**facts, **mrr, calendar=UNBOUND_CALENDAR, rules=RULES)
    models = {"customer_months": ibis.table(months.schema(), name="customer_months")}
    expressions = (
        months,
        metric_history(RULES.metric_catalog, models, UNBOUND_CALENDAR),
        metric_history(RULES.metric_catalog, models, UNBOUND_CALENDAR, ["segment"]),
    )
    return [compiled(expression) for expression in expressions]


def measured(periods):
    """The rows of kpi_history and of the same by segment, for these subscriptions."""
    subscriptions = [
        {
            **row,
            "start_date": min(row["span"]),
            "end_date": max(row["span"]) if row["status"] in ("Canceled", "Expired") else None,
        }
        for row in periods
    ]
    subscriptions = [{key: value for key, value in row.items() if key != "span"} for row in subscriptions]
    given_rows = {"customers": CUSTOMERS, "subscriptions": subscriptions}
    tables = {name: dataset(name, *given_rows.get(name, ())) for name in DATASETS}
    months = calendar("2025-01-01", "2026-06-10")
    facts, total, parts = queries()
    tables |= {"bill_balances": empty("bill_balances"), "calendar": months}
    facts = stored(facts, **with_mrr(**tables))
    return [result(query, customer_months=facts, calendar=months) for query in (total, parts)]


def is_additive(catalog, name):
    """Whether the metric of a whole is the sum of those of its parts."""
    formula = catalog.metrics[name].formula
    if isinstance(formula, Measure):
        return formula.aggregation in ("sum", "count")
    if isinstance(formula, Derived) and formula.combination in ("add", "subtract"):
        return all(isinstance(operand, str) and is_additive(catalog, operand) for operand in formula.operands)
    return False


@pytest.mark.slow
@settings(max_examples=12, deadline=None)
@given(histories)
def test_identities_hold_for_any_history(periods):
    catalog = RULES.metric_catalog
    total, parts = measured(periods)
    values = {(row["metric_name"], row["month"]): row["value"] for row in total}
    for month in {row["month"] for row in total}:
        one = {name: values[name, month] for name in catalog.metrics if (name, month) in values}
        if one["customer_churn_rate"] is not None:
            assert one["retention_rate"] + one["customer_churn_rate"] == pytest.approx(1)
        if one["gross_revenue_retention"] is not None:
            assert 0 <= one["gross_revenue_retention"] <= 1
            assert one["gross_revenue_retention"] <= one["net_revenue_retention"]
        if one["opening_revenue"] is not None:  # unknown before the first customer
            assert one["monthly_recurring_revenue"] == pytest.approx(one["opening_revenue"] + one["net_new_revenue"])
        if one["average_revenue_per_user"] is not None:
            mrr = one["average_revenue_per_user"] * one["paying_customers"]
            assert mrr == pytest.approx(one["monthly_recurring_revenue"])
    added = {}
    for row in parts:
        key = row["metric_name"], row["month"]
        added[key] = added.get(key, 0) + (row["value"] or 0)
    additive = [name for name in catalog.metrics if is_additive(catalog, name) and (name, JANUARY) in values]
    assert {"monthly_recurring_revenue", "churned_customers", "failed_payments"} <= set(additive)
    for (name, month), value in values.items():
        if name in additive:
            assert round(added[name, month], 2) == round(value or 0, 2)


@settings(max_examples=5, deadline=None)
@given(histories)
def test_the_summary_is_a_row_of_the_history(periods):
    catalog = RULES.metric_catalog
    total, _parts = measured(periods)
    months = calendar("2025-01-01", "2026-06-10")
    history = [row | {"amount": None} for row in total]
    summary = summary_rows(RULES, history, rows_of(months), Availability({}, set(), set()), targets=[])
    values = {(row["metric_name"], row["month"]): row["value"] for row in total}
    assert [row["metric_name"] for row in summary] == list(catalog.metrics)
    for row in summary:
        name = row["metric_name"]
        month, before = (5, 4) if read_at(catalog, name) == LAST_COMPLETE else (6, 5)
        assert row["value"] == values.get((name, dt.date(2026, month, 1)))
        assert row["previous_value"] == values.get((name, dt.date(2026, before, 1)))


def test_the_facts_that_the_properties_use_are_not_all_unknown():
    """With one plain subscription the identities above have something to say."""
    total, _parts = measured(
        [
            {
                "customer_id": "C1",
                "span": (dt.date(2025, 1, 5),) * 2,
                "status": "Active",
                "monthly_price": Decimal("50.00"),
            }
        ]
    )
    found = {row["metric_name"]: row["value"] for row in total if row["month"] == dt.date(2026, 5, 1)}
    assert (found["gross_revenue_retention"], found["retention_rate"], found["churned_revenue"]) == (1, 1, 0)


def test_without_rows_every_metric_is_unknown():
    none = table_of([], table_of_graph("customer_months").schema())
    found = result(queries()[1], customer_months=none, calendar=calendar("2026-01-01", AS_OF))
    assert len(found) > 0
    assert {row["value"] for row in found} == {None}
