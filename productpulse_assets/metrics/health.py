"""Eight areas of the business, each as one score."""

import dagster as dg
import ibis
import ibis.expr.types as ir

from resources.tables import rows_of, table_of
from rules.loading.files import RulesError, load
from rules.metrics.models import MetricCatalog
from rules.models import HealthArea, HealthScores, Sources
from rules.text.formats import value_text

SCHEMA = ibis.schema(
    {
        "area": "string",
        "score": "float64",
        "status": "string",
        "metric_name": "string",
        "value": "float64",
        "explanation": "string",
    }
)


@dg.asset(
    group_name="metrics",
    owners=["team:finance"],
    kinds={"python"},
    io_manager_key="warehouse",
    metadata={"key": ["area"]},
)
def health_scores(kpi_summary: ir.Table) -> ir.Table:
    """One row per area of rules/health_scores.yaml: its score from 0 to 100 and what that rests on.

    An area whose metric is not available has no score and says why.
    """
    rules = load("health_scores", HealthScores)
    present = {row["metric_name"]: row for row in rows_of(kpi_summary)}
    return table_of([area_row(name, area, present, rules) for name, area in rules.areas.items()], SCHEMA)


def area_row(name: str, area: HealthArea, present: dict[str, dict], rules: HealthScores) -> dict[str, object]:
    """The row of one area; `present` is kpi_summary by metric."""
    row = present.get(area.metric) if area.metric else None
    value = row["value"] if row else None
    if value is None:
        reason = row["not_available_reason"] if row else "No metric stands for this area."
        return _row(name, area, None, None, "Not available", reason)
    score = score_of(value, area)
    currency = load("sources", Sources).reporting_currency
    value_words, healthy, risk = (
        value_text(number, row["unit"], currency) for number in (value, area.healthy, area.risk)
    )
    status = next(status for status, floor in rules.statuses.items() if score >= floor)
    text = f"{row['label']} is {value_words}; {healthy} scores 100 and {risk} scores 0."
    return _row(name, area, score, value, status, text)


def _row(name: str, area: HealthArea, score: float | None, value: float | None, status: str, text: str) -> dict:
    return {
        "area": name,
        "score": score,
        "status": status,
        "metric_name": area.metric,
        "value": value,
        "explanation": text,
    }


def score_of(value: float, area: HealthArea) -> float:
    """Linear from 0 at the risk value to 100 at the healthy one, whichever is larger."""
    share = (value - area.risk) / (area.healthy - area.risk)
    return round(100 * min(1.0, max(0.0, share)), 1)


def check_areas(rules: HealthScores, catalog: MetricCatalog) -> None:
    """Raise RulesError for an area whose metric is not in the catalog."""
    for name, area in rules.areas.items():
        if area.metric and area.metric not in catalog.metrics:
            accepted = ", ".join(catalog.metrics)
            raise RulesError(f"health_scores.yaml: areas > {name} > metric: is '{area.metric}'; accepted: {accepted}.")
