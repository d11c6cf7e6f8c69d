"""No dollar twice: a billing period of a subscription appears under one kind of leakage."""

import ibis
import ibis.expr.types as ir
from ibis import _

from rules.leakage_rules import LABELS

FAILED, UNPAID = LABELS["failed_payment"], LABELS["unpaid_active_subscription"]


def once(cases: ir.Table) -> ir.Table:
    """The cases without those that another covers; `place` orders the kinds.

    An unpaid subscription covers all its failed payments and whatever else begins with it or
    later. Of the rest, the largest loss of each subscription and period_start stays.
    """
    is_unpaid = cases.leakage_type == UNPAID
    unpaid_start = ibis.ifelse(is_unpaid, cases.period_start, ibis.null("date"))
    marked = cases.mutate(unpaid_from=unpaid_start.min().over(group_by=cases.subscription_id))
    is_covered = (marked.leakage_type == FAILED) | (marked.period_start >= marked.unpaid_from)
    rest = marked.filter((marked.leakage_type == UNPAID) | marked.unpaid_from.isnull() | ~is_covered)
    largest = ibis.window(
        group_by=[rest.subscription_id, rest.period_start],
        order_by=[rest.estimated_revenue_loss.desc(), rest.place],
    )
    return rest.mutate(nth=ibis.row_number().over(largest)).filter(_.nth == 0).drop("unpaid_from", "nth")
