"""The definition of every metric in the catalog, with its formula and current value."""

import ibis.expr.types as ir
from ibis import _

from productpulse_assets.reports.inputs import as_of_date, metrics_by_name
from productpulse_assets.reports.markdown import render
from productpulse_assets.tables import report
from resources.tables import rows_of
from rules.mrr_policy import CHOICES, setting_words
from rules.rule_set import Rules


@report(owner="team:finance")
def metric_definitions(
    metric_lineage: ir.Table, kpi_summary: ir.Table, mrr_policy_choices: ir.Table, calendar: ir.Table, rules: Rules
) -> str:
    """What counts as MRR, and what other choices would make of it; for each metric its definition, formula, current
    value, owner, interpretation and source columns."""
    metrics = rows_of(metric_lineage)
    categories = sorted({row["category"] for row in metrics})
    return render(
        "metric_definitions",
        rules.currency,
        as_of=as_of_date(calendar),
        categories={
            name: sorted((row for row in metrics if row["category"] == name), key=lambda row: row["display_name"])
            for name in categories
        },
        present=metrics_by_name(kpi_summary),
        policy=[setting_words(name, getattr(rules.mrr_policy, name)) for name in CHOICES],
        choices=rows_of(mrr_policy_choices.filter(~_.is_policy).order_by("setting", "choice")),
    )
