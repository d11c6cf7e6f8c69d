"""Metrics that are computed and metrics that are documented are the same, or the check says which are not."""

import datetime as dt

import dagster as dg
import ibis
import pytest

from asset_checks.governance import TEXT_FIELDS, governance_check, governance_problems
from resources.tables import table_of
from rules.metrics.models import MetricCatalog

pytestmark = pytest.mark.slow

FIELDS = {
    "category": "Revenue", "unit": "money", "owner": "team:finance", "definition": "d", "purpose": "p",
    "interpretation": "i", "risk_if_misread": "r", "good_direction": "up",
}  # fmt: skip
METRICS = {
    name: {**FIELDS, "label": name, "model": "customer_months", "period": "as_of", "formula": {"sum": "mrr_end"}}
    for name in ("mrr", "arr")
}
CATALOG = MetricCatalog.model_validate({"activation_threshold": 5, "metrics": METRICS})
TABLES = {
    "metric_lineage": dict.fromkeys(("metric_name", *TEXT_FIELDS, "lineage_status"), "string"),
    "kpi_summary": {"metric_name": "string", "value": "float64"},
    "kpi_history": {"metric_name": "string", "month": "date", "value": "float64"},
    "kpi_by_segment": {"metric_name": "string", "dimension": "string", "member": "string", "month": "date"},
}


def sound():
    """The rows of the tables as they should be; arr is not sliced."""
    lineage = [
        {"metric_name": name, **dict.fromkeys(TEXT_FIELDS, "said"), "lineage_status": "Complete"} for name in METRICS
    ]
    months = [dt.date(2026, 1, 1), dt.date(2026, 2, 1)]
    return {
        "metric_lineage": lineage,
        "kpi_summary": [{"metric_name": name, "value": 1.0} for name in METRICS],
        "kpi_history": [{"metric_name": name, "month": month, "value": 1.0} for name in METRICS for month in months],
        "kpi_by_segment": [
            {"metric_name": "mrr", "dimension": "segment", "member": member, "month": month}
            for member in ("SMB", "Enterprise")
            for month in months
        ],
    }


def tables(rows):
    return {name: table_of(rows[name], ibis.schema(schema)) for name, schema in TABLES.items()}


def problems(rows):
    return governance_problems(CATALOG, tables(rows))


def test_sound_tables_have_no_problems():
    assert problems(sound()) == []


@pytest.mark.parametrize("table", [name for name in TABLES if name != "kpi_by_segment"])
def test_a_metric_of_the_catalog_that_is_not_computed(table):
    rows = sound()
    rows[table] = [row for row in rows[table] if row["metric_name"] != "arr"]
    assert problems(rows) == [f"{table}: the catalog's metric arr has no row."]


@pytest.mark.parametrize("table", TABLES)
def test_a_computed_row_that_is_not_in_the_catalog(table):
    rows = sound()
    rows[table].append(rows[table][0] | {"metric_name": "profit"})
    (problem,) = problems(rows)
    assert problem.startswith(f"{table}: ") and "must be one of mrr, arr" in problem


@pytest.mark.parametrize("field", TEXT_FIELDS)
@pytest.mark.parametrize("value", ["", "  ", None])
def test_a_governance_field_that_says_nothing(field, value):
    rows = sound()
    rows["metric_lineage"][1][field] = value
    (problem,) = problems(rows)
    assert problem.startswith("metric_lineage: ") and field in problem


def test_a_metric_that_cannot_be_traced():
    rows = sound()
    rows["metric_lineage"][0]["lineage_status"] = "Unresolved"
    (problem,) = problems(rows)
    assert problem.startswith("metric_lineage: ") and "must be one of Complete" in problem


@pytest.mark.parametrize(("table", "key"), [("kpi_summary", "metric_name"), ("kpi_history", "metric_name + month")])
def test_a_metric_that_is_computed_twice(table, key):
    rows = sound()
    rows[table].append(rows[table][-1])
    (problem,) = problems(rows)
    assert problem.startswith(f"{table}: ") and f"{key} must be unique" in problem


def test_every_problem_is_said_at_once():
    rows = sound()
    rows["kpi_summary"] = rows["kpi_summary"][:1]
    rows["kpi_history"].append(rows["kpi_history"][0] | {"metric_name": "profit"})
    assert len(problems(rows)) == 2


def verdict(rows):
    check = governance_check(CATALOG)
    (result,) = check.results(tables(rows).__getitem__, check.keys)
    return result


def test_the_check_blocks_and_says_what_is_wrong():
    (spec,) = governance_check(CATALOG).specs
    assert spec.blocking and spec.asset_key == dg.AssetKey("kpi_summary")
    passed = verdict(sound())
    assert passed.passed and passed.description == "2 metrics are governed and computed."
    rows = sound()
    rows["kpi_summary"] = rows["kpi_summary"][:1]
    failed = verdict(rows)
    assert not failed.passed and failed.severity == dg.AssetCheckSeverity.ERROR
    assert failed.description == "kpi_summary: the catalog's metric arr has no row."
