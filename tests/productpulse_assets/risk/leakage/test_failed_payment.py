"""Failed Payment: failed in the last 90 days, and not made good in 21."""

import json

import pytest

from tests.builders import rows
from tests.productpulse_assets.risk.leakage.examples import fail, leakage, losses, pay, sub

KIND = "Failed Payment"


def failed(*transactions, **given):
    return losses(leakage([sub(**given)], transactions), KIND)


def test_a_payment_that_failed_is_lost_with_what_it_rests_on():
    table = leakage([sub()], [fail("2026-06-05", 149)])
    assert rows(table, "customer_id", "subscription_id", "period_start", "period_end", "estimated_revenue_loss") == [
        ("C1", "S1", "2026-06-05", "2026-07-05", 149.0)
    ]
    assert rows(table, "explanation", "is_recurring", "transaction_count", "first_date", "transaction_ids") == [
        (
            "Payment of $149.00 failed on 2026-06-05 (1 attempt) and no payment followed within 21 days.",
            False,
            1,
            "2026-06-05",
            "T1",
        )
    ]
    ((evidence,),) = rows(table, "evidence")
    assert json.loads(evidence) == {
        "transaction_count": 1,
        "amount": 149.0,
        "first_failed": "2026-06-05",
        "last_failed": "2026-06-05",
        "window_days": 90,
        "recovery_days": 21,
        "transaction_ids": ["T1"],
    }


@pytest.mark.parametrize(("paid", "cases"), [("2026-06-01", 0), ("2026-06-22", 0), ("2026-06-23", 1)])
def test_a_payment_up_to_21_days_after_makes_it_good(paid, cases):
    assert len(failed(fail("2026-06-01"), pay(paid))) == cases


@pytest.mark.parametrize(("day", "cases"), [("2026-06-30", 1), ("2026-07-01", 0), ("2026-04-01", 1), ("2026-03-31", 0)])
def test_the_window_is_90_days_with_both_ends(day, cases):
    assert len(failed(fail(day))) == cases


def test_a_payment_after_the_as_of_date_is_not_known_to_it():
    table = leakage([sub()], [fail("2026-06-20"), pay("2026-07-02")])
    assert rows(table, "explanation") == [
        ("Payment of $100.00 failed on 2026-06-20 (1 attempt) and no payment followed so far.",)
    ]


def test_retries_count_once_and_start_the_21_days_anew():
    tries = [fail("2026-05-08", 90), fail("2026-05-05")]
    table = leakage([sub()], [*tries, pay("2026-06-05")])
    assert rows(
        table, "leakage_type", "estimated_revenue_loss", "transaction_count", "last_date", "transaction_ids"
    ) == [(KIND, 100.0, 2, "2026-05-08", "T2,T1")]
    assert failed(*tries, pay("2026-05-29")) == []


def test_at_most_five_transactions_are_named():
    table = leakage([sub()], [fail("2026-06-07"), *[fail("2026-06-06")] * 5])
    assert rows(table, "transaction_count", "transaction_ids") == [(6, "T2,T3,T4,T5,T6")]


def test_bills_of_two_months_are_two_cases():
    assert failed(fail("2026-05-05"), fail("2026-06-05")) == [("2026-05-05", 100.0), ("2026-06-05", 100.0)]


@pytest.mark.parametrize("status", ["Canceled", "Expired", "Active", "Trial"])
def test_the_subscription_may_have_any_status(status):
    assert failed(fail("2026-06-05"), status=status, end_date="2026-06-20") == [("2026-06-05", 100.0)]


def test_a_payment_of_another_subscription_makes_nothing_good():
    table = leakage([sub(), sub("S2")], [fail("2026-06-05"), pay("2026-06-06", subscription_id="S2")])
    assert losses(table, KIND) == [("2026-06-05", 100.0)]


def test_a_failed_payment_of_nothing_is_no_loss():
    assert failed(fail("2026-06-05", 0)) == []
