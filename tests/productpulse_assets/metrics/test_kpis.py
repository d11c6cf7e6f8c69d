"""The metric tables with the shipped catalog."""

import datetime as dt
import functools
from decimal import Decimal

import pytest

from productpulse_assets.metrics.kpis import LINEAGE_SCHEMA, kpi_history, kpi_summary, metric_lineage
from productpulse_assets.metrics.summary import SUMMARY_SCHEMA
from productpulse_assets.sources.inventory import SCHEMA as INVENTORY
from productpulse_assets.tables import declaration_of
from resources.tables import rows_of, table_of
from rules.metrics.models import Derived
from tests.builders import calendar, dataset, stored
from tests.graph import RULES, plan, unbound

METRICS = RULES.metric_catalog.metrics
JANUARY, FEBRUARY, MARCH = (dt.date(2026, month, 1) for month in (1, 2, 3))


def history(*customer_months, as_of="2026-03-10"):
    """kpi_history over these rows; a column that a row does not have is NULL."""
    given = {"customer_months": customer_months}
    schemas = {name: unbound(name).schema() for name in declaration_of(kpi_history).inputs if name != "calendar"}
    tables = {
        name: table_of([dict.fromkeys(schema) | row for row in given.get(name, ())], schema)
        for name, schema in schemas.items()
    }
    return stored(plan().tables["kpi_history"].sql, **tables, calendar=calendar("2026-01-01", as_of))


@functools.cache
def lineage():
    """metric_lineage by metric."""
    return {row["metric_name"]: row for row in metric_lineage(RULES, plan())}


def summary(history_table, *, as_of="2026-03-10", inventory=(), targets=()):
    return kpi_summary(
        kpi_history=history_table,
        calendar=calendar("2026-01-01", as_of),
        metric_lineage=table_of(list(lineage().values()), LINEAGE_SCHEMA),
        source_inventory=table_of([dict.fromkeys(INVENTORY) | row for row in inventory], INVENTORY),
        targets=dataset("targets", *targets),
        rules=RULES,
    )


ROWS = (
    {"customer_id": "C1", "month": JANUARY, "mrr_end": Decimal("100.10"), "paying_end": 1, "mrr_start": Decimal(0)},
    {"customer_id": "C1", "month": FEBRUARY, "mrr_end": Decimal("100.10"), "paying_end": 1, "mrr_start": Decimal("100.10"), "paying_start": 1, "is_churned": 0},
    {"customer_id": "C2", "month": FEBRUARY, "mrr_end": Decimal("0.20"), "paying_end": 1, "mrr_start": Decimal(0), "paying_start": 0, "is_churned": 0},
    {"customer_id": "C1", "month": MARCH, "mrr_end": Decimal("100.10"), "paying_end": 1, "mrr_start": Decimal("100.10")},
)  # fmt: skip


@functools.cache
def sample_history():
    """kpi_history over ROWS, computed once."""
    return history(*ROWS)


def test_kpi_history_has_every_metric_in_every_month():
    found = rows_of(sample_history())
    assert len(found) == 3 * len(METRICS)
    mrr = {row["month"]: row for row in found if row["metric_name"] == "monthly_recurring_revenue"}
    assert {month: (row["value"], row["is_complete"]) for month, row in mrr.items()} == {
        JANUARY: (100.10, True),
        FEBRUARY: (100.30, True),
        MARCH: (100.10, False),
    }
    churn = next(r for r in found if r["metric_name"] == "customer_churn_rate" and r["month"] == FEBRUARY)
    assert (churn["value"], churn["numerator"], churn["denominator"]) == (0.0, 0.0, 1.0)


def test_only_money_is_repeated_as_a_decimal():
    table = sample_history()
    assert str(table.amount.type()) == "decimal(18, 2)"
    found = {row["metric_name"]: row for row in rows_of(table) if row["month"] == FEBRUARY}
    assert found["monthly_recurring_revenue"]["amount"] == Decimal("100.30")
    assert found["average_revenue_per_user"]["amount"] == Decimal("50.15")
    assert found["paying_customers"]["amount"] is None and found["paying_customers"]["value"] == 2


def test_kpi_summary_has_one_row_per_metric_of_the_catalog():
    made = summary(sample_history(), targets=[{"metric_name": "mrr", "target_value": 100, "date": "2026-01-01"}])
    assert all(list(row) == list(SUMMARY_SCHEMA) for row in made)
    found = {row["metric_name"]: row for row in rows_of(table_of(made, SUMMARY_SCHEMA))}
    assert list(found) == list(METRICS)
    mrr = found["monthly_recurring_revenue"]
    assert (mrr["value"], mrr["amount"], mrr["previous_value"]) == (100.10, Decimal("100.10"), 100.30)
    assert (mrr["target_value"], mrr["target_status"]) == (100.0, "Met")
    assert mrr["period_end"] == dt.date(2026, 3, 10)


def test_the_headline_numbers_are_metadata_of_the_run():
    metadata = declaration_of(kpi_summary).metadata_of(summary(sample_history()))
    assert metadata["monthly_recurring_revenue"] == 100.10
    assert "failed_payment_rate" not in metadata  # not available: nothing to plot


def test_the_reason_names_what_the_sources_lack():
    inventory = [
        {"dataset": "transactions", "is_available": False, "columns_absent": ""},
        {"dataset": "product_usage", "is_available": True, "columns_absent": "active_users, features_used"},
        {"dataset": "customers", "is_available": True, "columns_absent": ""},
    ]
    made = summary(sample_history(), inventory=inventory)
    reasons = {row["metric_name"]: row["not_available_reason"] for row in made}
    assert reasons["failed_payment_rate"] == "Needs the dataset transactions, which is absent."
    assert reasons["feature_adoption_proxy"] == "Needs the column product_usage.features_used, which is absent."
    assert reasons["monthly_recurring_revenue"] is None


def test_lineage_is_traced_to_the_columns_of_the_datasets():
    found = lineage()
    mrr = found["monthly_recurring_revenue"]
    assert "subscriptions.monthly_price" in mrr["source_columns"].split(", ")
    assert "transactions" not in mrr["source_datasets"]
    failed = found["failed_payments"]["source_columns"].split(", ")
    assert "transactions.status" in failed and "subscriptions.monthly_price" not in failed
    assert found["annual_recurring_revenue"]["source_columns"] == mrr["source_columns"]


@pytest.mark.parametrize("name", METRICS)
def test_every_metric_is_traced_and_governed(name):
    metric = METRICS[name]
    row = lineage()[name]
    assert row["lineage_status"] == "Complete"
    assert (row["display_name"], row["owner"], row["purpose"]) == (metric.label, metric.owner, metric.purpose)
    assert row["formula"]


def test_a_derived_metric_has_the_columns_of_its_operands():
    found = {name: set(row["source_columns"].split(", ")) for name, row in lineage().items()}
    for name, metric in METRICS.items():
        if isinstance(metric.formula, Derived):
            operands = [operand for operand in metric.formula.operands if isinstance(operand, str)]
            assert set().union(*(found[operand] for operand in operands)) <= found[name], name
