"""The shape invoice_lines: the amount of each line over the months that it covers."""

from __future__ import annotations

from dataclasses import replace

import ibis
import ibis.expr.types as ir

from productpulse_assets.sources.shapes.months import day_of
from productpulse_assets.sources.shapes.readings import (
    OPEN,
    Export,
    Problem,
    as_spans,
    date_problems,
    has_ended,
    price_problems,
    readings,
    status_problems,
    with_problem,
    with_problems,
)
from rules.shapes import InvoiceLines
from rules.units import MONEY, days_later, first_of_month, months_between, months_later

UNCERTAIN_SHARE = 0.035
"""A price that is counted by days may differ by this share from the price that was agreed: some systems give each month
30 days, others divide a year by its days."""

HALF_A_CENT = 0.005
"""What rounding takes from an amount, or adds to it."""

RENEWAL_DAYS = 28
"""Days whose ends show whether renewals are in the export: less than a month, so that each subscription ends once."""
LATEST_RENEWAL_DAYS = 45
"""A renewal that is not in the export this long after others have been billed does not come."""


def invoice_readings(export: Export, shape: InvoiceLines) -> ir.Table:
    """One row per row of the export, with the first and the last day of the line; `price` is its amount."""
    raw_first, raw_last = export.raw_column(shape.first_day), export.raw_column(shape.last_day)
    first, last = (day_of(raw, export.sources) for raw in (raw_first, raw_last))
    return readings(export, first_day=(raw_first, first), last_day=(raw_last, last))


def line_readings(rows: ir.Table, attributes: tuple[str, ...], shape: InvoiceLines) -> ir.Table:
    """The readings with their problems, and the end of each line: end_day, the day after its last day."""
    has_days = rows.has_first_day | rows.has_last_day
    days = [*date_problems(rows, "start_date", "first_day"), *date_problems(rows, "end_date", "last_day")]
    problems = [
        *(replace(each, found=has_days & each.found) for each in days),
        Problem("end_date", "end_date_not_before_start_date", rows.last_day < rows.first_day, "last_day"),
        *price_problems(rows),
        *status_problems(rows),
    ]
    rows = with_problems(rows, problems).mutate(is_once=(rows.first_day == rows.last_day).fill_null(False) | ~has_days)
    rows = rows.pipe(_without_repeats, attributes).pipe(with_reading, shape.inclusive_ends)
    return rows.mutate(
        end_day=ibis.ifelse(rows.is_last_day, days_later(rows.last_day, 1), rows.last_day),
        counts=(rows.problem_check.isnull() & ~rows.is_once & (rows.price != 0) & ~has_ended(rows.status)).fill_null(
            False
        ),
    )


def invoice_spans(rows: ir.Table, attributes: tuple[str, ...], shape: InvoiceLines) -> ir.Table:
    """One row per row of the export: the span of days that the line covers, and its price per month.

    A line that is negative takes from the price of the days that it covers. A line without days, or of one day, is
    charged once and is part of no period.
    """
    rows = _with_coverage(_with_months(line_readings(rows, attributes, shape)))
    rate = price_per_month(rows)
    cents = HALF_A_CENT * rows.length / (rows.months * rows.length + rows.part).nullif(0)
    return as_spans(
        rows,
        attributes,
        end_day=ibis.ifelse(rows.is_open, ibis.date(OPEN), rows.end_day),
        price=rate,
        slack=ibis.ifelse(rows.part == 0, 0.0, ibis.greatest(rate.cast("float64").abs() * UNCERTAIN_SHARE, cents)),
        is_counted=rows.counts,
        remark=ibis.cases(
            (has_ended(rows.status), "ended"),
            (rows.price == 0, "no_price"),
            (rows.is_once, "charged_once"),
            (rows.is_overdue, "not_renewed_yet"),
            ((rows.place > 0) & (rows.price > 0), "same_line"),
            else_=ibis.null("string"),
        ),
    )


def _without_repeats(rows: ir.Table, attributes: tuple[str, ...]) -> ir.Table:
    """Lines that an earlier file has too are duplicates. Within one file, two equal lines are two products."""
    line = ["customer_id", "base_id", *attributes, "status", "first_day", "last_day", "price"]
    usable = rows.problem_check.isnull()
    found = rows.mutate(
        first_file=rows.source_file.min(where=usable).over(ibis.window(group_by=line)),
        place=ibis.row_number().over(ibis.window(group_by=[*line, usable], order_by=["source_file", "row_number"])),
    )
    key = ibis.coalesce(found.base_id, found.customer_id) + " " + found.first_day.cast("string")
    return with_problem(found, "duplicate_row", found.source_file != found.first_file, key).drop("first_file")


