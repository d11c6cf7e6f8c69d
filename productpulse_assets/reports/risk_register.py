"""The customers at risk, and the cases of revenue leakage."""

from decimal import Decimal
from typing import TypedDict

import ibis
import ibis.expr.types as ir
from ibis import _

from productpulse_assets.charts.risk import driver_counts
from productpulse_assets.joins import left_join_unique
from productpulse_assets.reports.bands import most_at_risk, risk_bands
from productpulse_assets.reports.inputs import as_of_date
from productpulse_assets.reports.intervention_plan import most_urgent
from productpulse_assets.reports.markdown import render
from productpulse_assets.tables import report
from resources.tables import rows_of
from rules.leakage_rules import LABELS
from rules.rule_set import Rules

AGES = {
    "open_0_30": "0 to 30", "open_31_60": "31 to 60", "open_61_90": "61 to 90", "open_over_90": "more than 90",
}  # fmt: skip
CASES_SHOWN = 10
"""The largest number of leakage cases listed per kind."""


@report(owner="team:customer-success")
def risk_register(
    churn_risk_profiles: ir.Table,
    churn_evidence: ir.Table,
    revenue_leakage: ir.Table,
    leakage_summary: ir.Table,
    receivables: ir.Table,
    intervention_plan: ir.Table,
    customers: ir.Table,
    calendar: ir.Table,
    rules: Rules,
) -> str:
    """Customers at risk by band with the reasons and the planned interventions, the drivers of churn risk, and
    leakage by kind and case."""
    names = customers.select("customer_id", "company_name")
    listed = left_join_unique(
        left_join_unique(most_at_risk(churn_risk_profiles), names), _planned(intervention_plan)
    ).order_by("place")
    return render(
        "risk_register",
        rules.currency,
        as_of=as_of_date(calendar),
        bands=risk_bands(churn_risk_profiles, rules.churn_rules),
        customers=rows_of(listed),
        drivers=rows_of(driver_counts(churn_evidence, churn_risk_profiles)),
        kinds=rows_of(leakage_summary.order_by(_.estimated_revenue_loss.desc(nulls_first=False), _.leakage_type)),
        aging=aging(receivables),
        rules={label: rules.leakage_rules.detectors.of(name) for name, label in LABELS.items()},
        cases=rows_of(left_join_unique(_largest(revenue_leakage), names).order_by("place")),
    )


class Age(TypedDict):
    """What is open of bills of one age."""

    label: str
    amount: Decimal


def aging(receivables: ir.Table) -> list[Age]:
    """The open amounts of all customers by days past due; none where nothing is known."""
    (sums,) = rows_of(receivables.aggregate(**{name: receivables[name].sum() for name in AGES}))
    return [Age(label=label, amount=sums[name]) for name, label in AGES.items() if sums[name] is not None]


def _planned(plan: ir.Table) -> ir.Table:
    """Each customer's most urgent intervention, and whether the report of the plan lists it."""
    first = plan.group_by("customer_id").aggregate(priority_rank=_.priority_rank.min())
    return left_join_unique(first, most_urgent(plan).select("priority_rank", is_shown=True), "priority_rank")


def _largest(cases: ir.Table) -> ir.Table:
    """The cases with the largest loss, up to CASES_SHOWN per kind."""
    order = [_.estimated_revenue_loss.desc(), _.leakage_id]
    ranked = cases.mutate(place=ibis.row_number().over(group_by="leakage_type", order_by=order))
    return ranked.filter(_.place < CASES_SHOWN)
