"""The page an executive reads first."""

import dagster as dg
import ibis.expr.types as ir
from ibis import _

from productpulse_assets.reports.bands import risk_bands
from productpulse_assets.reports.markdown import render
from resources.tables import rows_of
from rules.files import load
from rules.models import Sources

SECTIONS = {
    "Snapshot": (
        "monthly_recurring_revenue", "annual_recurring_revenue", "paying_customers", "average_revenue_per_user",
        "net_new_revenue", "revenue_growth_rate", "quick_ratio",
    ),
    "Retention and churn": (
        "customer_churn_rate", "retention_rate", "revenue_churn_rate", "gross_revenue_retention",
        "net_revenue_retention", "monthly_gross_revenue_retention", "monthly_net_revenue_retention",
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
BRIDGE = {
    "opening_revenue": "",
    "new_revenue": "+",
    "reactivation_revenue": "+",
    "expansion_revenue": "+",
    "contraction_revenue": "-",
    "churned_revenue": "-",
}
ACTIONS_SHOWN = 5
MOVERS_SHOWN = 2
"""Members shown per dimension on either side: those that gained and those that lost most."""


@dg.asset(group_name="reports", owners=["team:finance"], kinds={"markdown"}, io_manager_key="reports")
def executive_summary(
    kpi_summary: ir.Table,
    health_scores: ir.Table,
    revenue_drivers: ir.Table,
    churn_risk_profiles: ir.Table,
    leakage_summary: ir.Table,
    intervention_plan: ir.Table,
    scenario_analysis: ir.Table,
    calendar: ir.Table,
    source_inventory: ir.Table,
) -> str:
    """Where the business stands and what to do first: top actions, health, targets, how revenue
    moved and what moved it, risk, leakage, what could be gained, every metric with its change, and
    what is not available and why."""
    rows = {row["metric_name"]: row for row in rows_of(kpi_summary)}
    return render(
        "executive_summary",
        currency=load("sources", Sources).reporting_currency,
        as_of=rows_of(calendar)[0]["as_of_date"],
        sections=_sections(rows),
        health=rows_of(health_scores),
        targets=[row for row in rows.values() if row["target_value"] is not None],
        bridge=_bridge(rows),
        movers=_movers(rows_of(revenue_drivers)),
        actions=rows_of(intervention_plan.order_by("priority_rank").limit(ACTIONS_SHOWN)),
        bands=risk_bands(churn_risk_profiles),
        leakage=rows_of(leakage_summary.order_by(_.estimated_revenue_loss.desc(nulls_first=False), _.leakage_type)),
        scenarios=rows_of(scenario_analysis),
        missing=[row for row in rows.values() if row["value"] is None],
        datasets=rows_of(source_inventory),
    )


def _sections(rows: dict[str, dict]) -> dict[str, list[dict]]:
    """The metrics by section; those that no section names come last, so that none is left out."""
    placed = {name for names in SECTIONS.values() for name in names} | set(BRIDGE)
    sections = {title: [rows[name] for name in names if name in rows] for title, names in SECTIONS.items()}
    rest = [row for name, row in rows.items() if name not in placed]
    return {title: found for title, found in (sections | {"Further metrics": rest}).items() if found}


def _bridge(rows: dict[str, dict]) -> dict[str, object] | None:
    """Opening MRR, the month's movements and the closing MRR they add up to; None without a month."""
    lines = [(rows[name], sign) for name, sign in BRIDGE.items() if name in rows]
    if len(lines) < len(BRIDGE) or any(row["value"] is None for row, _sign in lines):
        return None
    closing = sum(row["amount"] * (-1 if sign == "-" else 1) for row, sign in lines)
    return {"lines": lines, "closing": closing, "month": lines[0][0]["period_start"]}


def _movers(drivers: list[dict]) -> dict[str, list[dict]]:
    """By dimension, the members that gained most and those that lost most."""
    by_dimension: dict[str, list[dict]] = {}
    for row in sorted(drivers, key=lambda row: (row["dimension"], -row["change"], row["member"])):
        if row["change"]:
            by_dimension.setdefault(row["dimension"], []).append(row)
    return {
        dimension: members if len(members) <= 2 * MOVERS_SHOWN else members[:MOVERS_SHOWN] + members[-MOVERS_SHOWN:]
        for dimension, members in by_dimension.items()
    }
