"""customer_signals: the windows counted out day by day."""

import datetime as dt

import ibis
import pytest

from asset_checks.contracts import DIMENSIONS
from productpulse_assets.signals import customer_signals
from resources.tables import table_of
from tests.builders import calendar, dataset, rows

AS_OF = dt.date(2026, 6, 30)


def ago(days):
    return AS_OF - dt.timedelta(days=days)


def signals(*usage, paying=True, as_of=AS_OF):
    months = table_of(
        [
            {"customer_id": "C1", "month": as_of.replace(day=1), "paying_end": int(paying), "mrr_end": None, "is_activated": 1}
            | dict.fromkeys(DIMENSIONS, "x")
        ],
        ibis.schema(
            {"customer_id": "string", "month": "date", "paying_end": "int64", "mrr_end": "decimal(18, 2)", "is_activated": "int64"}
            | dict.fromkeys(DIMENSIONS, "string")
        ),
    )  # fmt: skip
    return customer_signals(
        customers=dataset("customers", {"signup_date": "2026-01-01"}),
        customer_months=months,
        product_usage=dataset("product_usage", *usage),
        calendar=calendar("2026-01-01", as_of.isoformat()),
    )


def use(days, logins, key_actions=0):
    return {"date": ago(days), "logins": logins, "key_actions": key_actions}


def test_recent_is_28_days_with_the_as_of_date_and_the_baseline_the_84_before():
    table = signals(use(0, 3), use(27, 4), use(28, 60), use(111, 24), use(112, 1000))
    # 84 days before the recent 28, so 84 logins are 28 per 28 days; day 112 is older than that.
    assert rows(table, "logins_recent", "logins_baseline", "usage_change") == [(7, 28.0, -0.75)]


def test_a_younger_customer_has_a_shorter_baseline():
    # The first usage is 69 days old: 42 days of baseline, 21 logins, 14 per 28 days.
    assert rows(signals(use(10, 7), use(30, 1), use(69, 20)), "logins_baseline", "usage_change") == [(14.0, -0.5)]


@pytest.mark.parametrize(("oldest", "known"), [(55, True), (54, False)])
def test_a_baseline_of_less_than_28_days_is_none(oldest, known):
    ((change,),) = rows(signals(use(1, 5), use(oldest, 5)), "usage_change")
    assert (change is not None) == known


def test_a_baseline_without_logins_gives_no_change():
    assert rows(signals(use(1, 5), use(100, 0)), "logins_baseline", "usage_change") == [(0.0, None)]


def test_key_actions_and_the_last_login():
    table = signals(use(2, 0, 1), use(9, 1, 2), use(40, 1, 12), use(111, 1, 0))
    assert rows(table, "key_actions_recent", "key_actions_baseline", "key_action_change", "days_since_last_login") == [
        (3, 4.0, -0.25, 9)
    ]


def test_what_happens_after_the_as_of_date_is_not_known_to_it():
    assert rows(signals(use(-1, 50), use(1, 5), use(60, 5)), "logins_recent") == [(5,)]


def test_only_paying_customers_have_signals():
    assert rows(signals(use(1, 5), paying=False), "customer_id") == []
    assert rows(signals(use(1, 5)), "customer_id", "as_of_date", "tenure_days") == [("C1", "2026-06-30", 180)]


def test_without_usage_data_signals_are_unknown_and_without_a_customers_own_they_are_zero():
    assert rows(signals(), "logins_recent", "usage_change", "days_since_last_login") == [(None, None, None)]
    assert rows(signals(use(1, 5) | {"customer_id": "C2"}), "logins_recent", "usage_change") == [(0, None)]
