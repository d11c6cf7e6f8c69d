"""The periods that a page can show: those of the address, and those of the select box."""

from __future__ import annotations

import datetime as dt

import streamlit as st

from dashboard.reading import Reading
from rules.metrics.periods import LAST_COMPLETE, read_at
from rules.metrics.time_range import THIS_MONTH, TimeRange, parse_time_range
from rules.text.errors import ProductPulseError

PERIOD = "period"
"""The parameter of the address."""


def data_months(reading: Reading) -> list[dt.date]:
    """The first days of the data's months, in order."""
    return list(_months(reading))


def complete_months(reading: Reading) -> list[dt.date]:
    """The first days of the months that are over, in order."""
    return [month for month, is_over in _months(reading).items() if is_over]


def _months(reading: Reading) -> dict[dt.date, bool]:
    """The first days of the months in order, each with whether it is over."""

    def read() -> dict[dt.date, bool]:
        calendar = reading.table("calendar").select("month", "is_complete").order_by("month")
        return {row["month"]: row["is_complete"] for row in reading.rows(calendar)}

    return reading.keep(("months",), read)


def single_months(reading: Reading) -> list[TimeRange]:
    """The months of the data as ranges, in order."""
    return [found for month in data_months(reading) if (found := range_named(reading, f"{month:%Y-%m}"))]


def range_named(reading: Reading, name: str) -> TimeRange | None:
    """The range that is written `2026-06`, `2026-Q2` and so on; None if the data has nothing of it."""
    start = reading.rules.segments.fiscal_year_start_month
    try:
        return parse_time_range(name, data_months(reading), complete_months(reading), start)
    except ProductPulseError:
        return None


def period_names(reading: Reading) -> list[str]:
    """The names of the periods to choose from: the last months together, then months, quarters and years, newest
    first."""
    months = data_months(reading)[::-1]
    over, start = complete_months(reading), reading.rules.segments.fiscal_year_start_month
    names = [THIS_MONTH] if months and months[0] not in over else []
    names += [f"last-{count}-months" for count in (3, 12) if len(over) >= count]
    names += [f"{month:%Y-%m}" for month in months]
    names += [f"{month:%Y}-Q{(month.month + 2) // 3}" for month in months]
    names += [f"{month:%Y}" for month in months]
    names += [f"FY{month.year + (month.month >= start)}" for month in months] if start > 1 else []
    return list(dict.fromkeys(names))


def chosen_range(reading: Reading) -> TimeRange | None:
    """The period in the address; None without one, or if the data has nothing of it."""
    name = st.query_params.get(PERIOD)
    return range_named(reading, name) if name else None


def latest_range(reading: Reading, metric: str) -> TimeRange | None:
    """The month that has the metric's current value; None if no month is over yet."""
    is_complete = read_at(reading.rules.metric_catalog, metric) == LAST_COMPLETE
    months = complete_months(reading) if is_complete else data_months(reading)
    return range_named(reading, f"{months[-1]:%Y-%m}") if months else None
