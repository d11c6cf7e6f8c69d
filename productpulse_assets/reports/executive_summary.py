"""The page an executive reads first."""

import dagster as dg
import ibis.expr.types as ir

from productpulse_assets.reports.markdown import render
from resources.tables import rows_of
from rules.catalog import load_catalog
from rules.files import load
from rules.models import Sources

BRIDGE = (
    ("opening_revenue", ""),
    ("new_revenue", "+"),
    ("reactivation_revenue", "+"),
    ("expansion_revenue", "+"),
    ("contraction_revenue", "-"),
    ("churned_revenue", "-"),
)


@dg.asset(
    group_name="reports",
    owners=["team:finance"],
    kinds={"markdown"},
    io_manager_key="reports",
)
def executive_summary(kpi_summary: ir.Table, calendar: ir.Table, source_inventory: ir.Table) -> str:
    """Where the business stands: every metric with its change, how revenue moved, what is not available."""
    rows = rows_of(kpi_summary)
    by_name = {row["metric_name"]: row for row in rows}
    stock = rows_of(source_inventory)
    categories = dict.fromkeys(metric.category for metric in load_catalog().metrics.values())
    return render(
        "executive_summary",
        currency=load("sources", Sources).reporting_currency,
        as_of=rows_of(calendar)[0]["as_of_date"],
        categories={
            name: [by_name[metric] for metric in load_catalog().metrics if by_name[metric]["category"] == name]
            for name in categories
        },
        bridge=_bridge(by_name),
        missing=[row for row in rows if row["value"] is None],
        datasets=stock,
    )


def _bridge(by_name: dict[str, dict[str, object]]) -> dict[str, object] | None:
    """Opening MRR, the month's movements and the closing MRR they add up to; None without a month."""
    lines = [(by_name[name], sign) for name, sign in BRIDGE if name in by_name]
    if len(lines) < len(BRIDGE) or any(row["value"] is None for row, _sign in lines):
        return None
    closing = sum(row["amount"] * (-1 if sign == "-" else 1) for row, sign in lines)
    return {"lines": lines, "closing": closing, "month": lines[0][0]["period_start"]}
