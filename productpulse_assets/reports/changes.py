"""What is new in the plan and what is gone, compared with the as-of date before."""

from dataclasses import dataclass
from datetime import date
from decimal import Decimal

import ibis.expr.types as ir
from ibis import _

from productpulse_assets.charts.look import Row
from productpulse_assets.decisions.changes import GONE, NEW, OPEN
from productpulse_assets.joins import left_join_unique
from resources.tables import rows_of

CHANGES_SHOWN = 3
"""The largest number of new interventions, and of gone ones, that a report lists."""


@dataclass(frozen=True)
class PlanChanges:
    """The changes of the plan since an earlier as-of date.

    since: that date, None if there is none; count and money: by change, the money of a gone intervention as it was
    then; new, gone: the interventions with the largest impact.
    """

    since: date | None
    count: dict[str, int]
    money: dict[str, Decimal]
    new: list[Row]
    gone: list[Row]


def summarize_changes(decision_changes: ir.Table, customers: ir.Table) -> PlanChanges:
    """The totals of decision_changes, and its largest interventions with the names of their customers."""
    money = {NEW: _.estimated_revenue_impact, OPEN: _.estimated_revenue_impact, GONE: _.previous_revenue_impact}
    totals = decision_changes.aggregate(
        since=_.previous_as_of_date.max(),
        **{f"{change} count": (_.change == change).sum() for change in money},
        **{f"{change} money": impact.sum(where=_.change == change) for change, impact in money.items()},
    )
    row = rows_of(totals)[0]
    return PlanChanges(
        since=row["since"],
        count={change: row[f"{change} count"] or 0 for change in money},
        money={change: row[f"{change} money"] or Decimal(0) for change in money},
        new=_largest(decision_changes, customers, NEW, "estimated_revenue_impact"),
        gone=_largest(decision_changes, customers, GONE, "previous_revenue_impact"),
    )


def _largest(changes: ir.Table, customers: ir.Table, change: str, impact: str) -> list[Row]:
    order = [_.impact.desc(), _.intervention_id]
    first = changes.filter(_.change == change).mutate(impact=changes[impact]).order_by(order).limit(CHANGES_SHOWN)
    names = customers.select("customer_id", "company_name")
    return list(rows_of(left_join_unique(first, names).order_by(order)))
