"""Today, which is a day in the company's time zone as the days of the data are: the only clock of a run."""

from __future__ import annotations

import datetime as dt
from zoneinfo import ZoneInfo


def company_today(time_zone: str, now: dt.datetime | None = None) -> dt.date:
    """The day that it is in a time zone; `now`, a moment with a time zone of its own, is for tests."""
    return (now or dt.datetime.now(dt.UTC)).astimezone(ZoneInfo(time_zone)).date()
