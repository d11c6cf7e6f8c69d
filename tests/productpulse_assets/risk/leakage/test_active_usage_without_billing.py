"""Active Usage Without Billing: logins of the last 28 days, nothing paid for since 14 days or more."""

import pytest

from tests.builders import rows
from tests.productpulse_assets.risk.leakage.examples import leakage, login, losses, pay, sub

KIND = "Active Usage Without Billing"
ENDED = sub(status="Canceled", end_date="2026-05-05")


def found(*usage, subscriptions=(ENDED,)):
    return losses(leakage(subscriptions, usage=usage), KIND)


def test_logins_after_the_end_of_the_last_paid_period():
    table = leakage([ENDED], usage=[login("2026-06-20", 3), login("2026-06-10", 2)])
    assert rows(table, "leakage_type", "subscription_id", "period_start", "period_end", "estimated_revenue_loss") == [
        (KIND, "S1", "2026-05-05", "2026-06-30", 100.0)
    ]
    assert rows(table, "explanation", "is_recurring", "transaction_count") == [
        (
            "5 logins from 2026-06-10 to 2026-06-20, though the last paid period, at $100.00 a month, ended on 2026-05-05.",
            True,
            0,
        )
    ]


@pytest.mark.parametrize(("day", "cases"), [("2026-06-30", 1), ("2026-07-01", 0), ("2026-06-03", 1), ("2026-06-02", 0)])
def test_logins_count_from_27_days_ago_to_the_as_of_date(day, cases):
    assert len(found(login(day))) == cases


@pytest.mark.parametrize(("end", "cases"), [("2026-06-16", 1), ("2026-06-17", 0)])
def test_the_paid_period_has_been_over_for_14_days(end, cases):
    assert len(found(login("2026-06-25"), subscriptions=[ENDED | {"end_date": end}])) == cases


@pytest.mark.parametrize(("day", "cases"), [("2026-06-10", 1), ("2026-06-09", 0)])
def test_logins_before_the_end_were_paid_for(day, cases):
    assert len(found(login(day), subscriptions=[ENDED | {"end_date": "2026-06-10"}])) == cases


def test_a_row_of_usage_without_a_login_is_no_use():
    assert found(login("2026-06-20", 0)) == []


@pytest.mark.parametrize("running", [{}, {"status": "Trial"}, {"monthly_price": 0}, {"end_date": "2026-07-01"}])
def test_a_customer_with_any_period_on_the_as_of_date_is_not_without_one(running):
    assert found(login("2026-06-20"), subscriptions=[ENDED, sub("S2", "2026-06-01", **running)]) == []


@pytest.mark.parametrize("other", [{"end_date": "2026-06-30"}, {"start": "2026-07-01"}])
def test_a_trial_that_is_over_or_still_to_come_is_no_period_of_that_day(other):
    later = sub("S2", **({"start": "2026-06-20", "status": "Trial"} | other))
    assert found(login("2026-06-20"), subscriptions=[ENDED, later]) == [("2026-05-05", 100.0)]


@pytest.mark.parametrize("given", [{"status": "Trial"}, {"monthly_price": 0}])
def test_who_has_never_paid_is_not_lost_revenue(given):
    assert found(login("2026-06-20"), subscriptions=[ENDED | given]) == []


def test_the_last_of_several_paid_periods_the_dearest_of_two_that_ended_together():
    subscriptions = [
        ENDED,
        ENDED | {"subscription_id": "S2", "monthly_price": 70},
        ENDED | {"subscription_id": "S3", "monthly_price": 900, "end_date": "2026-05-04"},
        ENDED | {"subscription_id": "S4", "status": "Trial", "end_date": "2026-06-01"},
    ]
    table = leakage(subscriptions, usage=[login("2026-06-20")])
    assert rows(table, "subscription_id", "estimated_revenue_loss") == [("S1", 100.0)]


def test_logins_of_another_customer_are_not_counted():
    assert found(login("2026-06-20") | {"customer_id": "C2"}) == []


def test_payments_are_not_needed_to_see_it():
    assert len(found(login("2026-06-20"))) == 1
    assert losses(leakage([ENDED], [pay("2026-01-05")]), KIND) == []
