"""The as-of date and the months up to it: every window of the graph counts back from that date."""

import datetime as dt
from collections.abc import Mapping
from decimal import Decimal

import dagster as dg
import ibis
import ibis.expr.types as ir

from asset_checks.events import ACTIVITY, DATED, NewestEvent, newest_event
from productpulse_assets.sources.location import uses_demo
from productpulse_assets.synthetic.settings import GROSS_MARGINS
from productpulse_assets.tables import Rows, Run, table
from resources.home import SettingsError
from resources.settings import Settings, refuse_after_today
from resources.tables import rows_of
from rules.models import AsOfLimits
from rules.rule_set import Rules
from rules.units import month_start

FORCED = "productpulse/force"
"""The tag of runs whose as-of date may be long after the newest event."""


DEMO_MARGINS = {month: Decimal(str(rate)) for month, rate in GROSS_MARGINS.items()}
NO_MARGINS: Mapping[str, Decimal] = {}

SCHEMA = ibis.schema(
    {
        "month": "date", "month_end": "date", "is_complete": "boolean", "as_of_date": "date", "is_current": "boolean",
        "gross_margin": "decimal(5, 4)",
    }
)  # fmt: skip


@table(
    group="facts",
    owner="team:data",
    key=("month",),
    schema=SCHEMA,
    reads=tuple(DATED),
    metadata_of=lambda rows: {"as_of_date": rows[0]["as_of_date"].isoformat()},
)
def calendar(settings: Settings, rules: Rules, run: Run, **tables: ir.Table) -> Rows:
    """One row per calendar month, from that of the first event of any dataset to that of the as-of date.

    month is the first day; month_end the last day, or the as-of date in the as-of month.
    is_complete: the month's last day is not after the as-of date. is_current, the same in every row:
    nothing in the data is newer than the as-of date. Only then does a column that holds the present
    state, such as the status Past Due, describe that date. gross_margin is that of metric_catalog.yaml, 1 in every
    month if it has none; NULL in months before the first one.
    """
    limits = rules.data_quality.as_of
    newest = newest_event(tables, run.today, limits.lone_date_days)
    as_of = as_of_date(settings.as_of, newest, run.today, limits, is_forced=run.is_forced)
    first = first_event(tables, as_of)
    margins = DEMO_MARGINS if uses_demo(settings, rules) else {}
    margins = rules.metric_catalog.gross_margin or margins
    return months(first, as_of, is_current=newest is not None and newest.day <= as_of, margins=margins)


def as_of_date(
    requested: dt.date | None, newest: NewestEvent | None, today: dt.date, limits: AsOfLimits, *, is_forced: bool
) -> dt.date:
    """The day for which figures are computed: the requested one, else that of the newest event.

    Raises Failure for a day after today, for data without an event up to today, and, unless `is_forced`, for a day
    long after the newest event.
    """
    try:
        refuse_after_today(requested, today)
    except SettingsError as error:
        raise refusal(str(error)) from None
    if newest is None:
        raise refusal(
            f"Every date in the data is after today, {today} in the time zone of sources.yaml. Check the dates."
        )
    if requested is None:
        return newest.day
    latest = newest.day + dt.timedelta(days=limits.most_days_after_newest_event)
    if requested > latest and not is_forced:
        raise refusal(
            f"The as-of date, {requested}, is {(requested - newest.day).days:,} days after {newest.day}, the newest "
            "event in the data. What happened since then is not in the data and would count as missed. Give a day up "
            f"to {latest} ({limits.most_days_after_newest_event} days: most_days_after_newest_event in "
            "data_quality.yaml), or --force."
        )
    return requested


def refusal(sentence: str) -> dg.Failure:
    """The failure of a run that cannot succeed with this data, so that it is not retried."""
    return dg.Failure(sentence, allow_retries=False)


def first_event(tables: Mapping[str, ir.Table], as_of: dt.date) -> dt.date:
    """The day of the earliest event of any dataset.

    Raises Failure if no customer signed up or subscribed by `as_of`.
    """
    starts = [tables[name].select(day=column) for name in ("customers", "subscriptions") for column in DATED[name]]
    day = scalar(ibis.union(*starts).day.min())
    if day is None or day > as_of:
        raise refusal(f"No customer signed up or subscribed by {as_of}, the as-of date. Give a later day with --as-of.")
    events = [tables[name].aggregate(day=tables[name][DATED[name][0]].min()) for name in ACTIVITY]
    earliest = scalar(ibis.union(*events).day.min())
    return min(day, earliest or day)


def scalar(value: ir.Scalar) -> dt.date | None:
    """The value of a date expression; NULL is None."""
    (row,) = rows_of(value.as_table())
    day: dt.date | None
    (day,) = row.values()
    return day


def months(
    first: dt.date, as_of: dt.date, *, is_current: bool = True, margins: Mapping[str, Decimal] = NO_MARGINS
) -> list[dict[str, object]]:
    """The calendar's rows from the month of `first` to that of `as_of`."""
    count = (as_of.year - first.year) * 12 + as_of.month - first.month + 1
    starts = [month_start(first, later) for later in range(count)]
    ends = [month_start(start, 1) - dt.timedelta(days=1) for start in starts]
    return [
        {
            "month": start,
            "month_end": min(end, as_of),
            "is_complete": end <= as_of,
            "as_of_date": as_of,
            "is_current": is_current,
            "gross_margin": margin_in(start, margins),
        }
        for start, end in zip(starts, ends, strict=True)
    ]


def margin_in(month: dt.date, margins: Mapping[str, Decimal]) -> Decimal | None:
    """The gross margin that holds in a month, by the month from which each holds; 1 if there is none at all."""
    if not margins:
        return Decimal(1)
    begun = [since for since in margins if since <= f"{month:%Y-%m}"]
    return margins[max(begun)] if begun else None


def as_of_day(calendar: ir.Table) -> ir.Table:
    """One row: as_of_date, and is_current, which `calendar` explains."""
    return calendar.filter(calendar.month == calendar.month.max().as_scalar()).select("as_of_date", "is_current")
