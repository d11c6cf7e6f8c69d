"""Who does what for which customer in which week, on paper."""

import dagster as dg
import ibis.expr.types as ir
from ibis import _

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
    names = customers.select("customer_id", "company_name")
    plan = intervention_plan.left_join(names, "customer_id").drop("customer_id_right").order_by("priority_rank")
    total = rows_of(plan.aggregate(count=plan.count(), revenue=plan.estimated_revenue_impact.sum()))[0]
    owners = {owner: _of(plan, owner) for owner in dict.fromkeys(row["owner"] for row in rows_of(owner_workload))}
    return render(
        "intervention_plan",
        currency=load("sources", Sources).reporting_currency,
        as_of=rows_of(calendar)[0]["as_of_date"],
        total=total,
        owners={owner: found for owner, found in owners.items() if found["count"]},
        workload=rows_of(owner_workload),
    )


def _of(plan: ir.Table, owner: str) -> dict[str, object]:
    """An owner's first interventions, and how many there are in all."""
    mine = plan.filter(_.suggested_owner == owner)
    return {
        "count": int(mine.count().execute()),
        "rows": rows_of(mine.order_by("priority_rank").limit(SHOWN_PER_OWNER)),
    }
