"""The days with events in the data, and the newest of them."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from dataclasses import dataclass

import ibis
import ibis.expr.types as ir
from ibis import _

from asset_checks.contracts import CONTRACTS, ENDED_STATUSES
from resources.tables import rows_of

DATED = {name: schema.metadata["event_dates"] for name, schema in CONTRACTS.items() if schema.metadata["event_dates"]}
"""The columns that date the events of a dataset, by dataset."""

ACTIVITY = tuple(name for name in DATED if not CONTRACTS[name].metadata["is_required"])
"""Datasets with the activity of customers and billing; their newest event shows where the data ends."""

USUAL_DAYS = 365
USUAL_GAPS = 5
"""The number of gaps between dates that are needed to call a gap unusual."""


@dataclass(frozen=True)
class NewestEvent:
    """The newest event of the data, and a lone date long after all others.

    day: the newest day with an event; a lone date that is not believed does not count.
    lone: the newest date, if a single row has it, long after every other date; gap: the days since the date before.
    """

    day: dt.date
    lone: dt.date | None = None
    gap: int = 0

    @property
    def is_lone_believed(self) -> bool:
        """Whether the lone date sets the as-of date, because gaps as long are usual or too few gaps are known."""
        return self.lone == self.day


def event_days(tables: Mapping[str, ir.Table]) -> ir.Table:
    """One row per dataset, column and day with events: dataset, column_name, day, rows.

    A row with the same day in two columns counts once. The end of a subscription is not an event, since it may be
    in the future. Only if no dataset of ACTIVITY has rows, the ends of Canceled and Expired subscriptions are
    events: then nothing else shows that a customer left.
    """
    days = [
        _days(name, column, tables[name], *(~_[column].identical_to(_[other]) for other in columns[:place]))
        for name, columns in DATED.items()
        for place, column in enumerate(columns)
    ]
    activity = ibis.union(*(tables[name].aggregate(rows=_.count()) for name in ACTIVITY)).rows.sum().as_scalar()
    has_ended = (_.status.isin(ENDED_STATUSES), _.end_date != _.start_date, activity == 0)
    return ibis.union(*days, _days("subscriptions", "end_date", tables["subscriptions"], *has_ended))


def _days(dataset: str, column: str, table: ir.Table, *conditions: ir.BooleanValue) -> ir.Table:
    days = table.filter(_[column].notnull(), *conditions).group_by(day=column).aggregate(rows=_.count())
    return days.select(dataset=ibis.literal(dataset), column_name=ibis.literal(column), day=_.day, rows=_.rows)


def dataset_ends(events: ir.Table, column: str, days: ir.Table, late_days: int) -> ir.Table:
    """Where a dataset ends: one row per as_of_date of `days`.

    oldest and newest are the days of its oldest and newest event by then, NULL where there is none; age_days is how
    long before the as-of date the newest is; longest_gap the most days between two events of the year before. is_late
    says that age_days is more than `late_days` and at least twice the longest gap: what happened since is missing from
    the export. With few gaps known, and so with few events, nothing is late.
    """
    found = events.filter(_[column].notnull()).select(day=column).distinct()
    spaced = found.mutate(gap=_.day.delta(_.day.lag().over(ibis.window(order_by=_.day)), unit="day"))
    dated = days.select("as_of_date").cross_join(spaced).filter(_.day <= _.as_of_date)
    in_year = dated.as_of_date.delta(dated.day, unit="day") < USUAL_DAYS
    known = dated.group_by("as_of_date").aggregate(
        oldest=dated.day.min(),
        newest=dated.day.max(),
        gaps=dated.gap.count(where=in_year),
        longest_gap=dated.gap.max(where=in_year),
    )
    table = days.select("as_of_date").left_join(known, "as_of_date").drop("as_of_date_right")
    table = table.mutate(age_days=table.as_of_date.delta(table.newest, unit="day"))
    is_unusual = (table.gaps >= USUAL_GAPS) & (table.age_days >= 2 * table.longest_gap)
    return table.select(
        "as_of_date", "oldest", "newest", "age_days", "gaps", "longest_gap",
        is_late=(is_unusual & (table.age_days > late_days)).fill_null(False),
    )  # fmt: skip


def is_before_start(ends: ir.Table, signup_date: ir.DateValue, late_days: int, window: int) -> ir.BooleanValue:
    """Whether a dataset tells too little of a customer on the as-of date of `ends`, a row of `dataset_ends`.

    Its first event then lies less than `window` days back, the as-of date included, and the customer signed up long
    before it, measured as for a late end: what the customer did until then is missing from the export.
    """
    is_new = ends.as_of_date.delta(ends.oldest, unit="day") + 1 < window
    silent = ends.oldest.delta(signup_date, unit="day")
    return (is_new & (silent > late_days) & (silent > 2 * ends.longest_gap.fill_null(0))).fill_null(False)


def newest_event(tables: Mapping[str, ir.Table], until: dt.date, lone_date_days: int) -> NewestEvent | None:
    """The newest event not after `until`; None if there is none.

    A date that a single row has, more than `lone_date_days` after every other date, is not believed if that gap is
    more than twice as long as any gap of the year before: one mistyped date must not set the as-of date.
    """
    days = event_days(tables).filter(_.day <= until).group_by("day").aggregate(rows=_.rows.sum())
    spaced = days.mutate(before=_.day.lag().over(ibis.window(order_by=_.day)))
    spaced = spaced.mutate(gap=_.day.delta(_.before, unit="day"))
    newest = rows_of(spaced.order_by(_.day.desc()).limit(1))
    if not newest:
        return None
    day, before, gap = newest[0]["day"], newest[0]["before"], newest[0]["gap"]
    if newest[0]["rows"] > 1 or before is None or gap <= lone_date_days:
        return NewestEvent(day)
    year = spaced.filter(_.day <= before, _.day > before - dt.timedelta(days=USUAL_DAYS))
    usual = rows_of(year.aggregate(gaps=_.gap.count(), longest=_.gap.max()))[0]
    is_unusual = usual["gaps"] >= USUAL_GAPS and gap > 2 * usual["longest"]
    return NewestEvent(before if is_unusual else day, lone=day, gap=gap)
