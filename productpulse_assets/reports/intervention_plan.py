"""The intervention plan by owner: what to do for which customer in which week."""

from itertools import groupby
from operator import itemgetter

import ibis
import ibis.expr.types as ir
from ibis import _

from productpulse_assets.decisions.action_value import total_money
from productpulse_assets.joins import left_join_unique
from productpulse_assets.reports.bands import most_at_risk, risk_bands
from productpulse_assets.reports.inputs import as_of_date
from productpulse_assets.reports.markdown import render
from productpulse_assets.tables import report
from resources.tables import rows_of
from rules.rule_set import Rules

SHOWN_PER_OWNER = 15
"""The largest number of interventions listed per owner."""


@report(owner="team:customer-success", file="intervention_plan")
def intervention_plan_report(
    intervention_plan: ir.Table,
    owner_workload: ir.Table,
    churn_risk_profiles: ir.Table,
    leakage_summary: ir.Table,
    customers: ir.Table,
    calendar: ir.Table,
    rules: Rules,
) -> str:
    """The plan by owner, the most urgent interventions first, with each owner's workload and what could not be
    assessed."""
    total = intervention_plan.aggregate(count=_.count(), **total_money(_))
    with_names = left_join_unique(most_urgent(intervention_plan), customers.select("customer_id", "company_name"))
    shown = rows_of(
        left_join_unique(with_names, most_at_risk(churn_risk_profiles).select("customer_id", "place")).order_by(
            "suggested_owner", "priority_rank"
        )
    )
    owners = [(owner, list(rows)) for owner, rows in groupby(shown, key=itemgetter("suggested_owner"))]
    return render(
        "intervention_plan",
        rules.currency,
        as_of=as_of_date(calendar),
        total=rows_of(total)[0],
        owners=owners,
        places={owner: place for place, (owner, _rows) in enumerate(owners, start=1)},
        workload=rows_of(owner_workload),
        bands=risk_bands(churn_risk_profiles, rules.churn_rules),
        kinds=rows_of(leakage_summary),
    )


def most_urgent(plan: ir.Table) -> ir.Table:
    """The most urgent interventions of each owner, up to SHOWN_PER_OWNER; count is the owner's total."""
    ranked = plan.mutate(
        place_of_owner=ibis.row_number().over(group_by="suggested_owner", order_by="priority_rank"),
        count=_.count().over(group_by="suggested_owner"),
    )
    return ranked.filter(_.place_of_owner < SHOWN_PER_OWNER).drop("place_of_owner")
