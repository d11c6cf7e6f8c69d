"""Missed Invoice: a billing date of the last 90 days, 10 days ago or more, with nothing around it."""

import pytest

from tests.builders import rows
from tests.productpulse_assets.risk.leakage.examples import fail, give_back, leakage, losses, pay, sub

KIND = "Missed Invoice"
OTHERS = [pay(f"2026-0{month}-05") for month in (1, 2, 3, 4, 6)]
"""Payments of S1 for all billing dates but that of May."""
LONG_AGO = pay("2025-12-01", subscription_id="S2")
"""A payment that only shows how far back the transactions go."""


def missed(*transactions, **given):
    return losses(leakage([sub(**given)], transactions), KIND)


def test_a_billing_date_that_nothing_happened_on():
    table = leakage([sub()], OTHERS)
    assert rows(table, "leakage_type", "period_start", "period_end", "estimated_revenue_loss", "transaction_count") == [
        (KIND, "2026-05-05", "2026-06-05", 100.0, 0)
    ]
    assert rows(table, "explanation", "first_date", "transaction_ids") == [
        (
            "Nothing was collected or tried within 10 days of the billing date 2026-05-05, when $100.00 was due.",
            None,
            None,
        )
    ]


@pytest.mark.parametrize(("day", "cases"), [("2026-05-15", 0), ("2026-05-16", 1), ("2026-04-25", 0), ("2026-04-24", 1)])
@pytest.mark.parametrize("attempt", [pay, fail, give_back])
def test_any_transaction_within_10_days_belongs_to_it(attempt, day, cases):
    assert len(missed(*OTHERS, attempt(day))) == cases


def test_transactions_of_another_subscription_do_not():
    assert len(missed(*OTHERS, pay("2026-05-05", subscription_id="S2"))) == 1


@pytest.mark.parametrize(("day", "cases"), [("2026-06-20", 1), ("2026-06-21", 0)])
def test_a_bill_of_the_last_10_days_may_be_late(day, cases):
    assert len(missed(LONG_AGO, start=day)) == cases


@pytest.mark.parametrize(("day", "cases"), [("2026-04-01", 1), ("2026-03-31", 0)])
def test_the_window_is_90_days(day, cases):
    assert len(missed(LONG_AGO, start=day, billing_cycle="Annual")) == cases


def test_before_the_first_transaction_the_export_says_nothing():
    assert missed(pay("2026-05-02"), start="2026-01-01") == [("2026-06-01", 100.0)]
    assert missed(pay("2026-05-01", subscription_id="S2"), start="2026-01-01") == [
        ("2026-05-01", 100.0),
        ("2026-06-01", 100.0),
    ]


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
    assert missed(LONG_AGO, start="2026-01-31", billing_cycle=cycle) == found


def test_an_annual_bill_is_due_on_the_anniversary():
    table = leakage([sub(start="2024-05-05", billing_cycle="Annual")], [LONG_AGO])
    assert rows(table, "period_start", "period_end", "estimated_revenue_loss") == [("2026-05-05", "2027-05-05", 1200.0)]


@pytest.mark.parametrize(("end", "found"), [("2026-05-05", []), ("2026-05-06", [("2026-05-05", 100.0)])])
def test_nothing_is_billed_from_the_end_on(end, found):
    others = [*OTHERS[:-1], pay("2026-06-05")]
    assert missed(*others, end_date=end, status="Canceled") == found


@pytest.mark.parametrize("given", [{"status": "Trial"}, {"monthly_price": 0}])
def test_trials_and_free_plans_are_not_billed(given):
    assert missed(*OTHERS, **given) == []
