"""Areas of the business, each with one score from 0 to 100."""

from collections.abc import Mapping
from pathlib import Path
from typing import TypedDict, cast

import ibis
import ibis.expr.types as ir

from productpulse_assets.metrics.summary import SummaryRow
from productpulse_assets.tables import table
from resources.tables import rows_of
from rules.loading.problems import Problem, refuse
from rules.metrics.models import MetricCatalog
from rules.models import HealthArea, HealthScores
from rules.rule_set import Rules
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


class HealthRow(TypedDict):
    """A row of health_scores."""

    area: str
    score: float | None
    status: str
    metric_name: str | None
    value: float | None
    explanation: str | None


@table(group="metrics", owner="team:finance", key=("area",), schema=SCHEMA)
def health_scores(kpi_summary: ir.Table, rules: Rules) -> list[HealthRow]:
    """One row per area of rules/health_scores.yaml: its score from 0 to 100, and the metric that it is computed from.

    An area whose metric is not available has no score; its explanation is the reason.
    """
    summary = {row["metric_name"]: row for row in cast(list[SummaryRow], rows_of(kpi_summary))}
    return [area_row(name, area, summary, rules) for name, area in rules.health_scores.areas.items()]


def area_row(name: str, area: HealthArea, summary: Mapping[str, SummaryRow], rules: Rules) -> HealthRow:
    """The row of one area; `summary` is kpi_summary by metric."""
    row = summary.get(area.metric) if area.metric else None
    if row is None:
        return _row(name, area, None, None, "Not available", "This area has no metric.")
    value = row["value"]
    if value is None:
        return _row(name, area, None, None, "Not available", row["not_available_reason"])
    score = score_of(value, area)
    value_words, healthy, risk = (
        value_text(number, row["unit"], rules.currency) for number in (value, area.healthy, area.risk)
    )
    status = next(status for status, floor in rules.health_scores.statuses.items() if score >= floor)
    text = f"{row['label']} is {value_words}; {healthy} scores 100 and {risk} scores 0."
    return _row(name, area, score, value, status, text)


def _row(
    name: str, area: HealthArea, score: float | None, value: float | None, status: str, explanation: str | None
) -> HealthRow:
    return {
        "area": name,
        "score": score,
        "status": status,
        "metric_name": area.metric,
        "value": value,
        "explanation": explanation,
    }


def score_of(value: float, area: HealthArea) -> float:
    """0 at the risk value, 100 at the healthy one, linear between them; either of the two may be the larger one."""
    share = (value - area.risk) / (area.healthy - area.risk)
    return round(100 * min(1.0, max(0.0, share)), 1)


def check_areas(scores: HealthScores, catalog: MetricCatalog, path: Path) -> None:
    """Raise RulesError for an area whose metric is not in the catalog."""
    accepted = ", ".join(catalog.metrics)
    unknown = [
        (name, area.metric) for name, area in scores.areas.items() if area.metric not in (None, *catalog.metrics)
    ]
    refuse(
        path,
        (
            Problem("rules.unknown_metric", f"areas > {name} > metric", f"is '{metric}'", accepted)
            for name, metric in unknown
        ),
    )
