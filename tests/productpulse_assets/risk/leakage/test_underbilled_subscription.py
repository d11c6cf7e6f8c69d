"""Underbilled Subscription: more than 1 % too little was paid for a billing period."""

import pytest

from tests.builders import rows
from tests.productpulse_assets.risk.leakage.examples import fail, leakage, losses, pay, sub

KIND = "Underbilled Subscription"


def underbilled(*transactions, **given):
    return losses(leakage([sub(**given)], transactions), KIND)


def test_the_difference_is_lost():
    table = leakage([sub()], [pay("2026-06-07", 50), pay("2026-06-05", 30)])
    assert rows(table, "leakage_type", "period_start", "period_end", "estimated_revenue_loss", "transaction_ids") == [
        (KIND, "2026-06-05", "2026-07-05", 20.0, "T2,T1")
    ]
    assert rows(table, "explanation") == [
        (
            "$20.00 of $100.00 due for the billing period from 2026-06-05 was not paid (2 payments, the last on 2026-06-07).",
        )
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("price", "paid", "found"),
    [
        (100, 99, []),
        (100, 98.99, [("2026-06-05", 1.01)]),
        (33.33, 33, []),
        (33.33, 32.99, [("2026-06-05", 0.34)]),
        (100, 120, []),
    ],
)
def test_exactly_one_percent_is_fine(price, paid, found):
    assert underbilled(pay("2026-06-05", paid), monthly_price=price) == found


@pytest.mark.parametrize(("cycle", "found"), [("Quarterly", [("2026-04-05", 50.0)]), (None, [])])
def test_what_is_due_is_the_price_of_the_whole_cycle(cycle, found):
    payments = [pay("2026-04-05", 150), pay("2026-06-20", 100)]
    assert underbilled(*payments, billing_cycle=cycle) == found


@pytest.mark.parametrize(("day", "cases"), [("2026-04-01", 1), ("2026-03-31", 0), ("2026-07-01", 0)])
def test_the_last_payment_of_the_period_is_in_the_window(day, cases):
    assert len(underbilled(pay(day, 60))) == cases


def test_a_payment_before_the_window_counts_towards_a_period_that_reaches_into_it():
    assert underbilled(pay("2026-03-10", 60), pay("2026-04-01", 30)) == [("2026-03-05", 10.0)]


def test_failed_attempts_pay_nothing():
    table = leakage([sub()], [pay("2026-06-05", 60), fail("2026-06-05", 40)])
    assert rows(table, "leakage_type", "estimated_revenue_loss", "transaction_ids") == [(KIND, 40.0, "T1")]


@pytest.mark.parametrize("given", [{"status": "Trial"}, {"monthly_price": 0}])
def test_trials_and_free_plans_have_nothing_due(given):
    assert underbilled(pay("2026-06-05", 0), **given) == []


def test_a_period_without_any_payment_is_not_underbilled():
    assert underbilled(pay("2026-06-05", 0, "Failed")) == []
