"""The rows that a metric is computed from, in any range of months and slice."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from fractions import Fraction

import ibis
import ibis.expr.types as ir
from ibis import _

from rules.metrics.compile import Use, condition
from rules.metrics.models import MetricCatalog
from rules.metrics.parts import Part, metric_parts
from rules.metrics.slices import rows_of
from rules.metrics.time_range import TimeRange
from rules.units import MONEY, month_start

AMOUNT = "decimal(28, 8)"
"""Money, counts and days alike: sums of it are exact."""

ROWS = ibis.schema(
    {
        "side": "string",
        "part": "string",
        "customer_id": "string",
        "source_row": "string",
        "month": "date",
        "unit": "string",
        "amount": AMOUNT,
        "contribution": AMOUNT,
        "mrr_start": MONEY,
        "mrr_end": MONEY,
    }
)
OWN_COLUMNS = ("customer_id", "month")


def metric_rows(catalog: MetricCatalog, name: str, models: Mapping[str, ir.Table], time_range: TimeRange) -> ir.Table:
    """One row per measure of a metric and row of its model that is not 0, in the months of the range that it reads.

    side is value, numerator or denominator; part the metric whose measure it is; unit that of the amount.
    source_row has the id of a leakage case, and the key of a row that is of no customer. amount is the row's part of
    the measure, contribution that of the side: contributions of a side add up to it, and are NULL where it is no sum
    (`sides_that_add_up`). mrr_start and mrr_end are the customer's MRR at both ends of that month, if the row has
    them. Of different values that are counted, each is in the last row that has it. A metric of the present is asked
    for in a range up to the last month only (`check_range`).
    """
    tables = [_part_rows(part, rows_of(part.use, models), time_range) for part in _merged(metric_parts(catalog, name))]
    return ibis.union(*tables) if len(tables) > 1 else tables[0]


def months_read(use: Use, time_range: TimeRange) -> tuple[dt.date, dt.date]:
    """The first and the last month of those that a measure reads for the range."""
    if use.reading == "closing":
        return month_start(time_range.last, 1 - use.months), time_range.last
    return time_range.first, time_range.first if use.reading == "opening" else time_range.last


def _merged(parts: Sequence[Part]) -> Iterator[Part]:
    """Each measure once a side: a metric that is an operand twice has its rows once, with both weights."""
    groups: dict[tuple[str, str, str, Use], list[Part]] = {}
    for part in parts:
        groups.setdefault((part.side, part.metric_name, part.own_side, part.use), []).append(part)
    for same in groups.values():
        weights = [part.weight for part in same]
        known = [weight for weight in weights if weight is not None]
        yield replace(same[0], weight=sum(known, Fraction(0)) if len(known) == len(weights) else None)


def _part_rows(part: Part, table: ir.Table, time_range: TimeRange) -> ir.Table:
    measure, first_last = part.use.measure, months_read(part.use, time_range)
    if part.use.is_snapshot:
        table = table.mutate(month=ibis.literal(time_range.last))
    is_read = table.month.between(*map(ibis.literal, first_last))
    table = table.filter(is_read, *(condition(table, rule) for rule in measure.where))
    column = table[measure.column]
    is_counted = measure.aggregation in ("count", "count_distinct")
    amount = column.notnull().cast("int64").cast(AMOUNT) if is_counted else column.cast(AMOUNT)
    rows = table.mutate(amount=amount).filter(_.amount.notnull())
    if measure.aggregation in ("sum", "count", "count_distinct"):
        rows = rows.filter(_.amount != 0)
    if measure.aggregation == "count_distinct":
        rows = _last_of_each(rows, measure.column)
    values = {
        "side": ibis.literal(part.side),
        "part": ibis.literal(part.metric_name),
        "unit": ibis.literal(part.unit),
        "source_row": _source_row(rows),
        "amount": rows.amount,
        "contribution": _weighted(rows.amount, part.weight),
    }
    present = {name: rows[name] for name in rows.columns if name in ROWS}
    return rows.select(
        **{name: values.get(name, present.get(name, ibis.null(kind))).cast(kind) for name, kind in ROWS.items()}
    )


def _last_of_each(rows: ir.Table, column: str) -> ir.Table:
    """Of the rows with the same value, the one of the last month; of these the first customer's."""
    order = [rows.month.desc(), *([rows.customer_id] if "customer_id" in rows.columns else [])]
    latest = ibis.window(group_by=column, order_by=order)
    return rows.mutate(place=ibis.row_number().over(latest)).filter(_.place == 0).drop("place")


def _weighted(amount: ir.DecimalValue, weight: Fraction | None) -> ir.Value:
    """The amount times its weight: exact for a whole number, otherwise to the digits of AMOUNT."""
    if weight is None:
        return ibis.null(AMOUNT)
    return amount * int(weight) if weight.denominator == 1 else amount.cast("float64") * float(weight)


def _source_row(rows: ir.Table) -> ir.StringValue:
    """The id of a leakage case, and of another row that is of no customer the words that name it: its first text."""
    if "source_row" in rows.columns:
        return rows.source_row
    texts = [rows[name] for name, kind in rows.schema().items() if kind.is_string() and name not in OWN_COLUMNS]
    if not texts:
        return ibis.null("string")
    named = ibis.coalesce(*texts)
    return (
        ibis.ifelse(rows.customer_id.isnull(), named, ibis.null("string")) if "customer_id" in rows.columns else named
    )
