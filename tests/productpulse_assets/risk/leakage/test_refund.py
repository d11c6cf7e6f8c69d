"""Refund: what was given back in the last 90 days of money that was due."""

import pytest

from tests.builders import rows
from tests.productpulse_assets.risk.leakage.examples import give_back, kinds, leakage, losses, pay, sub

KIND = "Refund"
PAID = [pay(f"2026-0{month}-05") for month in range(1, 7)]


def refunded(*transactions, **given):
    return losses(leakage([sub(**given)], [*PAID, *transactions]), KIND)


def test_refunds_of_one_billing_period_are_one_case():
    table = leakage([sub()], [*PAID, give_back("2026-06-20", 40), give_back("2026-06-10", 25)])
    assert rows(table, "leakage_type", "period_start", "period_end", "estimated_revenue_loss", "transaction_ids") == [
        (KIND, "2026-06-05", "2026-07-05", 65.0, "T8,T7")
    ]
    assert rows(table, "explanation") == [
        ("$65.00 of the billing period from 2026-06-05 was refunded (2 refunds, the last on 2026-06-20).",)
    ]


def test_refunds_of_two_billing_periods_are_two():
    assert refunded(give_back("2026-06-04", 40), give_back("2026-06-05", 25)) == [
        ("2026-05-05", 40.0),
        ("2026-06-05", 25.0),
    ]


@pytest.mark.parametrize(("day", "cases"), [("2026-06-30", 1), ("2026-07-01", 0), ("2026-04-01", 1), ("2026-03-31", 0)])
def test_the_window_is_90_days_with_both_ends(day, cases):
    assert len(refunded(give_back(day, 10))) == cases


def test_a_refund_re_opens_no_bill():
    assert kinds(leakage([sub()], [*PAID, give_back("2026-06-10")])) == [(KIND, "2026-06-05", 100.0)]


@pytest.mark.parametrize("wrong", [80, 100, 120])
def test_a_wrong_payment_that_was_refunded_and_made_again_loses_nothing(wrong):
    again = [pay("2026-06-05", wrong), give_back("2026-06-08", wrong), pay("2026-06-10", 100)]
    assert kinds(leakage([sub()], [*PAID[:5], *again])) == []


def test_a_payment_that_was_made_twice_and_given_back_pays_no_other_bill():
    table = leakage([sub()], [*PAID[:3], pay("2026-03-06"), give_back("2026-03-09"), PAID[3], PAID[5]])
    assert kinds(table) == [("Missed Invoice", "2026-05-05", 100.0)]


def test_a_refund_without_a_subscription_is_one_of_the_payment_that_it_gives_back():
    both = [sub("S1"), sub("S2", monthly_price=30)]
    paid = [pay(f"2026-0{month}-05", amount, subscription_id=None) for month in range(1, 7) for amount in (100, 30)]
    back = pay("2026-06-20", 30, "Refunded", None)
    assert rows(leakage(both, [*paid, back]), "leakage_type", "subscription_id", "period_start") == [
        ("Refund", "S2", "2026-06-05")
    ]
    alone = leakage([sub("S1")], [*(pay(f"2026-0{month}-05", subscription_id=None) for month in range(1, 7)), back])
    assert rows(alone, "leakage_type", "subscription_id", "period_start") == [("Refund", "S1", "2026-06-05")]
