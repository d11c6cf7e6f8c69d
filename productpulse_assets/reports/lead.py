"""The first paragraph of the executive summary: its metrics, and the areas that need attention."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from productpulse_assets.charts.look import Row

HEADLINES = (
    "monthly_recurring_revenue", "net_new_revenue", "customer_churn_rate", "revenue_at_risk", "revenue_leakage",
)  # fmt: skip
"""The metrics of the paragraph; for a metric without a value it gives the reason."""

ATTENTION_BELOW = 50
"""An area with a lower score is closer to its risk value than to its healthy value."""


@dataclass(frozen=True)
class Lead:
    """The content of the paragraph.

    known: the metrics that have a value, by name; missing: the headlines that have none; weak_areas: the areas with a
    score below ATTENTION_BELOW, the lowest first; scored: the number of areas that have a score, out of areas.
    """

    known: Mapping[str, Row]
    missing: Sequence[Row]
    weak_areas: Sequence[Row]
    scored: int
    areas: int


def build_lead(metrics: Mapping[str, Row], health: Sequence[Row]) -> Lead:
    """The content of the paragraph, from kpi_summary by metric and health_scores."""
    scored = [row for row in health if row["score"] is not None]
    return Lead(
        known={name: row for name, row in metrics.items() if row["value"] is not None},
        missing=[metrics[name] for name in HEADLINES if name in metrics and metrics[name]["value"] is None],
        weak_areas=sorted(
            (row for row in scored if row["score"] < ATTENTION_BELOW), key=lambda row: float(row["score"])
        ),
        scored=len(scored),
        areas=len(health),
    )
