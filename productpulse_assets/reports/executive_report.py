"""The charts as one HTML file that contains plotly and needs no other file."""

from functools import cache
from pathlib import Path

import ibis.expr.types as ir
import jinja2
from ibis import _
from markupsafe import Markup
from plotly.offline import get_plotlyjs

from productpulse_assets.charts import mrr, outlook, risk
from productpulse_assets.reports import sections
from productpulse_assets.reports.inputs import as_of_date, metrics_by_name
from productpulse_assets.reports.markdown import PAGES
from productpulse_assets.tables import report
from resources.tables import rows_of
from rules.rule_set import Rules
from rules.text.formats import change_text, period_text, value_text

FILE = "executive_report.html"
HEADLINES = (
    "monthly_recurring_revenue", "net_new_revenue", "customer_churn_rate", "net_revenue_retention",
    "revenue_at_risk", "revenue_leakage",
)  # fmt: skip


@report(owner="team:finance", file=FILE, kind="html")
def executive_report(
    kpi_summary: ir.Table,
    kpi_history: ir.Table,
    cohort_summary: ir.Table,
    funnel_summary: ir.Table,
    churn_risk_profiles: ir.Table,
    leakage_summary: ir.Table,
    owner_workload: ir.Table,
    source_inventory: ir.Table,
    calendar: ir.Table,
    annotations: ir.Table,
    revenue_forecast: ir.Table,
    forecast_backtest: ir.Table,
    rules: Rules,
) -> str:
    """The charts of the executive summary, each with its numbers, in one HTML file that loads nothing from the
    network: MRR movement, cohorts, funnel, churn risk, leakage and the owners' workload."""
    rows = metrics_by_name(kpi_summary)
    currency = rules.currency
    all_segments = cohort_summary.filter(_.is_total).order_by("cohort_month", "months_since_cohort")
    charts = [
        sections.movement(rows, currency),
        sections.over_time(rows_of(mrr.monthly(kpi_history)), rows_of(annotations), currency),
        sections.look_ahead(
            rows_of(mrr.monthly(kpi_history.filter(_.is_complete))),
            rows_of(revenue_forecast.filter(_.measure == outlook.MRR).order_by("month")),
            rows_of(forecast_backtest.filter(_.measure == outlook.MRR).order_by("months_ahead")),
            currency,
        ),
        sections.cohorts(rows_of(all_segments)),
        sections.funnel(rows_of(funnel_summary.order_by("step_number")), rows),
        sections.churn_risk(rows_of(risk.by_segment(churn_risk_profiles)), rows, rules),
        sections.leakage(rows_of(leakage_summary.order_by("leakage_type")), currency),
        sections.workload(rows_of(owner_workload.order_by("owner", "week")), currency),
    ]
    return _template().render(
        as_of=as_of_date(calendar),
        currency=currency,
        headlines=[rows[name] for name in HEADLINES if name in rows],
        absent=rows_of(source_inventory.filter(~_.is_available).order_by("dataset")),
        sections=charts,
        pages={file: title for file, title in PAGES.items() if file != FILE},
        plotly=Markup(get_plotlyjs()),  # plotly's own code  # nosec B704
    )


@cache
def _template() -> jinja2.Template:
    environment = jinja2.Environment(
        loader=jinja2.FileSystemLoader(Path(__file__).parent),
        undefined=jinja2.StrictUndefined,
        autoescape=True,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters |= {"value_text": value_text, "change_text": change_text, "period_text": period_text}
    return environment.get_template(f"{FILE}.jinja")
