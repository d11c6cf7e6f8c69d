"""The paragraph on what came to the plan and what left it: what it has to say."""

import ibis.expr.types as ir
from ibis import _

from productpulse_assets.decisions.changes import GONE, NEW, OPEN
from productpulse_assets.joins import left_join_unique
from resources.tables import rows_of

NAMED = 3
"""Interventions named of those that came, and of those that went."""


def changes_of(decision_changes: ir.Table, customers: ir.Table) -> dict[str, object]:
    """What the paragraph tells of decision_changes.

    since: the date compared with, None if there is none; count and money by change, the money of what is
    gone as it was then; came, went: the largest of them.
    """
    money = {NEW: _.estimated_revenue_impact, OPEN: _.estimated_revenue_impact, GONE: _.previous_revenue_impact}
    totals = decision_changes.aggregate(
        since=_.previous_as_of_date.max(),
        **{f"{change} count": (_.change == change).sum() for change in money},
        **{f"{change} money": impact.sum(where=_.change == change) for change, impact in money.items()},
    )
    found = rows_of(totals)[0]
    return {
        "since": found["since"],
        "count": {change: found[f"{change} count"] or 0 for change in money},
        "money": {change: found[f"{change} money"] or 0 for change in money},
        "came": _largest(decision_changes, customers, NEW, "estimated_revenue_impact"),
        "went": _largest(decision_changes, customers, GONE, "previous_revenue_impact"),
    }


def _largest(changes: ir.Table, customers: ir.Table, change: str, impact: str) -> list[dict]:
    order = [_.impact.desc(), _.intervention_id]
    first = changes.filter(_.change == change).mutate(impact=changes[impact]).order_by(order).limit(NAMED)
    return rows_of(left_join_unique(first, customers.select("customer_id", "company_name")).order_by(order))