def with_reading(rows: ir.Table, inclusive_ends: bool | None) -> ir.Table:
    """Add is_last_day, the same in every row: whether last_day is the last day of a line, and not the day after it.

    Without a setting, the lines decide: for each reading those are counted that cover whole months with it alone.
    """
    if inclusive_ends is not None:
        return rows.mutate(is_last_day=ibis.literal(inclusive_ends))
    usable = rows.problem_check.isnull() & ~rows.is_once
    includes = usable & covers_whole_months(rows.first_day, days_later(rows.last_day, 1))
    excludes = usable & covers_whole_months(rows.first_day, rows.last_day)
    everywhere = ibis.window()
    counted = rows.mutate(
        inclusive=includes.cast("int64").sum().over(everywhere), exclusive=excludes.cast("int64").sum().over(everywhere)
    )
    return counted.mutate(is_last_day=(counted.inclusive > counted.exclusive).fill_null(False)).drop(
        "inclusive", "exclusive"
    )


def covers_whole_months(first: ir.DateValue, end: ir.DateValue) -> ir.BooleanValue:
    """Whether the days from `first` to the day before `end` are whole months.

    A subscription of the 31st is billed on the last day of shorter months, so that the day of `first` or of `end` may
    be earlier than the other where it is the last day of its month.
    """
    first_is_last, end_is_last = (first_of_month(days_later(day, 1)) > first_of_month(day) for day in (first, end))
    same = first.day() == end.day()
    return (end > first) & (
        same | (end_is_last & (first.day() > end.day())) | (first_is_last & (end.day() > first.day()))
    )


def _with_months(rows: ir.Table) -> ir.Table:
    """Add what a line covers: `months` whole months and `part` days of a month that has `length` days."""
    calendar = months_between(rows.first_day, rows.end_day)
    is_whole = covers_whole_months(rows.first_day, rows.end_day)
    complete = calendar - (months_later(rows.first_day, calendar) > rows.end_day).cast("int64")
    found = rows.mutate(months=ibis.ifelse(is_whole, calendar, complete), is_whole=is_whole)
    begins, ends = months_later(found.first_day, found.months), months_later(found.first_day, found.months + 1)
    return found.mutate(
        part=ibis.ifelse(found.is_whole, 0, found.end_day.delta(begins, unit="day")).cast("int64"),
        length=ibis.ifelse(found.is_whole, 1, ends.delta(begins, unit="day")).cast("int64"),
    )


def price_per_month(rows: ir.Table) -> ir.DecimalValue:
    """The amount over the months that the line covers, in whole cents, half a cent away from 0."""
    cents = (rows.price * 100).cast("int64")
    amount, time = cents.abs() * rows.length, rows.months * rows.length + rows.part
    rounded = (2 * amount + time) // (2 * time).nullif(0)
    signed = ibis.ifelse(cents < 0, -rounded, rounded)
    return (signed / 100).cast(MONEY)  # whole cents: the cast gives the nearest decimal


def _with_coverage(rows: ir.Table) -> ir.Table:
    """Add is_open: no later line is expected yet, so the subscription goes on; and is_overdue: it is open although
    another line begins after its end.

    A line is followed if a line of its subscription begins on its end or later. The export has the renewals up to
    the newest end of a followed line for which, of the lines that ended in the RENEWAL_DAYS before, at least half are
    followed. A line that ends later is open, but not if other lines begin more than LATEST_RENEWAL_DAYS after its end.
    """
    newest = rows.first_day.max(where=rows.counts)
    found = rows.mutate(
        is_followed=(newest.over(ibis.window(group_by=["customer_id", "base_id"])) >= rows.end_day).fill_null(False),
        newest_start=newest.over(ibis.window()),
        number=rows.end_day.delta(ibis.date("1970-01-01"), unit="day"),
        is_charge=rows.counts & (rows.price > 0),
    )
    recent = ibis.range_window(order_by="number", preceding=RENEWAL_DAYS - 1, following=0)
    counted = found.mutate(
        ending=found.is_charge.cast("int64").sum().over(recent),
        followed=(found.is_charge & found.is_followed).cast("int64").sum().over(recent),
    )
    is_renewed = counted.is_charge & counted.is_followed & (2 * counted.followed >= counted.ending)
    covered = counted.mutate(covered=counted.end_day.max(where=is_renewed).over(ibis.window()))
    is_late = covered.covered.isnull() | (covered.end_day > covered.covered)
    days_after = covered.newest_start.delta(covered.end_day, unit="day")
    is_open = covered.counts & is_late & ~covered.is_followed & (days_after <= LATEST_RENEWAL_DAYS)
    return covered.mutate(is_open=is_open.fill_null(False), is_overdue=(is_open & (days_after >= 0)).fill_null(False))
