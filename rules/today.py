"""Today in the company's time zone, which the days of the data are in too: the only clock of a run."""

from __future__ import annotations

import datetime as dt
from zoneinfo import ZoneInfo


def company_today(time_zone: str, now: dt.datetime | None = None) -> dt.date:
    """Today's date in a time zone; tests give `now`, a datetime with a time zone."""
    return (now or dt.datetime.now(dt.UTC)).astimezone(ZoneInfo(time_zone)).date()
