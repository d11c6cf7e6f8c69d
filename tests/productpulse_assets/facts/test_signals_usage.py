"""Signals from product usage: the windows, day by day."""

import pytest

from tests.productpulse_assets.facts.one_customer import ago
from tests.productpulse_assets.facts.one_customer import signals_without_bills as signals


def use(days, logins, key_actions=0, **more):
    return {"date": ago(days), "logins": logins, "key_actions": key_actions} | more


def of(usage, *columns):
    return signals(*columns, product_usage=usage)


def test_the_recent_days_are_28_and_the_baseline_the_84_before_them():
    usage = [use(0, 3), use(27, 4), use(28, 60), use(111, 24), use(112, 1000)]
    # 84 days before the recent 28, so 84 logins are 28 per 28 days; day 112 is older than that.
    assert of(usage, "logins_recent", "logins_baseline", "usage_change") == [(7, 28.0, -0.75)]


def test_a_new_customer_has_a_shorter_baseline():
    # The first usage is 69 days old: 42 days of baseline, 21 logins, 14 per 28 days.
    assert of([use(10, 7), use(30, 1), use(69, 20)], "logins_baseline", "usage_change") == [(14.0, -0.5)]


@pytest.mark.parametrize(("oldest", "change"), [(55, 0.0), (54, None)])
def test_a_baseline_of_less_than_28_days_is_unknown(oldest, change):
    assert of([use(1, 5), use(oldest, 5)], "usage_change") == [(change,)]


def test_a_baseline_without_logins_gives_no_change():
    assert of([use(1, 5), use(100, 0)], "logins_baseline", "usage_change") == [(0.0, None)]


def test_key_actions_and_the_last_login():
    usage = [use(2, 0, 1), use(9, 1, 2), use(40, 1, 12), use(111, 1, 0)]
    columns = ("key_actions_recent", "key_actions_baseline", "key_action_change", "days_since_last_login")
    assert of(usage, *columns) == [(3, 4.0, -0.25, 9)]


@pytest.mark.parametrize(("key_actions", "is_activated"), [(3, False), (4, True)])
def test_a_customer_with_more_than_five_key_actions_is_activated(key_actions, is_activated):
    assert of([use(1, 1, 2), use(150, 1, key_actions), use(-1, 1, 9)], "is_activated") == [(is_activated,)]


def test_usage_after_the_as_of_date_does_not_count():
    usage = [use(-1, 50), use(1, 5), use(60, 5)]
    assert of(usage, "logins_recent", "days_since_last_login") == [(5, 1)]


def test_signals_are_unknown_without_usage_data_and_0_without_usage_of_the_customer():
    columns = ("logins_recent", "key_actions_recent", "usage_change", "days_since_last_login", "is_activated")
    assert of([], *columns) == [(None, None, None, None, None)]
    assert of([use(1, 5, customer_id="C2"), use(200, 5, customer_id="C2")], *columns) == [(0, 0, None, None, False)]


@pytest.mark.parametrize(
    ("first_use", "signed_up", "expected"),
    [
        (26, 180, (None, None)),  # 27 days of usage: less than the recent 28
        (27, 180, (0, None)),
        (110, 180, (0, None)),  # is_activated needs the baseline as well: 112 days
        (111, 180, (0, False)),
        (20, 34, (0, False)),  # signed up two weeks before the first usage, as long as two gaps: that is no late start
        (20, 35, (None, None)),
    ],
)
def test_before_the_dataset_is_as_old_as_the_window_no_use_is_unknown(first_use, signed_up, expected):
    others = [use(days, 5, customer_id="C2") for days in range(first_use % 7, first_use + 1, 7)]
    customer = {"signup_date": ago(signed_up)}
    found = signals("logins_recent", "is_activated", customers=(customer,), product_usage=others)
    assert found == [expected]
    active = [*others, use(first_use, 5, 9)]  # what the customer did is known all the same
    assert signals("is_activated", customers=(customer,), product_usage=active) == [(True,)]


WEEKLY = [use(days, 5, 2) for days in range(29, 200, 7)]


def test_after_the_end_of_a_late_export_use_is_unknown_and_not_zero():
    columns = ("logins_recent", "usage_change", "key_action_change", "days_since_last_login", "is_activated")
    assert of(WEEKLY, *columns) == [(None, None, None, None, True)]
    assert of([use(days, 1) for days in range(29, 200, 7)], "is_activated") == [(None,)]


def test_a_week_without_an_export_is_not_late_and_what_others_use_shows_where_it_ends():
    weekly = [use(days, 5) for days in range(8, 200, 7)]
    assert of(weekly, "days_since_last_login") == [(8,)]
    assert of([*WEEKLY, use(1, 5, customer_id="C2")], "days_since_last_login", "logins_recent") == [(29, 0)]
