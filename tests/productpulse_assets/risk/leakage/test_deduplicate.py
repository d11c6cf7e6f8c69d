"""No dollar twice, and ids that stay."""

import pytest

from tests.builders import rows
from tests.productpulse_assets.risk.leakage.examples import fail, give_back, kinds, leakage, login, pay, sub


@pytest.mark.parametrize(
    ("refund", "kind", "loss"),
    [(19.99, "Underbilled Subscription", 20.0), (20, "Underbilled Subscription", 20.0), (20.01, "Refund", 20.01)],
)
def test_the_largest_loss_of_a_billing_period_stays_and_of_equals_the_first_of_the_list(refund, kind, loss):
    table = leakage([sub()], [pay("2026-06-05", 80), give_back("2026-06-15", refund)])
    assert kinds(table) == [(kind, "2026-06-05", loss)]


def test_a_failed_payment_comes_before_an_equal_refund():
    assert kinds(leakage([sub()], [fail("2026-06-05"), give_back("2026-06-06")])) == [
        ("Failed Payment", "2026-06-05", 100.0)
    ]


def test_other_periods_and_subscriptions_keep_theirs():
    payments = [fail("2026-05-05"), give_back("2026-06-06"), pay("2026-06-05", 90, subscription_id="S2")]
    assert kinds(leakage([sub(), sub("S2")], payments)) == [
        ("Failed Payment", "2026-05-05", 100.0),
        ("Missed Invoice", "2026-05-05", 100.0),
        ("Refund", "2026-06-05", 100.0),
        ("Underbilled Subscription", "2026-06-05", 10.0),
    ]


def company(as_of):
    """One with every kind of leakage but that of an unpaid subscription."""
    ended = sub("S3", "2026-01-05", customer_id="C3", status="Canceled", end_date="2026-04-20")
    payments = [fail("2026-06-01"), give_back("2026-05-06"), pay("2026-04-05", 50)]
    return leakage([sub(), ended], payments, [login("2026-06-20") | {"customer_id": "C3"}], as_of=as_of)


def test_a_problem_keeps_its_id_from_day_to_day_and_no_two_share_one():
    today, tomorrow = (rows(company(day), "leakage_id", "leakage_type") for day in ("2026-06-29", "2026-06-30"))
    assert today == tomorrow
    assert len({leakage_id for leakage_id, _kind in today}) == len(today) > 3
    assert all(len(leakage_id) == 16 and int(leakage_id, 16) >= 0 for leakage_id, _kind in today)


def test_an_unpaid_subscription_keeps_its_id_while_its_loss_grows():
    subscription = sub(status="Past Due")
    june, july = (leakage([subscription], [pay("2026-04-05")], as_of=day) for day in ("2026-06-04", "2026-07-05"))
    (first,), (later,) = (rows(table, "leakage_id", "estimated_revenue_loss") for table in (june, july))
    assert first[0] == later[0]
    assert (first[1], later[1]) == (100.0, 300.0)
