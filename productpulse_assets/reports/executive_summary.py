"""The executive summary: the first report to read."""

from collections.abc import Mapping, Sequence

import ibis.expr.types as ir
from ibis import _

from productpulse_assets.charts.look import Row
from productpulse_assets.charts.mrr import BRIDGE, CAUSES, FX, bridge
from productpulse_assets.charts.outlook import MONTHS_AHEAD, expected_text, past_errors_text
from productpulse_assets.decisions.action_value import total_money
from productpulse_assets.joins import left_join_unique
from productpulse_assets.reports.bands import risk_bands
from productpulse_assets.reports.changes import summarize_changes
from productpulse_assets.reports.inputs import as_of_date, metrics_by_name
from productpulse_assets.reports.lead import build_lead
from productpulse_assets.reports.markdown import render
from productpulse_assets.tables import DAILY, report
from resources.tables import rows_of
from rules.rule_set import Rules

SECTIONS = {
    "Snapshot": (
        "monthly_recurring_revenue", "annual_recurring_revenue", "paying_customers", "average_revenue_per_user",
        "net_new_revenue", "revenue_growth_rate", "quick_ratio",
    ),
    "Retention and churn": (
        "customer_churn_rate", "retention_rate", "revenue_churn_rate", "gross_revenue_retention",
        "net_revenue_retention", "monthly_gross_revenue_retention", "monthly_net_revenue_retention",
    ),
    "Renewals and reasons for churn": (
        "mrr_up_for_renewal", "gross_renewal_rate", "logo_renewal_rate", "scheduled_churn_mrr", "committed_mrr",
        "voluntary_churned_customers", "voluntary_churned_revenue", "involuntary_churned_customers",
        "involuntary_churned_revenue",
    ),
    "Engagement": (
        "activation_rate", "time_to_activation", "usage_frequency", "key_action_rate", "engagement_drop_rate",
        "feature_adoption_proxy",
    ),
    "Customer voice and support": ("net_promoter_score", "average_nps", "nps_responses", "support_burden"),
    "Risk and leakage": (
        "revenue_at_risk", "at_risk_customers", "revenue_leakage", "revenue_leakage_ratio", "failed_payment_rate",
        "failed_payment_leakage",
    ),
    "Unit economics": (
        "blended_acquisition_cost", "customer_lifetime_value", "ltv_to_cac", "cac_payback_months",
        "average_monthly_churn_rate",
    ),
}  # fmt: skip
ACTIONS_SHOWN = 3
RENEWALS_SHOWN, RENEWAL_DAYS = 5, 60
REASONS_SHOWN = 6
MOVERS_SHOWN = 2
"""The largest number of members with a gain, and of members with a loss, shown per dimension."""


@report(owner="team:finance", freshness=DAILY)
def executive_summary(
    kpi_summary: ir.Table,
    health_scores: ir.Table,
    revenue_drivers: ir.Table,
    churn_risk_profiles: ir.Table,
    leakage_summary: ir.Table,
    renewals: ir.Table,
    churn_reasons: ir.Table,
    revenue_forecast: ir.Table,
    forecast_backtest: ir.Table,
    intervention_plan: ir.Table,
    decision_changes: ir.Table,
    scenario_analysis: ir.Table,
    calendar: ir.Table,
    source_inventory: ir.Table,
    customers: ir.Table,
    rules: Rules,
) -> str:
    """The state of the business in a paragraph, the first actions with their reasons, and the changes of the plan
    since the as-of date before; then health, targets, the MRR bridge and its drivers, churn risk, renewals, leakage,
    scenarios, every metric with its change, and what is not available with the reason."""
    rows = metrics_by_name(kpi_summary)
    soon = renewals.filter(_.is_due == 0, _.days_to_renewal <= RENEWAL_DAYS)
    health, drivers = rows_of(health_scores), rows_of(revenue_drivers)
    return render(
        "executive_summary",
        rules.currency,
        as_of=as_of_date(calendar),
        lead=build_lead(rows, health),
        sections=_sections(rows),
        health=health,
        targets=[row for row in rows.values() if row["target_value"] is not None],
        bridge=bridge(rows),
        movers=_movers(drivers),
        uniform=_uniform_dimensions(drivers),
        actions=_first_actions(intervention_plan, customers),
        plan=rows_of(intervention_plan.aggregate(count=_.count(), **total_money(_)))[0],
        changes=summarize_changes(decision_changes, customers),
        bands=risk_bands(churn_risk_profiles, rules.churn_rules),
        kinds=rows_of(leakage_summary.order_by(_.estimated_revenue_loss.desc(nulls_first=False), _.leakage_type)),
        renewals=_largest(soon, customers),
        renewal_count=rows_of(soon.aggregate(count=_.count()))[0]["count"],
        reasons=rows_of(churn_reasons.order_by("reason_rank").limit(REASONS_SHOWN)),
        scenarios=rows_of(scenario_analysis),
        outlook=_outlook(revenue_forecast, forecast_backtest, rules.currency),
        missing=[row for row in rows.values() if row["value"] is None],
        datasets=rows_of(source_inventory),
    )


