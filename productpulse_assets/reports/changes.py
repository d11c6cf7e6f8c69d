"""What is new in the plan and what is gone, compared with the as-of date before."""

from dataclasses import dataclass
from datetime import date
from decimal import Decimal

import ibis
import ibis.expr.types as ir
from ibis import _

from productpulse_assets.charts.look import Row
from productpulse_assets.decisions.action_value import total_money
from productpulse_assets.decisions.changes import GONE, NEW, OPEN
from productpulse_assets.joins import left_join_unique
from resources.tables import rows_of
from rules.text.formats import ACTION_MONEY

CHANGES_SHOWN = 3
"""The largest number of new interventions, and of gone ones, that a report lists."""


@dataclass(frozen=True)
class PlanChanges:
    """The changes of the plan since an earlier as-of date.

    since: that date, None if there is none; count and money: by change, the money of a gone intervention as it was
    then; new, gone: the interventions with the most money.
    """

    since: date | None
    count: dict[str, int]
    money: dict[str, Row]
    new: list[Row]
    gone: list[Row]


def summarize_changes(decision_changes: ir.Table, customers: ir.Table) -> PlanChanges:
    """The totals of decision_changes, and its largest interventions with the names of their customers."""
    counted = with_money(decision_changes).group_by("change").aggregate(count=_.count(), **total_money(_))
    totals = {row["change"]: row for row in rows_of(counted)}
    (dated,) = rows_of(decision_changes.aggregate(since=_.previous_as_of_date.max()))
    nothing = {"count": 0} | dict.fromkeys(ACTION_MONEY, Decimal(0))
    rows: dict[str, Row] = {change: totals.get(change, nothing) for change in (NEW, OPEN, GONE)}
    return PlanChanges(
        since=dated["since"],
        count={change: row["count"] for change, row in rows.items()},
        money=rows,
        new=_largest(decision_changes, customers, NEW),
        gone=_largest(decision_changes, customers, GONE),
    )


def with_money(changes: ir.Table) -> ir.Table:
    """The changes with the money of a gone intervention as it was on the date before."""
    return changes.mutate(
        **{
            name: ibis.ifelse(changes.change == GONE, changes[f"previous_{name}"], changes[name])
            for name in ACTION_MONEY
        }
    )


def _largest(changes: ir.Table, customers: ir.Table, change: str) -> list[Row]:
    largest = ibis.greatest(_.recurring_value, _.one_off_cash)
    order = [largest.desc(nulls_first=False), _.intervention_id]
    first = with_money(changes).filter(_.change == change).order_by(order).limit(CHANGES_SHOWN)
    names = customers.select("customer_id", "company_name")
    return list(rows_of(left_join_unique(first, names).order_by(order)))
