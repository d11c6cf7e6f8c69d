"""What every metric means, as the catalog says and computes it."""

import dagster as dg
import ibis.expr.types as ir

from productpulse_assets.reports.markdown import render
from resources.tables import rows_of


@dg.asset(group_name="reports", owners=["team:finance"], kinds={"markdown"}, io_manager_key="reports")
def metric_definitions(metric_lineage: ir.Table, kpi_summary: ir.Table, calendar: ir.Table) -> str:
    """The glossary: for each metric its definition, formula, value, owner, how to read it and its sources."""
    present = {row["metric_name"]: row for row in rows_of(kpi_summary)}
    metrics = rows_of(metric_lineage)
    categories = sorted({row["category"] for row in metrics})
    return render(
        "metric_definitions",
        as_of=rows_of(calendar)[0]["as_of_date"],
        categories={
            name: sorted((row for row in metrics if row["category"] == name), key=lambda row: row["display_name"])
            for name in categories
        },
        present=present,
    )
