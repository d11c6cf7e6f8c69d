"""The as-of date and the months up to it: what every window in the graph counts back from."""

import datetime as dt

import dagster as dg
import ibis
import ibis.expr.types as ir

from asset_checks.contracts import CONTRACTS
from productpulse_assets.tables import Rows, table
from resources.settings import RunSettings

DATED = {name: schema.metadata["event_dates"] for name, schema in CONTRACTS.items() if schema.metadata["event_dates"]}


SCHEMA = ibis.schema(
    {"month": "date", "month_end": "date", "is_complete": "boolean", "as_of_date": "date", "is_current": "boolean"}
)


@table(
    group="facts",
    owner="team:data",
    key=("month",),
    schema=SCHEMA,
    reads=tuple(DATED),
    metadata_of=lambda rows: {"as_of_date": rows[0]["as_of_date"].isoformat()},
)
def calendar(settings: RunSettings, **tables: ir.Table) -> Rows:
    """One row per calendar month, from the first customer's to the as-of date's.

    month is its first day; month_end its last day, or the as-of date in the as-of month;
    is_complete says that the month's last day is not after the as-of date; is_current, the same in
    every row, that nothing in the data is newer than the as-of date, so that what only the
    present state tells, such as the status Past Due, is known for it.
    """
    today = dt.date.today()
    newest = newest_event(tables, until=max(today, settings.as_of_date or today))
    as_of = settings.as_of_date or newest
    first = first_appearance(tables["customers"], tables["subscriptions"], as_of)
    return months(first, as_of, is_current=newest <= as_of)


def newest_event(tables: dict[str, ir.Table], until: dt.date) -> dt.date:
    """The newest date on which something happened in the data, not after `until`."""
    newest = [
        table.filter(table[column] <= until).aggregate(day=table[column].max())
        for name, table in tables.items()
        for column in DATED[name]
    ]
    day = scalar(ibis.union(*newest).day.max())
    if day is None:
        raise dg.Failure(
            f"Every date in the data is after today ({until}). Check the dates, or give the day to "
            "look at with --as-of.",
            allow_retries=False,
        )
    return day


def first_appearance(customers: ir.Table, subscriptions: ir.Table, as_of: dt.date) -> dt.date:
    """The earliest signup or subscription start, not after the as-of date."""
    starts = customers.select(day="signup_date").union(subscriptions.select(day="start_date"))
    day = scalar(starts.day.min())
    if day is None or day > as_of:
        raise dg.Failure(
            f"No customer signed up or subscribed by {as_of}, the as-of date. Give a later day with --as-of.",
            allow_retries=False,
        )
    return day


def scalar(value: ir.Scalar) -> dt.date | None:
    """The value of a scalar expression; NULL is None."""
    return value.to_pyarrow().as_py()


def months(first: dt.date, as_of: dt.date, *, is_current: bool = True) -> list[dict[str, object]]:
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
        }
        for start, end in zip(starts, ends, strict=True)
    ]


def as_of_day(calendar: ir.Table) -> ir.Table:
    """The as-of date as a table of one row, with whether the data's present states are those of it."""
    return calendar.filter(calendar.month == calendar.month.max().as_scalar()).select("as_of_date", "is_current")


def month_start(day: dt.date, later: int) -> dt.date:
    """The first day of the month `later` months after that of `day`."""
    year, month = divmod(day.year * 12 + day.month - 1 + later, 12)
    return dt.date(year, month + 1, 1)
