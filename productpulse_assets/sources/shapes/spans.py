"""Spans of days, each with a price, as periods: the price of a day is the sum over the spans that cover it."""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal

import ibis
import ibis.expr.types as ir
from ibis import _

from productpulse_assets.sources.shapes.readings import OPEN
from productpulse_assets.sources.staging import PLACE
from rules.units import MONEY

WIDE = "decimal(38, 4)"
"""The type of sums of prices, exact."""


def periods(spans: ir.Table, attributes: Sequence[str]) -> ir.Table:
    """One row per period: the longest stretch of days with one price, of a customer's subscription with the same
    attributes (plan, currency, …). Its place is that of the row with which it begins. Days of price 0 are no period.

    `spans` are rows of a shape: from first_day to the day before end_day they add `price`. OPEN as the end is a
    period without an end, with the status of its span; every other one is Canceled, or a Trial.
    """
    identity = ["customer_id", "base_id", *attributes, "is_trial"]
    levels = _levels(_changes(spans.filter(_.is_counted), identity), identity)
    in_order = ibis.window(group_by=identity, order_by="day")
    changed = levels.mutate(before=levels.price.lag().over(in_order)).filter(
        lambda table: table.before.isnull() | (table.before != table.price)
    )
    ended = changed.mutate(next_day=changed.day.lead().over(in_order)).filter(_.price != 0, _.day < ibis.date(OPEN))
    is_open = (ended.next_day == ibis.date(OPEN)).fill_null(True)
    found = ended.mutate(
        start_date=ended.day,
        end_date=ibis.ifelse(is_open, ibis.null("date"), ended.next_day),
        monthly_price=ended.price.cast(MONEY),
        status=ibis.cases((ended.is_trial, "Trial"), (is_open, ended.open_status), else_="Canceled"),
    )
    return found.mutate(subscription_id=_ids(found, attributes)).select(
        *PLACE, "subscription_id", "customer_id", *attributes, "status", "start_date", "end_date", "monthly_price"
    )


def _changes(spans: ir.Table, identity: list[str]) -> ir.Table:
    """One row per subscription and day on which its price changes: the change, and the row that begins or ends then."""
    no_status = ibis.null("string")
    starts = spans.select(
        *PLACE, *identity, day="first_day", change="price", slack="slack", is_end=ibis.literal(0),
        open_status=ibis.ifelse(spans.end_day == ibis.date(OPEN), spans.status, no_status),
    )  # fmt: skip
    ends = spans.select(
        *PLACE, *identity, day="end_day", change=-spans.price, slack=-spans.slack, is_end=ibis.literal(1),
        open_status=no_status,
    )  # fmt: skip
    both = ibis.union(starts, ends.cast(starts.schema()))
    first = ibis.struct({"is_end": both.is_end, "source_file": both.source_file, "row_number": both.row_number})
    return both.group_by(*identity, "day").aggregate(
        change=both.change.sum(),
        slack=both.slack.sum(),
        open_status=both.open_status.max(),
        **{name: both[name].argmin(first) for name in PLACE},
    )


def _levels(changes: ir.Table, identity: list[str]) -> ir.Table:
    """The price from each day of a change on. Within the slack of the spans that run, it is not known exactly: what is
    left there of a price is 0, and a price is the exact one that follows it."""
    in_order = ibis.window(group_by=identity, order_by="day")
    so_far = ibis.window(group_by=identity, order_by="day", preceding=None, following=0)
    sums = changes.mutate(
        level=changes.change.sum().over(so_far).cast(WIDE),
        room=changes.slack.sum().over(so_far).cast(WIDE),
        open_status=changes.open_status.max().over(ibis.window(group_by=identity)),
    )
    nothing = ibis.literal(Decimal(0), WIDE)
    prices = sums.mutate(price=ibis.ifelse(sums.level.abs() <= sums.room, nothing, sums.level))
    after = prices.mutate(next_price=prices.price.lead().over(in_order), next_room=prices.room.lead().over(in_order))
    is_next = (
        (after.price != 0)
        & (after.next_price > 0)
        & (after.next_room == 0)
        & ((after.price - after.next_price).abs() <= after.room)
    ).fill_null(False)
    return after.mutate(price=ibis.ifelse(is_next, after.next_price, after.price))


def _ids(table: ir.Table, attributes: Sequence[str]) -> ir.StringValue:
    """The first period has the id of the subscription, or of the customer where there is none; the later ones have
    their first day behind it. An export that has grown by later months gives the same ids.
    """
    base = ibis.coalesce(table.base_id, table.customer_id)
    order = ["start_date", "customer_id", *attributes, "is_trial"]
    place = ibis.row_number().over(ibis.window(group_by=base, order_by=order))
    on_day = ibis.row_number().over(ibis.window(group_by=[base, table.start_date], order_by=order[1:]))
    dated = base + "@" + table.start_date.cast("string")
    return ibis.cases((place == 0, base), (on_day == 0, dated), else_=dated + "-" + (on_day + 1).cast("string"))
