"""Small companies that bill in unusual ways: what their accounts show is what is reported, and nothing else.

Each folder has the exports of one company.
"""

from __future__ import annotations

import csv
from pathlib import Path

import pytest

from tests.builders import rows
from tests.productpulse_assets.facts.ledger import AS_OF, pay, sub
from tests.productpulse_assets.risk.leakage.examples import company

pytestmark = pytest.mark.slow

FOLDER = Path(__file__).parent
CASES = ("customer_id", "leakage_type", "period_start", "estimated_revenue_loss")


def exported(case: str, dataset: str) -> list[dict[str, object]]:
    """The rows of a dataset of the case, empty values as None."""
    path = FOLDER / case / f"{dataset}.csv"
    if not path.exists():
        return []
    with path.open(newline="") as file:
        return [{name: value or None for name, value in row.items()} for row in csv.DictReader(file)]


def tables_of(case: str, as_of: str = AS_OF):
    """Every table of the ledger, and revenue_leakage, of a case."""
    usage = [{**row, "logins": int(row["logins"]), "key_actions": 1} for row in exported(case, "product_usage")]
    return company(exported(case, "subscriptions"), exported(case, "transactions"), usage, as_of=as_of)


def losses(case: str, as_of: str = AS_OF) -> list[tuple]:
    return rows(tables_of(case, as_of)["revenue_leakage"], *CASES)


@pytest.mark.parametrize(
    ("case", "as_of"),
    [
        ("paid_then_an_attempt_failed", AS_OF),
        ("paid_in_full_but_late", AS_OF),
        ("everybody_is_billed_on_the_first", AS_OF),
        ("credit_for_unused_days", AS_OF),
        ("one_invoice_for_two_subscriptions", AS_OF),
        ("split_into_two_is_no_downgrade", AS_OF),
        ("facts_before_the_first_day", AS_OF),
        ("ends_that_are_the_last_day", AS_OF),
        ("missed_invoice_calendar_billing", "2025-12-01"),
    ],
)
def test_a_company_that_was_paid_loses_nothing(case, as_of):
    tables = tables_of(case, as_of)
    assert rows(tables["revenue_leakage"], *CASES) == []
    assert rows(tables["receivables"].filter(lambda t: t.open_bills > 0), "customer_id", "amount_open") == []


def test_the_payment_of_the_next_bill_pays_no_earlier_one():
    tables = tables_of("next_bill_taken_for_a_retry")
    assert rows(tables["revenue_leakage"], *CASES) == [("C1", "Failed Payment", "2026-05-01", 100.0)]
    failed = tables["bill_balances"].filter(lambda t: ~t.is_settled)
    assert rows(failed, "bill_id", "failed_count", "days_past_due") == [("S0001/2026-05-01", 4, 60)]


def test_a_bill_paid_late_is_a_remark():
    bills = tables_of("paid_in_full_but_late")["bill_balances"]
    late = bills.filter(lambda t: t.days_late > 0)
    assert rows(late, "customer_id", "due_date", "days_late") == [
        ("C1", "2026-04-15", 30),
        ("C2", "2026-04-15", 33),
        ("C2", "2026-05-15", 2),
    ]


def test_a_past_due_account_owes_its_open_bills_and_not_what_was_prepaid():
    found = losses("past_due_counts_what_was_prepaid", "2026-11-25")
    assert [row for row in found if row[1] == "Unpaid Active Subscription"] == [
        ("C1", "Unpaid Active Subscription", "2026-08-01", 1200.0),
        ("C2", "Unpaid Active Subscription", "2026-10-05", 300.0),
    ]


def test_the_first_days_of_calendar_billing_are_a_bill_of_their_own():
    bills = tables_of("everybody_is_billed_on_the_first")["bills"]
    assert rows(bills, "period_start", "period_end", "amount_due", "basis")[:2] == [
        ("2026-01-15", "2026-02-01", 54.84, "first"),
        ("2026-02-01", "2026-03-01", 100.0, "full"),
    ]


def test_a_company_with_payment_terms_is_paid_after_the_billing_date():
    bills = tables_of("missed_invoice_calendar_billing", "2025-12-01")["bills"]
    assert rows(bills, "period_start", "due_date")[0] == ("2024-12-16", "2025-01-01")
    assert len(rows(bills, "bill_id")) == 12


def test_unused_days_are_credit_for_the_new_plan():
    tables = tables_of("credit_for_unused_days")
    changed = tables["bills"].filter(lambda t: t.subscription_id == "S0001", lambda t: t.is_prorated)
    assert rows(changed, "period_start", "period_end", "amount_due", "basis") == [
        ("2026-05-01", "2026-05-15", 22.58, "changed")
    ]
    first = tables["payment_applications"].filter(lambda t: t.bill_id == "S0006/2026-05-15")
    assert rows(first, "transaction_id", "step", "amount_applied") == [
        ("T00005", "oldest bill", 27.42),
        ("T00007", "own bill", 52.58),
    ]


def test_a_price_that_is_known_from_today_on_only_is_not_expected_of_the_past():
    """The export has the present price alone: 80 since June, and for 10 seats 100."""
    months = [f"2026-0{month}-10" for month in range(1, 7)]
    paid = [pay(day, 50 if day < "2026-06" else 80) for day in months]
    paid += [pay(day, 50 if day < "2026-06" else 100, subscription_id="S2") for day in months]
    tables = company([sub("S1", months[0], monthly_price=80), sub("S2", months[0], monthly_price=100)], paid)
    assert rows(tables["revenue_leakage"], *CASES) == []
    assert set(rows(tables["bills"], "amount_due", "basis")) == {
        (50.0, "former price"), (80.0, "full"), (100.0, "full"),
    }  # fmt: skip


def test_payments_without_a_billing_cycle_tell_it():
    paid = [pay(day, 49, subscription_id="S1") for day in ("2026-01-05", "2026-02-05")]
    tables = company([sub(monthly_price=49, billing_cycle=None)], paid, as_of="2026-02-20")
    assert rows(tables["bills"], "due_date", "amount_due") == [("2026-01-05", 49.0), ("2026-02-05", 49.0)]
    assert rows(tables["receivables"], "amount_open", "credit") == [(0.0, 0.0)]


def test_payments_of_an_earlier_contract_are_no_credit():
    """The subscription begins in May after a move to another system; the payments since January are older."""
    account = tables_of("facts_before_the_first_day")["receivables"]
    assert rows(account, "amount_due", "amount_collected", "credit") == [(200.0, 200.0, 0.0)]


def test_an_old_row_that_ends_after_the_new_one_begins_owes_nothing():
    assert [row for row in losses("one_subscription_twice") if row[0] == "C2"] == []
