"""The months up to the as-of date, and the as-of date where nobody gives it."""

import datetime as dt

import dagster as dg
import pytest

from productpulse_assets.facts.calendar import DATED, calendar, first_appearance, months, newest_event
from resources.home import SettingsError
from resources.settings import RunSettings
from tests.builders import dataset

TODAY = dt.date(2026, 6, 30)


def tables(**given):
    return {name: dataset(name, *given.get(name, ())) for name in DATED}


def built(as_of, **given):
    """The calendar as a run makes it."""
    table = calendar(RunSettings(home_dir="unused", as_of=as_of), **tables(**given))
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


def test_every_event_date_of_every_dataset_can_be_the_newest():
    for name, columns in DATED.items():
        for column in columns:
            event = {column: "2026-05-05"}
            if name == "subscriptions" and column == "end_date":
                event["status"] = "Canceled"
            found = newest_event(
                tables(customers=[{"signup_date": "2026-01-01"}]) | {name: dataset(name, event)}, TODAY
            )
            assert found == dt.date(2026, 5, 5), f"{name}.{column}"


def test_the_newest_event_is_not_after_today():
    signups = [{"signup_date": "2026-06-30"}, {"signup_date": "2026-07-01"}, {"signup_date": "2099-01-01"}]
    assert newest_event(tables(customers=signups), TODAY) == dt.date(2026, 6, 30)
    assert newest_event(tables(customers=signups), dt.date(2026, 7, 15)) == dt.date(2026, 7, 1)


def test_data_that_lies_all_in_the_future_is_said():
    with pytest.raises(dg.Failure) as caught:
        newest_event(tables(customers=[{"signup_date": "2026-07-01"}]), TODAY)
    assert caught.value.description == (
        "Every date in the data is after today (2026-06-30). Check the dates, or give the day to look at with --as-of."
    )
    assert not caught.value.allow_retries


def test_the_first_appearance_is_the_earlier_of_signup_and_first_subscription():
    customers, subscriptions = dataset("customers", {"signup_date": "2026-03-05"}), [{"start_date": "2026-02-20"}]
    assert first_appearance(customers, dataset("subscriptions"), TODAY) == dt.date(2026, 3, 5)
    assert first_appearance(customers, dataset("subscriptions", *subscriptions), TODAY) == dt.date(2026, 2, 20)


def test_an_as_of_date_before_every_customer_is_said():
    with pytest.raises(dg.Failure) as caught:
        first_appearance(
            dataset("customers", {"signup_date": "2026-03-05"}), dataset("subscriptions"), dt.date(2026, 3, 4)
        )
    assert caught.value.description == (
        "No customer signed up or subscribed by 2026-03-04, the as-of date. Give a later day with --as-of."
    )


def test_a_run_takes_the_as_of_date_that_it_is_given():
    assert built("2026-03-20", customers=[{"signup_date": "2026-02-10"}, {"signup_date": "2026-05-01"}]) == [
        ("2026-02-01", "2026-02-28", True),
        ("2026-03-01", "2026-03-20", False),
    ]


def test_a_run_without_one_takes_the_newest_event():
    assert built(None, customers=[{"signup_date": "2020-02-10"}], nps_scores=[{"date": "2020-03-02", "score": 9}]) == [
        ("2020-02-01", "2020-02-29", True),
        ("2020-03-01", "2020-03-02", False),
    ]


def test_an_as_of_date_that_is_none_is_refused():
    with pytest.raises(
        SettingsError, match=r"The as-of date is '30\.06\.2026', which is not a date\. Give it as YYYY-MM-DD"
    ):
        built("30.06.2026", customers=[{}])
