"""Which customers moved MRR in a month: new, back, larger, smaller or gone."""

import ibis
import ibis.expr.types as ir
from ibis import _

from productpulse_assets.joins import left_join_unique
from productpulse_assets.tables import table
from rules.rule_set import Rules
from rules.units import first_of_month

MOVEMENTS = {
    "New": "mrr_new", "Reactivated": "mrr_reactivation", "Expanded": "mrr_expansion", "Contracted": "mrr_contraction",
    "Churned": "mrr_churned",
}  # fmt: skip
"""The movements, and the fact of each."""

REASON = "cancel_reason"


@table(group="facts", owner="team:customer-success", key=("month", "customer_id"))
def customer_movements(customer_months: ir.Table, subscriptions: ir.Table, rules: Rules) -> ir.Table:
    """One row per customer and month in which its MRR changed: New, Reactivated, Expanded, Contracted or Churned.

    The changes of a month add up to its net new MRR. plan is that at the end of the month, for a churned customer the
    last one. cancel_reason is that of the subscription that ended in the month, NULL for other movements and where
    the data has none.
    """
    moved = customer_months.mutate(change=(_.mrr_end - _.mrr_start)).filter(_.change != 0)
    movement = ibis.cases(*((moved[fact] > 0, name) for name, fact in MOVEMENTS.items()))
    table = moved.mutate(movement=movement).pipe(with_reason, subscriptions)
    return table.select(
        "month", "customer_id", "movement", *rules.dimensions, "is_complete", "mrr_start", "mrr_end", "change", REASON
    )


def with_reason(table: ir.Table, subscriptions: ir.Table) -> ir.Table:
    """Add cancel_reason of churned customers."""
    if REASON not in subscriptions.columns:
        return table.mutate(cancel_reason=ibis.null("string"))
    ended = subscriptions.filter(_.end_date.notnull(), _[REASON].notnull())
    latest = ibis.struct({"end": ended.end_date, "id": ended.subscription_id})
    reasons = ended.group_by("customer_id", month=first_of_month(ended.end_date)).aggregate(
        given_reason=ended[REASON].argmax(latest)
    )
    joined = left_join_unique(table, reasons, ["customer_id", "month"])
    return joined.mutate(
        cancel_reason=ibis.ifelse(joined.movement == "Churned", joined.given_reason, ibis.null("string"))
    )
