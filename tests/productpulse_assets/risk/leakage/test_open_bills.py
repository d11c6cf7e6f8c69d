"""Open bills: each has one cause, and loses what is open of it."""

import json

import pytest

from tests.builders import rows
from tests.productpulse_assets.risk.leakage.examples import fail, give_back, kinds, leakage, losses, pay, sub

pytestmark = pytest.mark.slow

FAILED, MISSED, UNDERBILLED, UNPAID = (
    "Failed Payment", "Missed Invoice", "Underbilled Subscription", "Unpaid Active Subscription",
)  # fmt: skip
PAID = [pay(f"2026-0{month}-05") for month in (1, 2, 3, 4, 6)]
"""Payments of S1 for all billing dates but that of May."""
LONG_AGO = pay("2025-12-01", subscription_id="S9") | {"customer_id": "C9"}
"""A payment that only shows how far back the transactions go."""


# --- no attempt ---------------------------------------------------------------------------------------


def test_a_bill_without_an_attempt_is_a_missed_invoice():
    table = leakage([sub()], PAID)
    assert rows(table, "leakage_type", "period_start", "period_end", "estimated_revenue_loss", "transaction_count") == [
        (MISSED, "2026-05-05", "2026-06-05", 100.0, 0)
    ]
    assert rows(table, "explanation", "first_date", "transaction_ids") == [
        (
            "The bill of $100.00 due on 2026-05-05 was not paid, without an attempt to collect it; $100.00 is open.",
            None,
            None,
        )
    ]


@pytest.mark.parametrize(("day", "cases"), [("2026-06-20", 1), ("2026-06-21", 0)])
def test_a_bill_of_the_last_10_days_may_still_be_paid(day, cases):
    assert len(losses(leakage([sub(start=day)], [LONG_AGO]), MISSED)) == cases


@pytest.mark.parametrize(("day", "cases"), [("2026-04-01", 1), ("2026-03-31", 0)])
def test_the_window_is_90_days(day, cases):
    assert len(losses(leakage([sub(start=day, billing_cycle="Annual")], [LONG_AGO]), MISSED)) == cases


def test_before_the_first_transaction_the_export_has_no_bills():
    table = leakage([sub(start="2026-01-01")], [LONG_AGO | {"transaction_date": "2026-05-02"}])
    assert losses(table, MISSED) == [("2026-06-01", 100.0)]


@pytest.mark.parametrize(
    ("cycle", "found"),
    [
        ("Monthly", [("2026-04-30", 100.0), ("2026-05-31", 100.0)]),
        ("Quarterly", [("2026-04-30", 300.0)]),
        ("Annual", []),
        (None, []),
    ],
)
def test_bills_are_a_cycle_apart_on_the_day_of_the_start_or_the_months_last(cycle, found):
    assert losses(leakage([sub(start="2026-01-31", billing_cycle=cycle)], [LONG_AGO]), MISSED) == found


@pytest.mark.parametrize(("end", "found"), [("2026-05-05", []), ("2026-05-20", [("2026-05-05", 50.0)])])
def test_after_the_end_nothing_is_due_and_before_it_the_days_used(end, found):
    assert losses(leakage([sub(end_date=end, status="Canceled")], PAID[:4]), MISSED) == (
        found and [("2026-05-05", 48.39)]
    )


@pytest.mark.parametrize("given", [{"status": "Trial"}, {"monthly_price": 0}])
def test_trials_and_free_plans_are_not_billed(given):
    assert kinds(leakage([sub(**given)], PAID)) == []


# --- attempts that failed -----------------------------------------------------------------------------


def test_a_bill_whose_attempts_failed_is_a_failed_payment_with_its_attempts():
    table = leakage([sub()], [*PAID, fail("2026-05-08", 90), fail("2026-05-05")])
    assert rows(table, "leakage_type", "estimated_revenue_loss", "transaction_count", "transaction_ids") == [
        (FAILED, 100.0, 2, "T7,T6")
    ]
    ((evidence, explanation),) = rows(table, "evidence", "explanation")
    assert json.loads(evidence) == {
        "transaction_count": 2, "due": 100.0, "due_date": "2026-05-05", "open": 100.0, "first_failed": "2026-05-05",
        "last_failed": "2026-05-08", "window_days": 90, "transaction_ids": ["T7", "T6"],
    }  # fmt: skip
    assert explanation == (
        "The payment of the bill due on 2026-05-05 failed on 2026-05-05 (2 attempts); $100.00 of $100.00 is open."
    )


def test_at_most_five_transactions_are_named():
    table = leakage([sub()], [*PAID[:4], fail("2026-05-07"), *[fail("2026-05-06")] * 5, PAID[4]])
    assert rows(table, "transaction_count", "transaction_ids") == [(6, "T10,T6,T7,T8,T9")]


