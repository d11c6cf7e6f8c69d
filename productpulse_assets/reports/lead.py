"""The paragraph at the top of the executive summary: what it has to say."""

from collections.abc import Mapping

Row = Mapping[str, object]

HEADLINES = (
    "monthly_recurring_revenue", "net_new_revenue", "customer_churn_rate", "revenue_at_risk", "revenue_leakage",
)  # fmt: skip
"""The metrics that the paragraph names; of those that it cannot, it says why."""

TROUBLE = 50
"""Below this score an area is nearer to its risk value than to its healthy one."""


def lead_of(rows: Mapping[str, Row], health: list[dict]) -> dict[str, object]:
    """What the lead tells, of kpi_summary by metric and health_scores.

    known: the metrics that have a value, by name; missing: the headlines that have none; trouble: the
    areas below TROUBLE, the worst first; scored of areas: how many have a score.
    """
    scored = [row for row in health if row["score"] is not None]
    return {
        "known": {name: row for name, row in rows.items() if row["value"] is not None},
        "missing": [rows[name] for name in HEADLINES if name in rows and rows[name]["value"] is None],
        "trouble": sorted((row for row in scored if row["score"] < TROUBLE), key=lambda row: row["score"]),
        "scored": len(scored),
        "areas": len(health),
    }
