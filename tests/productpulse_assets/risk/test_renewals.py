"""Renewals: one row per term that ends, and what became of it."""

import ibis

from productpulse_assets.facts.contract_lines import contract_lines
from productpulse_assets.facts.contract_terms import contract_terms
from productpulse_assets.risk.renewals import renewals
from tests.builders import calendar, dataset, inventory, rows, store
from tests.graph import empty
from tests.productpulse_assets.facts.ledger import computed

AS_OF = "2026-06-30"


def found(*columns, absent=(), **given):
    subscriptions = given["subscriptions"]
    ids = sorted({row.get("customer_id", "C1") for row in subscriptions})
    customers = [{"customer_id": each, "account_owner": "Ann" if each == "C1" else None} for each in ids]
    tables = {
        "customers": dataset("customers", *customers),
        "subscriptions": dataset("subscriptions", *subscriptions),
        "transactions": dataset("transactions"),
        "calendar": calendar("2024-01-01", AS_OF),
        "source_inventory": inventory(*absent),
        "churn_risk_profiles": empty("churn_risk_profiles"),
    }
    table = computed(store(tables), (contract_lines, contract_terms, renewals))["renewals"]
    return rows(ibis.memtable(table.to_pyarrow()), *columns, by=("subscription_id", "term_end"))


def year(name, start, **more):
    return {"subscription_id": name, "billing_cycle": "Annual", "start_date": start} | more


def ended(name, start, end, **more):
    return year(name, start, status="Canceled", end_date=end) | more


OUTCOME = ("subscription_id", "term_end", "mrr", "outcome", "mrr_after", "mrr_renewed")


def test_each_term_of_the_past_3_and_the_next_12_months_has_one_row_with_its_outcome():
    assert found(
        *OUTCOME,
        subscriptions=[
            year("a", "2024-05-10"),  # renewed by itself in May; the next end is in May
            ended("b", "2025-04-15", "2026-04-15"),
            ended("c", "2025-06-01", "2026-06-01", status="Expired"), year("d", "2026-06-01", monthly_price=80),
            ended("e", "2025-06-05", "2026-06-05", status="Expired"), year("f", "2026-06-05", monthly_price=130),
            ended("g", "2025-09-01", "2026-05-01"),  # left within its term: there was nothing to renew
            year("h", "2025-03-30"), {"subscription_id": "m"},  # ended before the window began; billed monthly
            year("n", "2026-07-02"),  # has not begun
            {"subscription_id": "q", "billing_cycle": "Quarterly", "start_date": "2026-04-20"},
        ],
    ) == [
        ("a", "2026-05-10", 100, "Renewed", 100, 100),
        ("a", "2027-05-10", 100, "Open", None, None),
        ("b", "2026-04-15", 100, "Lost", 0, 0),
        ("c", "2026-06-01", 100, "Renewed Lower", 80, 80),
        ("d", "2027-06-01", 80, "Open", None, None),
        ("e", "2026-06-05", 100, "Renewed", 130, 100),
        ("f", "2027-06-05", 130, "Open", None, None),
        ("h", "2027-03-30", 100, "Open", None, None),
        ("q", "2026-07-20", 100, "Open", None, None),
    ]  # fmt: skip


def test_the_last_day_of_a_term_may_be_written_as_its_end():
    subscriptions = [
        ended("a", "2025-06-01", "2026-05-31", status="Expired", term_end="2026-05-31"),
        year("b", "2026-06-01", term_end="2027-05-31"),
    ]
    assert found(*OUTCOME[:4], subscriptions=subscriptions) == [
        ("a", "2026-05-31", 100, "Renewed"),
        ("b", "2027-05-31", 100, "Open"),
    ]


def test_signed_by_hand_and_will_leave_are_two_things():
    columns = ("subscription_id", "account_owner", "is_auto_renewing", "is_cancellation_scheduled", "days_to_renewal")
    subscriptions = [
        year("a", "2025-07-10", auto_renew=False),
        year("b", "2025-07-10", auto_renew=True, cancel_at="2026-07-10", customer_id="C2"),
        year("c", "2025-07-10", cancel_at="2026-06-01"),  # gone by
    ]
    expected = [("a", "Ann", False, False, 10), ("b", None, True, True, 10), ("c", "Ann", None, False, 10)]
    assert found(*columns, subscriptions=subscriptions) == expected
    unknown = found("is_cancellation_scheduled", absent=("cancel_at",), subscriptions=subscriptions)
    assert unknown == [(None,)] * 3
