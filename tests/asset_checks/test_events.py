"""The newest event of the data: what counts as one, and when a date stands alone."""

import datetime as dt

import pytest

from asset_checks.events import DATED, NewestEvent, event_days, newest_event
from tests.builders import dataset, rows

TODAY = dt.date(2026, 11, 26)


def tables(**given):
    return {name: dataset(name, *given.get(name, ())) for name in DATED}


def newest(until=TODAY, lone_date_days=30, **given):
    return newest_event(tables(**given), until, lone_date_days)


def day(text):
    return dt.date.fromisoformat(text)


def weekly(first: str, weeks: int):
    """Rows of use, one a week."""
    return [{"date": day(first) + dt.timedelta(weeks=week)} for week in range(weeks)]


@pytest.mark.parametrize(("name", "column"), [(name, column) for name in DATED for column in DATED[name]])
def test_every_event_date_of_every_dataset_can_be_the_newest(name, column):
    given = {"customers": [{"signup_date": "2026-01-01"}], name: [{column: "2026-01-05"}]}
    assert newest(**given) == NewestEvent(day("2026-01-05"))


def test_the_newest_event_is_not_after_today():
    signups = [{"signup_date": "2026-06-30"}, {"signup_date": "2026-07-01"}, {"signup_date": "2099-01-01"}]
    assert newest(day("2026-06-30"), customers=signups).day == day("2026-06-30")
    assert newest(day("2026-07-15"), customers=signups).day == day("2026-07-01")
    assert newest(day("2026-06-29"), customers=signups) is None


@pytest.mark.parametrize("status", ["Active", "Past Due", "Trial", "Canceled", "Expired"])
def test_the_end_of_a_subscription_is_no_event_where_activity_shows_how_far_the_data_goes(status):
    ends = [{"status": status, "start_date": "2025-10-20", "end_date": "2026-10-20"}]
    assert newest(subscriptions=ends, product_usage=weekly("2026-06-22", 2)) == NewestEvent(day("2026-06-29"))


@pytest.mark.parametrize(
    ("status", "newest_day"),
    [
        ("Canceled", "2026-01-15"),
        ("Expired", "2026-01-15"),
        ("Active", "2026-01-01"),
        ("Past Due", "2026-01-01"),
        ("Trial", "2026-01-01"),
    ],
)
def test_without_activity_an_end_that_has_come_shows_it_and_a_plan_does_not(status, newest_day):
    ends = [{"status": status, "end_date": "2026-01-15"}, {"start_date": "2026-01-01"}]
    assert newest(subscriptions=ends).day == day(newest_day)


def test_days_are_counted_by_dataset_and_column_and_a_row_once_a_day():
    tickets = [
        {"date_opened": "2026-06-20", "date_closed": "2026-06-20"},
        {"date_opened": "2026-06-20", "date_closed": "2026-06-22"},
    ]
    found = event_days(tables(support_tickets=tickets))
    assert rows(found, "dataset", "column_name", "day", "rows") == [
        ("support_tickets", "date_closed", "2026-06-22", 1),
        ("support_tickets", "date_opened", "2026-06-20", 2),
    ]


MISTYPED = [{"date_opened": "2026-06-20", "status": "Closed", "date_closed": "2026-11-20"}]


def test_one_mistyped_date_is_named_and_does_not_set_the_as_of_date():
    found = newest(product_usage=weekly("2026-01-05", 26), support_tickets=MISTYPED)
    assert found == NewestEvent(day("2026-06-29"), lone=day("2026-11-20"), gap=144)
    assert not found.is_lone_believed


def test_a_date_of_two_rows_does_not_stand_alone():
    found = newest(product_usage=weekly("2026-01-05", 26), support_tickets=MISTYPED * 2)
    assert found == NewestEvent(day("2026-11-20"))


@pytest.mark.parametrize(("last", "is_alone"), [("2026-07-29", False), ("2026-07-30", True)])
def test_a_date_stands_alone_after_more_than_thirty_days(last, is_alone):
    found = newest(product_usage=weekly("2026-01-05", 26), nps_scores=[{"date": last, "score": 9}])
    assert (found.lone == day(last)) == is_alone
    assert found.day == (day("2026-06-29") if is_alone else day(last))
    assert newest(product_usage=weekly("2026-01-05", 26), nps_scores=[{"date": last}], lone_date_days=31).lone is None


def test_a_lone_date_counts_where_gaps_as_long_are_usual():
    quarters = ["2025-01-01", "2025-04-01", "2025-07-01", "2025-10-01", "2026-01-01", "2026-04-01", "2026-07-01"]
    found = newest(transactions=[{"subscription_id": "S1", "transaction_date": quarter} for quarter in quarters])
    assert found == NewestEvent(day("2026-07-01"), lone=day("2026-07-01"), gap=91)


def test_a_lone_date_counts_where_too_few_dates_are_known_to_judge_by():
    found = newest(
        customers=[{"signup_date": "2024-01-10"}, {"signup_date": "2024-02-10"}],
        support_tickets=[{"date_opened": "2024-10-30"}],
    )
    assert found == NewestEvent(day("2024-10-30"), lone=day("2024-10-30"), gap=263)
    assert found.is_lone_believed