def _outlook(revenue_forecast: ir.Table, forecast_backtest: ir.Table, currency: str) -> list[str]:
    """What MRR and customers are expected to be in MONTHS_AHEAD months, and how far off earlier forecasts were."""
    forecast, backtest = (
        {row["measure"]: row for row in rows_of(table.filter(_.months_ahead == MONTHS_AHEAD))}
        for table in (revenue_forecast, forecast_backtest)
    )
    return [
        " ".join([expected_text(row, currency), *([past_errors_text(backtest[measure])] if row["value"] else [])])
        for measure, row in sorted(forecast.items(), reverse=True)
    ]


def _sections(rows: Mapping[str, Row]) -> dict[str, list[Row]]:
    """The metrics by section; the last section has the metrics that no other section lists."""
    causes = {name for names in CAUSES.values() for name in names}
    listed = {name for names in SECTIONS.values() for name in names} | set(BRIDGE) | causes | {FX}
    sections = {title: [rows[name] for name in names if name in rows] for title, names in SECTIONS.items()}
    rest = [row for name, row in rows.items() if name not in listed]
    return {title: metrics for title, metrics in (sections | {"Further metrics": rest}).items() if metrics}


def _movers(drivers: Sequence[Row]) -> dict[str, list[Row]]:
    """By dimension, the members with the largest gains and losses."""
    moved = {
        dimension: [row for row in members if row["change"]]
        for dimension, members in _members(drivers).items()
        if len(members) > 1
    }
    return {
        dimension: rows if len(rows) <= 2 * MOVERS_SHOWN else rows[:MOVERS_SHOWN] + rows[-MOVERS_SHOWN:]
        for dimension, rows in moved.items()
        if rows
    }


def _members(drivers: Sequence[Row]) -> dict[str, list[Row]]:
    """The rows of each dimension, the largest gain first."""
    members: dict[str, list[Row]] = {}
    for row in sorted(drivers, key=lambda row: (row["dimension"], -row["change"], row["member"])):
        members.setdefault(row["dimension"], []).append(row)
    return members


def _uniform_dimensions(drivers: Sequence[Row]) -> list[str]:
    """The dimensions that have only one member, so that they explain no change."""
    return [dimension for dimension, members in _members(drivers).items() if len(members) == 1]


def _largest(soon: ir.Table, customers: ir.Table) -> list[Row]:
    """The renewals with the most MRR, with the names of their customers."""
    order = [_.mrr.desc(), _.term_end, _.subscription_id]
    first = soon.order_by(order).limit(RENEWALS_SHOWN)
    named = left_join_unique(first, customers.select("customer_id", "company_name"))
    return list(rows_of(named.order_by(order)))


def _first_actions(plan: ir.Table, customers: ir.Table) -> list[Row]:
    """The most urgent interventions, with the names of their customers."""
    first = plan.order_by("priority_rank").limit(ACTIONS_SHOWN)
    names = customers.select("customer_id", "company_name")
    return list(rows_of(left_join_unique(first, names).order_by("priority_rank")))