@pytest.mark.parametrize("paid", ["2026-05-05", "2026-05-30", "2026-06-20"])
def test_a_payment_after_the_attempts_settles_the_bill_however_late(paid):
    assert kinds(leakage([sub()], [*PAID, fail("2026-05-05"), pay(paid)])) == []


def test_a_payment_after_the_as_of_date_is_not_known():
    assert losses(leakage([sub()], [*PAID, fail("2026-05-05"), pay("2026-07-02")]), FAILED) == [("2026-05-05", 100.0)]


def test_a_retry_that_succeeds_under_the_next_period_settles_the_bill():
    old = sub(status="Expired", end_date="2026-05-05")
    table = leakage([old, sub("S2", "2026-05-05")], [
        *[pay(f"2026-0{month}-05") for month in (1, 2, 3)], fail("2026-04-05"), pay("2026-04-12", subscription_id="S2"),
        pay("2026-05-05", subscription_id="S2"), pay("2026-06-05", subscription_id="S2"),
    ])  # fmt: skip
    assert kinds(table) == []


# --- paid short ---------------------------------------------------------------------------------------


def test_a_bill_paid_in_part_loses_the_difference():
    table = leakage([sub()], [*PAID[:4], pay("2026-05-05"), pay("2026-06-07", 50), pay("2026-06-05", 30)])
    assert rows(table, "leakage_type", "period_start", "estimated_revenue_loss", "transaction_ids") == [
        (UNDERBILLED, "2026-06-05", 20.0, "T7,T6")
    ]
    assert rows(table, "explanation") == [
        ("$20.00 of $100.00 due for the billing period from 2026-06-05 was not paid (2 payments, the last on 2026-06-07).",)
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("price", "paid", "loss"), [(100, 99, None), (100, 98.99, 1.01), (33.33, 33, None), (33.33, 32.99, 0.34)]
)
def test_one_percent_of_the_amount_may_be_missing(price, paid, loss):
    others = [pay(f"2026-0{month}-05", price) for month in range(1, 6)]
    found = kinds(leakage([sub(monthly_price=price)], [*others, pay("2026-06-05", paid)]))
    assert found == ([(UNDERBILLED, "2026-06-05", loss)] if loss else [])


# --- past due -----------------------------------------------------------------------------------------


def test_a_past_due_subscription_owes_its_bills_since_the_last_paid_one():
    table = leakage([sub(status="Past Due")], [*PAID[:4], fail("2026-05-05"), fail("2026-06-05")])
    assert rows(table, "leakage_type", "period_start", "period_end", "estimated_revenue_loss", "transaction_ids") == [
        (UNPAID, "2026-05-05", "2026-06-30", 200.0, "T5,T6")
    ]
    assert rows(table, "explanation", "is_recurring") == [
        ("Past Due, and not paid since the bill due on 2026-05-05: $200.00 is open (2 bills).", True)
    ]


def test_a_bill_that_failed_before_the_last_paid_one_is_a_case_of_its_own():
    table = leakage([sub(status="Past Due")], [*PAID[:3], fail("2026-04-05"), pay("2026-05-05"), fail("2026-06-05")])
    assert kinds(table) == [(FAILED, "2026-04-05", 100.0), (UNPAID, "2026-06-05", 100.0)]


def test_a_past_due_subscription_that_was_never_paid_owes_all_its_bills():
    table = leakage([sub(start="2026-04-15", status="Past Due")], [LONG_AGO, fail("2026-04-15")])
    assert kinds(table) == [(UNPAID, "2026-04-15", 300.0)]


def test_a_past_due_status_without_an_open_bill_is_no_loss():
    assert kinds(leakage([sub(status="Past Due")], [*PAID, pay("2026-05-05")])) == []


def test_the_status_of_a_past_day_is_not_known():
    table = leakage([sub(status="Past Due")], [*PAID[:4], fail("2026-05-05"), fail("2026-06-05")], is_current=False)
    assert kinds(table) == [(FAILED, "2026-05-05", 100.0), (FAILED, "2026-06-05", 100.0)]


# --- what is counted once, and what beside -------------------------------------------------------------


def test_what_was_paid_short_and_what_was_given_back_are_different_money():
    table = leakage([sub()], [*PAID[:4], pay("2026-05-05"), pay("2026-06-05", 60), give_back("2026-06-15", 30)])
    assert kinds(table) == [("Refund", "2026-06-05", 30.0), (UNDERBILLED, "2026-06-05", 40.0)]


def test_a_problem_keeps_its_id_from_day_to_day():
    given = [sub()], [*PAID[:4], fail("2026-05-05"), give_back("2026-04-08", 30), pay("2026-06-05", 90)]
    today, tomorrow = (
        rows(leakage(*given, as_of=day), "leakage_id", "leakage_type") for day in ("2026-06-29", "2026-06-30")
    )
    assert today == tomorrow
    assert len({leakage_id for leakage_id, _kind in today}) == 3
