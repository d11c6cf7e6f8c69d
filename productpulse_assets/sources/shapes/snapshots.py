"""The shapes monthly_snapshots and wide_months: the price of each customer in each month."""

from __future__ import annotations

import ibis
import ibis.expr.types as ir

from productpulse_assets.sources.shapes.months import day_in_month
from productpulse_assets.sources.shapes.readings import (
    OPEN,
    Export,
    as_spans,
    date_problems,
    has_ended,
    price_problems,
    readings,
    status_problems,
    with_problem,
    with_problems,
)
from rules.units import first_of_month, months_later


def snapshot_readings(export: Export, month_header: str) -> ir.Table:
    """One row per row of the export, with the day of its month."""
    raw = export.raw_column(month_header)
    return readings(export, day=(raw, day_in_month(raw, export.sources)))


def snapshot_spans(rows: ir.Table, attributes: tuple[str, ...], *, zeros_are_months: bool = True) -> ir.Table:
    """One row per row of the export: the span of its month. The newest month of the export has no end.

    zeros_are_months: whether a month in which every price is 0 is a month of the export. In a wide table it may
    be a column that is not filled yet.
    """
    problems = [*date_problems(rows, "start_date", "day"), *price_problems(rows), *status_problems(rows)]
    rows = with_problems(rows, problems).mutate(month=first_of_month(rows.day))
    rows = rows.pipe(_without_repeats, attributes).pipe(_with_newest_day, attributes)
    is_month = rows.problem_check.isnull() & ((rows.price != 0) | zeros_are_months)
    newest = rows.month.max(where=is_month).over(ibis.window())
    next_month = months_later(rows.month, ibis.literal(1))
    is_paid = (rows.price != 0) & ~has_ended(rows.status)
    return as_spans(
        rows,
        attributes,
        first_day=rows.month,
        end_day=ibis.ifelse(rows.month == newest, ibis.date(OPEN), next_month),
        slack=ibis.literal(0),
        is_counted=is_paid & rows.is_newest_day,
        remark=ibis.cases(
            (has_ended(rows.status), "ended"),
            (rows.price == 0, "no_price"),
            (~rows.is_newest_day, "earlier_day"),
            (rows.place_in_month > 0, "added_up"),
            else_=ibis.null("string"),
        ),
    )


def _without_repeats(rows: ir.Table, attributes: tuple[str, ...]) -> ir.Table:
    """Rows of a month that an earlier file has too are rejected: as duplicates where they are the same there, else as a
    second row of the key. Within one file, the rows of a customer's month are two subscriptions, or two days."""
    identity = ["customer_id", "base_id", *attributes, "is_trial"]
    usable = rows.problem_check.isnull()
    first_file = rows.source_file.min(where=usable)
    same = first_file.over(ibis.window(group_by=[*identity, "day", "price", "status"]))
    in_month = first_file.over(ibis.window(group_by=[*identity, "day"]))
    key = ibis.coalesce(rows.base_id, rows.customer_id) + " " + rows.month.cast("string")
    found = rows.mutate(first_same=same, first_in_month=in_month, key=key)
    found = with_problem(found, "duplicate_row", found.source_file != found.first_same, found.key)
    return with_problem(found, "unique_key", found.source_file != found.first_in_month, found.key).drop(
        "first_same", "first_in_month", "key"
    )


def _with_newest_day(rows: ir.Table, attributes: tuple[str, ...]) -> ir.Table:
    """Add is_newest_day, which is false for the earlier days of a month in exports of every day or week; and
    place_in_month, the number of rows before it of the same day, customer, subscription and attributes.

    Where no subscription has rows of several days in the month, each row counts: two products of a customer may be
    dated by different days.
    """
    usable = rows.problem_check.isnull()
    line = ibis.window(group_by=["customer_id", "base_id", *attributes, "is_trial", "month"])
    found = rows.mutate(
        has_days=(rows.day.min(where=usable).over(line) != rows.day.max(where=usable).over(line)).fill_null(False),
        newest=rows.day.max(where=usable).over(ibis.window(group_by=["customer_id", "base_id", "month"])),
    )
    subscription = ibis.window(group_by=["customer_id", "base_id", "month"])
    same = ibis.window(
        group_by=[
            "customer_id",
            "base_id",
            *attributes,
            "is_trial",
            "day",
            found.problem_check.isnull(),
            found.price != 0,
        ],
        order_by=["source_file", "row_number"],
    )
    return found.mutate(
        is_newest_day=~found.has_days.any().over(subscription) | (found.day == found.newest).fill_null(False),
        place_in_month=ibis.row_number().over(same),
    )
