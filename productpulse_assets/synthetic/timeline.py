"""The window of the demo company in days, weeks and months.

Dates are whole days since 1970-01-01 throughout the package, months are positions in the
window (0 is the first one).
"""

from dataclasses import dataclass
from datetime import date

import numpy as np

from productpulse_assets.synthetic.settings import CompanyPlan

LAST_START_DAY = 28


@dataclass(frozen=True)
class Timeline:
    """The window's months and weeks.

    `month_starts` are the first days of the months and of the two months after them;
    `calendar_months` is the month of the year of each month of the window (0 is
    January); `mondays` are the first days of the weeks that touch the window.
    """

    months: int
    as_of: int
    month_starts: np.ndarray
    calendar_months: np.ndarray
    mondays: np.ndarray

    @property
    def as_of_day(self) -> int:
        """The as-of date's day of the month, 1 to 31."""
        return self.as_of - int(self.month_starts[self.months - 1]) + 1

    def month_of(self, days: np.ndarray) -> np.ndarray:
        """The month of each day; a day after the window has the number of months or more."""
        return np.searchsorted(self.month_starts, days, side="right") - 1


def days_since_epoch(day: date) -> int:
    """The day as a number of days since 1970-01-01."""
    return (day - date(1970, 1, 1)).days


def timeline(plan: CompanyPlan) -> Timeline:
    """The window of a plan: its months end with the month of `as_of`."""
    last = np.datetime64(plan.as_of, "M")
    months = np.arange(last - plan.months + 1, last + 3)
    month_starts = months.astype("datetime64[D]").astype(np.int32)
    as_of = days_since_epoch(plan.as_of)
    weekday_of_first = (int(month_starts[0]) + 3) % 7
    mondays = np.arange(month_starts[0] - weekday_of_first, as_of + 1, 7, dtype=np.int32)
    calendar_months = months[: plan.months].astype(np.int64) % 12
    return Timeline(plan.months, as_of, month_starts, calendar_months, mondays)
