"""The MRR bridge of a slice: what it started with, how it moved, who entered or left the slice, and its end."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import reduce

import ibis
import ibis.expr.types as ir
from ibis import _

from rules.literals import literal_rows
from rules.metrics.models import Measure, Metric
from rules.metrics.parts import VALUE
from rules.metrics.rows import AMOUNT, ROWS
from rules.metrics.slices import member_of
from rules.metrics.time_range import TimeRange
from rules.units import month_start

START, ENTERED, LEFT, RATES = "start", "entered slice", "left slice", "exchange rates"
MOVEMENTS = {
    "new": "mrr_new",
    "reactivation": "mrr_reactivation",
    "expansion": "mrr_expansion",
    "contraction": "mrr_contraction",
    "churned": "mrr_churned",
    RATES: "mrr_fx",
}
LOSSES = ("contraction", "churned", LEFT)
SIGNS = {part: -1 if part in LOSSES else 1 for part in (START, *MOVEMENTS, ENTERED, LEFT)}
"""The parts of the bridge in their order, and the sign with which each enters the end."""

MODEL = "customer_months"
NEEDED = ("customer_id", "month", "mrr_start", "mrr_end", *MOVEMENTS.values())
PARTS = ibis.schema({"part": "string", "place": "int64", "sign": "int64"})


def has_bridge(metric: Metric) -> bool:
    """Whether the metric is the MRR that the bridge leads to."""
    formula = metric.formula
    is_sum = isinstance(formula, Measure) and (formula.aggregation, formula.column, formula.where) == (
        "sum",
        "mrr_end",
        (),
    )
    return is_sum and metric.model == MODEL


def bridge_rows(
    models: Mapping[str, ir.Table], time_range: TimeRange, where: Mapping[str, str | Sequence[str]]
) -> ir.Table:
    """One row per part of the bridge, customer and month that is not 0, in the columns of `metric_rows`.

    `models` are those of all members. A customer is in the slice in a month if its row of that month is. start is the
    MRR at the end of the month before the range. A customer that moves into the slice brings its MRR along, and one
    that moves out takes it away: entered slice and left slice, in the month of the move. amount is 0 or more,
    except that of exchange rates; contribution has the sign. Contributions add up to the MRR of the slice at the end of
    the range.
    """
    before = month_start(time_range.first, -1)
    months = models[MODEL].filter(_.month.between(ibis.literal(before), ibis.literal(time_range.last)))
    is_member = reduce(lambda left, each: left & _is_member(months, *each), where.items(), ibis.literal(True))
    by_month = ibis.window(group_by="customer_id", order_by="month")
    rows = months.select(*NEEDED, is_member=is_member)
    rows = rows.mutate(was_member=rows.is_member.lag(1).over(by_month).fill_null(False))
    rows = rows.filter(_.month >= ibis.literal(time_range.first)).cross_join(_parts())
    is_first = rows.month == ibis.literal(time_range.first)
    amounts = {
        START: (is_first & rows.was_member, rows.mrr_start),
        ENTERED: (rows.is_member & ~rows.was_member, rows.mrr_start),
        LEFT: (rows.was_member & ~rows.is_member, rows.mrr_start),
        **{part: (rows.is_member, rows[column]) for part, column in MOVEMENTS.items()},
    }
    amount = ibis.cases(*((rows.part == part, ibis.ifelse(*of, ibis.literal(0))) for part, of in amounts.items()))
    rows = rows.mutate(amount=amount.cast(AMOUNT)).filter(_.amount != 0)
    values = {"side": ibis.literal(VALUE), "unit": ibis.literal("money"), "contribution": rows.amount * rows.sign}
    present = {name: rows[name] for name in ROWS if name in rows.columns}
    return rows.select(
        **{name: values.get(name, present.get(name, ibis.null(kind))).cast(kind) for name, kind in ROWS.items()}
    )


def bridge_values(
    models: Mapping[str, ir.Table], time_range: TimeRange, where: Mapping[str, str | Sequence[str]]
) -> ir.Table:
    """One row per part, and one for the end: place, part, amount with its sign, and the number of customers."""
    rows = bridge_rows(models, time_range, where)
    sums = rows.group_by("part").aggregate(total=_.contribution.sum(), customers=_.customer_id.nunique())
    parts = _parts()
    found = parts.left_join(sums, "part").select(
        "place", "part", amount=sums.total.fill_null(0).cast(AMOUNT), customers=sums.customers.fill_null(0)
    )
    paying = models[MODEL].filter(_.month == ibis.literal(time_range.last), _.mrr_end != 0)
    ends = reduce(lambda table, each: table.filter(_is_member(table, *each)), where.items(), paying)
    end = ends.aggregate(amount=_.mrr_end.sum().fill_null(0).cast(AMOUNT), customers=_.customer_id.nunique())
    place = ibis.literal(len(SIGNS), "int64")
    return found.union(end.select(place=place, part=ibis.literal("end"), amount="amount", customers="customers"))


def _is_member(table: ir.Table, column: str, members: str | Sequence[str]) -> ir.BooleanValue:
    """Whether a row is of the member, or of one of several."""
    return member_of(table, column).isin([members] if isinstance(members, str) else list(members))


def _parts() -> ir.Table:
    rows = [{"part": part, "place": place, "sign": sign} for place, (part, sign) in enumerate(SIGNS.items())]
    return literal_rows(rows, PARTS)
