"""Who does what for which customer in which week, on paper."""

from itertools import groupby
from operator import itemgetter

import dagster as dg
import ibis
import ibis.expr.types as ir
from ibis import _

from productpulse_assets.joining import beside
from productpulse_assets.reports.markdown import render
from resources.tables import rows_of
from rules.files import load
from rules.models import Sources

SHOWN_PER_OWNER = 15


@dg.asset(
    group_name="reports",
    owners=["team:customer-success"],
    kinds={"markdown"},
    io_manager_key="reports",
    metadata={"file": "intervention_plan"},
)
def intervention_plan_report(
    intervention_plan: ir.Table, owner_workload: ir.Table, customers: ir.Table, calendar: ir.Table
) -> str:
    """The plan by owner: this week's interventions and the next, most urgent first, and each owner's load."""
    plan = beside(intervention_plan, customers.select("customer_id", "company_name"))
    total = rows_of(plan.aggregate(count=plan.count(), revenue=plan.estimated_revenue_impact.sum()))[0]
    mine = ibis.window(group_by="suggested_owner")
    ranked = plan.mutate(
        place=ibis.row_number().over(group_by="suggested_owner", order_by="priority_rank"), count=_.count().over(mine)
    )
    shown = rows_of(ranked.filter(_.place < SHOWN_PER_OWNER).order_by("suggested_owner", "priority_rank"))
    owners = {owner: list(rows) for owner, rows in groupby(shown, key=itemgetter("suggested_owner"))}
    return render(
        "intervention_plan",
        currency=load("sources", Sources).reporting_currency,
        as_of=rows_of(calendar)[0]["as_of_date"],
        total=total,
        owners={owner: {"count": rows[0]["count"], "rows": rows} for owner, rows in owners.items()},
        workload=rows_of(owner_workload),
    )
