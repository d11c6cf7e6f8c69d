"""Refund: what was given back in the last 90 days, by billing period."""

import pytest

from tests.builders import rows
from tests.productpulse_assets.risk.leakage.examples import give_back, leakage, losses, sub

KIND = "Refund"


def refunded(*transactions, **given):
    return losses(leakage([sub(**given)], transactions), KIND)


def test_refunds_of_one_billing_period_are_one_case():
    table = leakage([sub()], [give_back("2026-06-20", 40), give_back("2026-06-10", 25)])
    assert rows(table, "leakage_type", "period_start", "period_end", "estimated_revenue_loss", "transaction_ids") == [
        (KIND, "2026-06-05", "2026-07-05", 65.0, "T2,T1")
    ]
    assert rows(table, "explanation") == [
        (
            "$65.00 of the billing period from 2026-06-05 was refunded (2 refunds, the last on 2026-06-20).",
        )
    ]  # fmt: skip


def test_refunds_of_two_billing_periods_are_two():
    assert refunded(give_back("2026-06-04", 40), give_back("2026-06-05", 25)) == [
        ("2026-05-05", 40.0),
        ("2026-06-05", 25.0),
    ]


@pytest.mark.parametrize(("day", "cases"), [("2026-06-30", 1), ("2026-07-01", 0), ("2026-04-01", 1), ("2026-03-31", 0)])
def test_the_window_is_90_days_with_both_ends(day, cases):
    assert len(refunded(give_back(day))) == cases


def test_a_refund_after_the_end_belongs_to_the_last_billing_period():
    assert refunded(give_back("2026-06-20"), end_date="2026-04-20", status="Canceled") == [("2026-04-05", 100.0)]
