"""The months up to the as-of date, and the as-of date where none is given."""

import datetime as dt

import dagster as dg
import pytest

from asset_checks.events import DATED, NewestEvent
from productpulse_assets.facts.calendar import FORCED, as_of_date, calendar, first_event, months
from productpulse_assets.tables import Run
from resources.home import SettingsError
from resources.settings import Settings
from rules.models import AsOfLimits
from tests.builders import dataset
from tests.errors import raises
from tests.graph import RULES

TODAY = dt.date(2026, 6, 30)


def tables(**given):
    return {name: dataset(name, *given.get(name, ())) for name in DATED}


def built(as_of, tags=None, **given):
    """The calendar of a run with this as-of date."""
    run = Run(TODAY, is_forced=FORCED in (tags or {}))
    table = calendar(Settings(home="unused", as_of=as_of), RULES, run, **tables(**given))
    return [(row["month"].isoformat(), row["month_end"].isoformat(), row["is_complete"]) for row in table]


def test_months_from_the_first_to_the_as_of_month_which_ends_at_the_as_of_date():
    found = [(row["month"], row["month_end"], row["is_complete"]) for row in months(dt.date(2025, 11, 20), dt.date(2026, 2, 10))]  # fmt: skip
    assert found == [
        (dt.date(2025, 11, 1), dt.date(2025, 11, 30), True),
        (dt.date(2025, 12, 1), dt.date(2025, 12, 31), True),
        (dt.date(2026, 1, 1), dt.date(2026, 1, 31), True),
        (dt.date(2026, 2, 1), dt.date(2026, 2, 10), False),
    ]


@pytest.mark.parametrize(
    ("as_of", "end", "is_complete"),
    [
        ("2026-02-28", "2026-02-28", True),
        ("2026-02-27", "2026-02-27", False),
        ("2024-02-28", "2024-02-28", False),  # a leap year
        ("2024-02-29", "2024-02-29", True),
        ("2026-01-01", "2026-01-01", False),
        ("2026-12-31", "2026-12-31", True),
    ],
)
def test_a_month_is_complete_on_its_last_day(as_of, end, is_complete):
    day = dt.date.fromisoformat(as_of)
    (row,) = months(day.replace(day=1), day)
    assert (row["month_end"].isoformat(), row["is_complete"], row["as_of_date"]) == (end, is_complete, day)


NEWEST = NewestEvent(dt.date(2026, 3, 31))


@pytest.mark.parametrize(
    ("requested", "is_forced", "day"),
    [
        (None, False, "2026-03-31"),
        ("2026-02-10", False, "2026-02-10"),
        ("2026-05-15", False, "2026-05-15"),  # 45 days later
        ("2026-05-16", True, "2026-05-16"),
        ("2026-06-30", True, "2026-06-30"),
    ],
)
def test_the_as_of_date_is_the_requested_day_or_that_of_the_newest_event(requested, is_forced, day):
    requested = requested and dt.date.fromisoformat(requested)
    assert as_of_date(requested, NEWEST, TODAY, AsOfLimits(), is_forced=is_forced) == dt.date.fromisoformat(day)


@pytest.mark.parametrize("day", ["2026-07-01", "9999-12-31"])
@pytest.mark.parametrize("is_forced", [False, True])
def test_a_day_after_today_is_refused_even_when_forced(day, is_forced):
    with pytest.raises(dg.Failure) as caught:
        as_of_date(dt.date.fromisoformat(day), NEWEST, TODAY, AsOfLimits(), is_forced=is_forced)
    assert caught.value.description == (
        f"The as-of date, {day}, is after today, 2026-06-30 in the time zone of sources.yaml. What has not happened yet "
        "is in no data. Give today or an earlier day."
    )
    assert not caught.value.allow_retries


def test_a_day_long_after_the_newest_event_is_refused_with_that_date():
    with pytest.raises(dg.Failure) as caught:
        as_of_date(dt.date(2026, 5, 16), NEWEST, TODAY, AsOfLimits(), is_forced=False)
    assert caught.value.description == (
        "The as-of date, 2026-05-16, is 46 days after 2026-03-31, the newest event in the data. What happened since then "
        "is not in the data and would count as missed. Give a day up to 2026-05-15 (45 days: "
        "most_days_after_newest_event in data_quality.yaml), or --force."
    )
    wider = AsOfLimits(most_days_after_newest_event=46)
    assert as_of_date(dt.date(2026, 5, 16), NEWEST, TODAY, wider, is_forced=False) == dt.date(2026, 5, 16)


def test_data_with_dates_after_today_only_is_refused():
    with pytest.raises(dg.Failure) as caught:
        as_of_date(None, None, TODAY, AsOfLimits(), is_forced=False)
    assert caught.value.description == (
        "Every date in the data is after today, 2026-06-30 in the time zone of sources.yaml. Check the dates."
    )


def test_a_run_refuses_a_day_long_after_its_data_unless_its_tag_allows_it():
    customers = [{"signup_date": "2020-01-31"}]
    with pytest.raises(dg.Failure, match="is 60 days after 2020-01-31"):
        built("2020-03-31", customers=customers)
    with pytest.raises(dg.Failure, match="9999-12-31, is after today"):
        built("9999-12-31", {FORCED: "true"}, customers=customers)
    assert len(built("2020-03-31", {FORCED: "true"}, customers=customers)) == 3


def test_the_calendar_begins_with_the_first_event_of_any_dataset():
    customers, subscriptions = [{"signup_date": "2026-03-05"}], [{"start_date": "2026-02-20"}]
    usage = [{"date": "2026-01-31"}]
    assert first_event(tables(customers=customers), TODAY) == dt.date(2026, 3, 5)
    assert first_event(tables(customers=customers, subscriptions=subscriptions), TODAY) == dt.date(2026, 2, 20)
    assert first_event(tables(customers=customers, product_usage=usage), TODAY) == dt.date(2026, 1, 31)


def test_an_as_of_date_before_every_customer_is_refused():
    with pytest.raises(dg.Failure) as caught:
        first_event(tables(customers=[{"signup_date": "2026-03-05"}]), dt.date(2026, 3, 4))
    assert caught.value.description == (
        "No customer signed up or subscribed by 2026-03-04, the as-of date. Give a later day with --as-of."
    )


def test_a_run_uses_the_given_as_of_date():
    assert built("2026-03-20", customers=[{"signup_date": "2026-02-10"}, {"signup_date": "2026-05-01"}]) == [
        ("2026-02-01", "2026-02-28", True),
        ("2026-03-01", "2026-03-20", False),
    ]


def test_a_run_without_an_as_of_date_uses_the_newest_event():
    assert built(None, customers=[{"signup_date": "2020-02-10"}], nps_scores=[{"date": "2020-03-02", "score": 9}]) == [
        ("2020-02-01", "2020-02-29", True),
        ("2020-03-01", "2020-03-02", False),
    ]


def test_an_as_of_date_that_is_not_a_date_is_refused():
    with raises("settings.as_of_not_a_date", SettingsError):
        built("30.06.2026", customers=[{}])
