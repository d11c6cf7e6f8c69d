"""What every metric means, as the catalog says and computes it."""

import ibis.expr.types as ir

from productpulse_assets.reports.markdown import render
from productpulse_assets.tables import report
from resources.tables import rows_of
from rules.rule_set import Rules


@report(owner="team:finance")
def metric_definitions(metric_lineage: ir.Table, kpi_summary: ir.Table, calendar: ir.Table, rules: Rules) -> str:
    """The glossary: for each metric its definition, formula, value, owner, how to read it and its sources."""
    present = {row["metric_name"]: row for row in rows_of(kpi_summary)}
    metrics = rows_of(metric_lineage)
    categories = sorted({row["category"] for row in metrics})
    return render(
        "metric_definitions",
        rules.currency,
        as_of=rows_of(calendar)[0]["as_of_date"],
        categories={
            name: sorted((row for row in metrics if row["category"] == name), key=lambda row: row["display_name"])
            for name in categories
        },
        present=present,
    )
