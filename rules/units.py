"""The type of money and the arithmetic of days and months, for rules, checks and tables."""

from __future__ import annotations

import datetime as dt

import ibis
import ibis.expr.types as ir

MONEY = "decimal(18, 2)"
"""An amount in the reporting currency, as every table stores it."""


def month_start(day: dt.date, later: int) -> dt.date:
    """The first day of the month `later` months after that of `day`."""
    year, month = divmod(day.year * 12 + day.month - 1 + later, 12)
    return dt.date(year, month + 1, 1)


def months_between(first: ir.DateValue, last: ir.DateValue) -> ir.IntegerValue:
    """Calendar months from the month of `first` to that of `last`; negative when `last` is earlier."""
    return ((last.year() - first.year()) * 12 + last.month() - first.month()).cast("int64")


def days_later(day: ir.DateValue, days: int | ir.IntegerValue) -> ir.DateValue:
    """The date this number of days later; earlier for a negative number."""
    step = ibis.interval(days=days) if isinstance(days, int) else days.cast("int64").as_interval("D")
    return (day + step).cast("timestamp").cast("date")


def months_later(day: ir.DateValue, months: ir.IntegerValue) -> ir.DateValue:
    """The same day of the month this number of months later, or that month's last day."""
    # The type is a timestamp in between: DuckDB returns one for a date and an interval.
    return (day + months.cast("int64").as_interval("M")).cast("timestamp").cast("date")


def first_of_month(day: ir.DateValue) -> ir.DateValue:
    """The first day of the month of `day`."""
    return day.truncate("M").cast("timestamp").cast("date")
