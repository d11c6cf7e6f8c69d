"""Today, which is a day in the company's time zone as the days of the data are: the only clock of a run."""

from __future__ import annotations

import datetime as dt
from zoneinfo import ZoneInfo

from rules.loading.files import load
from rules.models import Sources


def company_today(now: dt.datetime | None = None) -> dt.date:
    """The day that it is in the time zone of sources.yaml; `now`, with a time zone, is the moment that is meant."""
    moment = now or dt.datetime.now(dt.UTC)
    return moment.astimezone(ZoneInfo(load("sources", Sources).time_zone)).date()
