"""Unpaid Active Subscription: Past Due, at the price of each month since the last payment."""

import pytest

from tests.builders import rows
from tests.productpulse_assets.risk.leakage.examples import fail, give_back, kinds, leakage, losses, pay, sub

KIND = "Unpaid Active Subscription"


def past_due(**given):
    return sub(status="Past Due", **given)


def test_months_since_the_last_payment_from_the_next_billing_date_on():
    table = leakage([past_due()], [pay("2026-04-05"), fail("2026-05-05"), fail("2026-06-05")])
    assert rows(table, "leakage_type", "period_start", "period_end", "estimated_revenue_loss", "transaction_ids") == [
        (KIND, "2026-05-05", "2026-06-30", 200.0, "T2,T3")
    ]
    assert rows(table, "explanation", "is_recurring") == [
        ("Past Due and last paid on 2026-04-05: 2 months at $100.00 a month not paid.", True)
    ]


@pytest.mark.parametrize(
    ("paid", "loss"), [("2026-06-05", 100.0), ("2026-05-31", 100.0), ("2026-05-01", 100.0), ("2026-04-30", 200.0)]
)
def test_whole_months_and_at_least_one(paid, loss):
    ((_start, found),) = losses(leakage([past_due(start="2026-01-01")], [pay(paid)]), KIND)
    assert found == loss


def test_never_paid_counts_from_the_start():
    table = leakage([past_due(start="2026-04-15")], [fail("2026-04-15")])
    assert kinds(table) == [(KIND, "2026-04-15", 200.0)]
    assert rows(table, "explanation") == [
        ("Past Due and never paid since its start on 2026-04-15: 2 months at $100.00 a month not paid.",)
    ]


def test_a_quarterly_bill_is_due_at_the_next_quarter():
    table = leakage([past_due(start="2026-01-05", billing_cycle="Quarterly")], [pay("2026-01-07", 300)])
    assert kinds(table) == [(KIND, "2026-04-05", 500.0)]


def test_of_a_past_day_the_status_is_not_known():
    payments = [pay("2026-04-05"), fail("2026-05-05"), fail("2026-06-05")]
    assert kinds(leakage([past_due()], payments, is_current=False)) == [
        ("Failed Payment", "2026-05-05", 100.0),
        ("Failed Payment", "2026-06-05", 100.0),
    ]


@pytest.mark.parametrize(
    ("given", "cases"),
    [
        ({"end_date": "2026-07-01"}, 1),
        ({"end_date": "2026-06-30"}, 0),
        ({"monthly_price": 0}, 0),
        ({"start": "2026-07-01"}, 0),
    ],
)
def test_only_what_runs_on_the_as_of_date_and_costs_something(given, cases):
    payments = [pay("2026-06-20", subscription_id="S2")]
    table = leakage([past_due(**given), sub("S2", "2026-06-20")], payments)
    assert len(losses(table, KIND)) == cases


def test_it_stands_for_all_failed_payments_and_for_all_that_begins_with_it_or_later():
    payments = [
        fail("2026-04-05"),
        pay("2026-04-30"),
        give_back("2026-05-04"),
        give_back("2026-05-05"),
        give_back("2026-06-06"),
    ]
    table = leakage([past_due()], payments)
    assert kinds(table) == [("Refund", "2026-04-05", 100.0), (KIND, "2026-05-05", 200.0)]


def test_other_subscriptions_keep_their_cases():
    failed = [fail("2026-06-05"), fail("2026-06-05") | {"subscription_id": "S2"}]
    table = leakage([past_due(), sub("S2", billing_cycle=None)], [pay("2026-05-05"), *failed])
    assert kinds(table) == [("Failed Payment", "2026-06-05", 100.0), (KIND, "2026-06-05", 100.0)]
