"""What cannot be known from an export that a shape turned into periods: one warning, with what to change."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator

import dagster as dg
import ibis
import ibis.expr.types as ir
from ibis import _

from resources.tables import rows_of
from rules.rejects import IGNORED_STATUS
from rules.shapes import MonthlySnapshots, Shape, WideMonths
from rules.text.formats import count_text, printable_line
from rules.units import months_later

FEWEST_CUSTOMERS = 3
"""The number of customers who miss a month that is needed to doubt the month and not the customers."""
MISSING = 0.5
"""The share of customers who miss a month from which on the month is in doubt."""

REMARKS = {
    "added_up": "rows are of a customer, subscription and month that another row has too: their prices are added. If "
    "they are two subscriptions, map subscription_id or plan under columns; if one replaces the other, leave it out",
    "earlier_day": "rows are of a day before the newest one of their month: the newest day of a month counts",
    "starts_again": "events begin a subscription that already runs: the new price replaces the old one. If a customer "
    "has several subscriptions, map subscription_id under columns",
    "start_missing": "events change a subscription whose start is not in the export: its periods begin on that day, "
    "and what was before is unknown. Export the events from the beginning",
    "end_without_start": "events end a subscription whose start is not in the export: it has no period. Export the "
    "events from the beginning",
    "charged_once": "lines have no days, or one day: they are charged once and are no MRR",
    "same_line": "lines are equal to another one of the same file: both count. If it is one line twice, leave one out",
    "not_renewed_yet": "lines ended before the newest line began and are not followed by another one. In their weeks "
    "fewer than half of the lines are, so the export seems not to have its renewals yet: they count as running",
}
"""What a row may be about, by its remark: each is a warning. Rows that ended, have no price or were replaced on
the same day need none."""


NOT_MISSED = ("duplicate_row", "unique_key", IGNORED_STATUS)
"""Rules that are broken by a row whose days another row gives a price, or that is not to be counted."""


def shape_spec() -> dg.AssetCheckSpec:
    """The check of an export in another shape."""
    return dg.AssetCheckSpec(
        "rows_fit_the_shape",
        asset="subscriptions",
        description="Periods are computed from the export without a doubt about months, starts and renewals.",
    )


def shape_result(shape: Shape, spans: ir.Table, periods: ir.Table) -> dg.AssetCheckResult:
    """A warning about rows and months that may mean something else. `spans` has one row per row of the export."""
    doubts = [*_unread_rows(spans), *_remarks(spans)]
    if isinstance(shape, MonthlySnapshots | WideMonths):
        doubts += [*_missed_months(spans), *_newest_month(spans)]
    if isinstance(shape, WideMonths):
        doubts += _empty_months(spans)
    (total,) = rows_of(
        spans.aggregate(
            rows=_.count(),
            counted=_.is_counted.sum().fill_null(0),
            rejected=_.problem_check.count(),
        ).cross_join(periods.aggregate(periods=_.count()))
    )
    others = total["rows"] - total["counted"] - total["rejected"]
    summary = (
        f"{total['rows']:,} prices: {total['counted']:,} became {total['periods']:,} periods, {others:,} are in no "
        f"period, {total['rejected']:,} were rejected."
    )
    return dg.AssetCheckResult(
        asset_key="subscriptions",
        check_name="rows_fit_the_shape",
        passed=not doubts,
        severity=dg.AssetCheckSeverity.WARN,
        description=f"subscriptions: {' '.join(doubts)}" if doubts else summary,
        metadata={**total, "in_no_period": others},
    )


def _unread_rows(spans: ir.Table) -> Iterator[str]:
    """A sentence about rows that are rejected and that no other row stands for."""
    unread = spans.filter(_.problem_check.notnull(), _.problem_check.notin(NOT_MISSED))
    (row,) = rows_of(unread.aggregate(rows=_.count()))
    if row["rows"]:
        yield (
            f"{row['rows']:,} rows are rejected: on the days that they are about, their customers have no price or the "
            "one before, and may count as lost or changed. Fix these rows."
        )


def _remarks(spans: ir.Table) -> Iterator[str]:
    """A sentence for each remark, with its first row."""
    place = ibis.struct({"file": spans.source_file, "row": spans.row_number})
    counts = spans.filter(_.remark.notnull()).group_by("remark").aggregate(
        rows=_.count(), file=_.source_file.argmin(place), row=_.row_number.argmin(place)
    )  # fmt: skip
    found = {row["remark"]: row for row in rows_of(counts)}
    for remark, meaning in REMARKS.items():
        if row := found.get(remark):
            first = f"{printable_line(row['file'], 60)}, row {row['row']:,}"
            yield f"{row['rows']:,} {meaning} (first: {first})."


def _customer_months(spans: ir.Table) -> ir.Table:
    """One row per customer and month with a row, also of price 0; is_paid: with a price."""
    usable = spans.filter(_.problem_check.isnull())
    return usable.group_by("customer_id", month="first_day").aggregate(is_paid=_.is_counted.any())


def _missed_months(spans: ir.Table) -> Iterator[str]:
    """A sentence for each month that most customers miss who have rows before and after it."""
    months = _customer_months(spans)
    in_order = ibis.window(group_by="customer_id", order_by="month")
    following = months.mutate(missed=months_later(_.month, ibis.literal(1)), next=_.month.lead().over(in_order))
    gaps = following.filter(_.is_paid, _.next > _.missed).group_by("missed").aggregate(missing=_.count())
    present = months.group_by(missed="month").aggregate(present=_.count())
    counts = gaps.left_join(present, "missed").select("missed", "missing", present=_.present.fill_null(0))
    for row in rows_of(counts.order_by("missed")):
        is_many = row["missing"] >= FEWEST_CUSTOMERS and row["missing"] > MISSING * (row["missing"] + row["present"])
        if is_many or not row["present"]:
            yield (
                f"{_month(row['missed'])}: {count_text(row['missing'], 'customer')} with rows before and after this "
                f"month have none in it, and {row['present']:,} have one: is the month missing in the export? They "
                "count as lost and won back. Export that month too."
            )


def _newest_month(spans: ir.Table) -> Iterator[str]:
    """A sentence where most customers of the month before have no row in the newest month."""
    months = _customer_months(spans)
    newest = months.month.max(where=months.is_paid).as_scalar()
    before = months.filter(_.is_paid, _.month == months_later(newest, ibis.literal(-1)))
    kept = before.semi_join(months.filter(_.month == newest), "customer_id")
    (row,) = rows_of(
        before.aggregate(before=_.count())
        .cross_join(kept.aggregate(kept=_.count()))
        .cross_join(months.aggregate(newest=_.month.max(where=_.is_paid)))
    )
    if row["before"] - row["kept"] >= FEWEST_CUSTOMERS and row["kept"] <= MISSING * row["before"]:
        yield (
            f"{_month(row['newest'])}, the newest month, has rows of {row['kept']:,} of the {row['before']:,} "
            "customers of the month before: is it complete? The others count as lost. Export it again, or leave it out."
        )


def _empty_months(spans: ir.Table) -> Iterator[str]:
    """A sentence about columns after the newest month that are 0 in every row."""
    (row,) = rows_of(
        spans.aggregate(
            newest=_.first_day.max(where=_.is_counted), last=_.first_day.max(where=_.problem_check.isnull())
        )
    )
    if row["newest"] and row["last"] > row["newest"]:
        yield (
            f"The columns after {_month(row['newest'])}, up to {_month(row['last'])}, are 0 in every row: they are "
            f"taken for months that are not filled yet, and the customers of {_month(row['newest'])} count as paying."
        )


def _month(day: dt.date) -> str:
    return f"{day:%Y-%m}"
