"""Which customers moved MRR in a month: new, back, larger, smaller or gone."""

import ibis
import ibis.expr.types as ir
from ibis import _

from productpulse_assets.tables import table
from rules.rule_set import Rules

MOVEMENTS = {
    "New": "mrr_new", "Reactivated": "mrr_reactivation", "Expanded": "mrr_expansion", "Contracted": "mrr_contraction",
    "Churned": "mrr_churned",
}  # fmt: skip
"""The movements, and the fact of each."""


@table(group="facts", owner="team:customer-success", key=("month", "customer_id"))
def customer_movements(customer_months: ir.Table, rules: Rules) -> ir.Table:
    """One row per customer and month in which its MRR changed: New, Reactivated, Expanded, Contracted or Churned.

    The changes of a month add up to its net new MRR. plan is that at the end of the month, for a churned customer the
    last one. churn_type and churn_reason are those of customer_months.
    """
    moved = customer_months.mutate(change=(_.mrr_end - _.mrr_start)).filter(_.change != 0)
    movement = ibis.cases(*((moved[fact] > 0, name) for name, fact in MOVEMENTS.items()))
    return moved.mutate(movement=movement).select(
        "month", "customer_id", "movement", *rules.dimensions, "is_complete", "mrr_start", "mrr_end", "change",
        "churn_type", "churn_reason",
    )  # fmt: skip
