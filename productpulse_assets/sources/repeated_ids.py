"""Subscriptions whose id stays the same over changes of the price: each row becomes a period with an id of its own."""

from __future__ import annotations

import ibis
import ibis.expr.types as ir
from ibis import _

from productpulse_assets.joins import with_span
from rules.models import DatasetSource

MARK = "@"


def separate_periods(table: ir.Table, source: DatasetSource) -> ir.Table:
    """The rows of one id as periods that follow each other: the first has the id, a later one <id>@<start_date>.

    A row without an end ends where the next one begins: a subscription has one price at a time. Rows of one id that
    begin on the same day get the same id, so the contract finds that they are one row twice, or contradict each other.
    """
    if not source.repeated_ids:
        return table
    starts = table.filter(_.start_date.notnull(), ~_.is_ignored).select("subscription_id", "start_date").distinct()
    by_start = ibis.window(group_by=starts.subscription_id, order_by=starts.start_date)
    starts = starts.mutate(
        is_later=starts.start_date.lag().over(by_start).notnull(), next_start=starts.start_date.lead().over(by_start)
    )
    keys = ["subscription_id", "start_date"]
    joined = table.left_join(starts, keys).select(*table.columns, "is_later", "next_start")
    return joined.mutate(
        subscription_id=ibis.ifelse(joined.is_later.fill_null(False), period_id(joined), joined.subscription_id),
        end_date=ibis.ifelse(joined.has_end_date, joined.end_date, joined.next_start),
        has_end_date=joined.has_end_date | joined.next_start.notnull(),
    ).drop("is_later", "next_start")


def period_id(table: ir.Table) -> ir.StringColumn:
    """The id of a period that is not the first one of its subscription."""
    return table.subscription_id + MARK + table.start_date.cast("string")


def refer_to_periods(payments: ir.Table, subscriptions: ir.Table | None, source: DatasetSource) -> ir.Table:
    """Payments of a subscription as payments of the period that ran on their day, or of the first one.

    `source` are the settings of subscriptions, and `subscriptions` its kept rows.
    """
    if subscriptions is None or not source.repeated_ids:
        return payments
    suffix = MARK + subscriptions.start_date.cast("string")
    ids = subscriptions.subscription_id
    base = ibis.ifelse(ids.endswith(suffix), ids.substr(0, ids.length() - suffix.length()), ids)
    periods = subscriptions.select("start_date", period=ids, base=base).pipe(with_span, "base", "start_date")
    joined = payments.left_join(
        periods,
        [
            payments.subscription_id == periods.base,
            payments.transaction_date >= periods.from_day,
            payments.transaction_date < periods.until_day,
        ],
    ).select(*payments.columns, "period")
    return joined.mutate(subscription_id=joined.period.coalesce(joined.subscription_id)).drop("period")
