"""Today is a day in the company's time zone, not in the machine's."""

import datetime as dt

import pytest

from rules.today import company_today

NOON = dt.datetime(2026, 11, 26, 12, 0, tzinfo=dt.UTC)


@pytest.mark.parametrize(
    ("time_zone", "day"), [("UTC", 26), ("Pacific/Kiritimati", 27), ("Asia/Tokyo", 26), ("Pacific/Pago_Pago", 26)]
)
def test_today_is_a_day_in_the_time_zone(time_zone, day):
    assert company_today(time_zone, NOON) == dt.date(2026, 11, day)


def test_without_a_moment_it_is_now():
    before = dt.datetime.now(dt.UTC).date()
    assert before <= company_today("UTC") <= before + dt.timedelta(days=1)
