"""The shape events: one row per change of a subscription, with the price after it."""

from __future__ import annotations

from dataclasses import replace

import ibis
import ibis.expr.types as ir

from productpulse_assets.sources.casting import trimmed_text
from productpulse_assets.sources.shapes.months import day_of
from productpulse_assets.sources.shapes.readings import (
    OPEN,
    Export,
    Problem,
    as_spans,
    date_problems,
    price_problems,
    readings,
    with_problems,
)
from rules.shapes import Events
from rules.units import days_later

ORDER = ["first_day", "source_file", "row_number"]


def event_readings(export: Export, shape: Events) -> ir.Table:
    """One row per row of the export, with its day and the word for what happened, in lower case."""
    raw_day, raw_word = export.raw_column(shape.date), export.raw_column(shape.event)
    word = trimmed_text(raw_word, export.sources.null_values).lower()
    return readings(export, day=(raw_day, day_of(raw_day, export.sources)), word=(raw_word, word))


def event_spans(rows: ir.Table, attributes: tuple[str, ...], shape: Events) -> ir.Table:
    """One row per row of the export: the span from its day to the day of the subscription's next event.

    Events of a day apply in the order of the rows; the last one decides. After `end` the price is 0.
    """
    kinds = ((rows.word == word, kind) for word, kind in shape.words.kinds().items())
    rows = rows.mutate(event=ibis.cases(*kinds, else_=ibis.null("string")))
    is_end = (rows.event == "end").fill_null(False)
    problems = [
        Problem("event", "not_null", ~rows.has_word, "word"),
        Problem("event", "known_event", rows.event.isnull(), "word"),
        *date_problems(rows, "start_date", "day"),
        *(replace(each, found=~is_end & each.found) for each in price_problems(rows)),
    ]
    last_day = shape.inclusive_ends & is_end
    rows = with_problems(rows, problems).mutate(
        is_end=is_end, first_day=ibis.ifelse(last_day, days_later(rows.day, 1), rows.day)
    )
    rows = rows.mutate(is_usable=rows.problem_check.isnull())  # a row with a problem is apart from the others
    rows = _with_neighbors(_with_known_attributes(rows, attributes))
    runs = ~rows.is_end & (rows.price != 0)
    return as_spans(
        rows,
        attributes,
        end_day=rows.next_day.fill_null(ibis.date(OPEN)),
        slack=ibis.literal(0),
        is_counted=runs & (rows.next_day.isnull() | (rows.next_day > rows.first_day)),
        remark=_remark(rows),
    )


def _with_known_attributes(rows: ir.Table, attributes: tuple[str, ...]) -> ir.Table:
    """An attribute that an event does not name is that of the event before it: a new price does not end a plan."""
    group = ["customer_id", "base_id", "is_usable"]
    so_far = ibis.window(group_by=group, order_by=ORDER, preceding=None, following=0)
    numbered = rows.mutate(**{f"number_{name}": rows[name].count().over(so_far) for name in attributes})
    known = {name: numbered[name].max().over(ibis.window(group_by=[*group, f"number_{name}"])) for name in attributes}
    return numbered.mutate(**known).drop(*(f"number_{name}" for name in attributes))


def _with_neighbors(rows: ir.Table) -> ir.Table:
    """Add next_day, the day of the next event; price_before and day_before, of the event before it."""
    ordered = ibis.window(group_by=["customer_id", "base_id", "is_usable"], order_by=ORDER)
    price = ibis.ifelse(rows.is_end, ibis.literal(0).cast(rows.price.type()), rows.price)
    return rows.mutate(
        next_day=rows.first_day.lead().over(ordered),
        price_before=price.lag().over(ordered),
        day_before=rows.first_day.lag().over(ordered),
    )


def _remark(rows: ir.Table) -> ir.StringValue:
    ran = (rows.price_before != 0).fill_null(False)
    is_repeat = ((rows.day_before == rows.first_day) & (rows.price_before == rows.price)).fill_null(False)
    return ibis.cases(
        (rows.is_end & rows.price_before.isnull(), "end_without_start"),
        (rows.is_end, "ended"),
        (rows.event.isin(["change", "reactivate"]) & rows.price_before.isnull(), "start_missing"),
        ((rows.event == "new") & ran & ~is_repeat, "starts_again"),
        (rows.price == 0, "no_price"),
        ((rows.next_day == rows.first_day).fill_null(False), "replaced"),
        else_=ibis.null("string"),
    )
