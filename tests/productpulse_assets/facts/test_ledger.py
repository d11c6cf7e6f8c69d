"""The receivables ledger: what was due, what was paid, what is open."""

from __future__ import annotations

import datetime as dt
import re
from decimal import Decimal

import ibis
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from asset_checks.invariants import ledger_breaks
from resources.tables import rows_of
from tests.builders import rows
from tests.graph import plan, unbound
from tests.productpulse_assets.facts.ledger import account, fail, give_back, ledger, months, pay, sub

BILL = ("period_start", "due_date", "amount_due", "basis")


def bills(*given_rows, **more):
    return rows(ledger(*given_rows, **more)["bills"], *BILL)


# --- bills ---------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("start", "days"),
    [
        ("2026-01-31", ["2026-01-31", "2026-02-28", "2026-03-31", "2026-04-30", "2026-05-31", "2026-06-30"]),
        ("2026-02-28", ["2026-02-28", "2026-03-28", "2026-04-28", "2026-05-28", "2026-06-28"]),
    ],
)
def test_bills_of_a_months_last_days(start, days):
    assert [due for _start, due, _amount, _basis in bills([sub(start=start)], [pay(day) for day in days])] == days


def test_an_annual_bill_of_a_leap_day_is_due_on_the_last_of_february():
    paid = [pay("2024-02-29", 1200), pay("2025-02-28", 1200), pay("2026-02-28", 1200)]
    found = bills([sub(start="2024-02-29", billing_cycle="Annual")], paid)
    assert [row[:3] for row in found] == [(t["transaction_date"], t["transaction_date"], 1200.0) for t in paid]


def test_annual_and_quarterly_bills_are_due_at_the_start_of_their_cycle():
    paid = [pay("2026-01-05", 300), pay("2026-04-05", 300)]
    assert bills([sub(billing_cycle="Quarterly")], paid, as_of="2026-06-30") == [
        ("2026-01-05", "2026-01-05", 300.0, "full"),
        ("2026-04-05", "2026-04-05", 300.0, "full"),
    ]


def test_a_change_in_the_middle_of_a_period_is_billed_by_days_and_the_billing_day_stays():
    old = sub(start="2026-01-01", status="Expired", end_date="2026-03-11")
    new = sub("S2", "2026-03-11", monthly_price=150)
    paid = [*months("2026-01-01", 3), pay("2026-03-11", 33.87, subscription_id="S2")]
    paid += [pay(f"2026-0{month}-01", 150, subscription_id="S2") for month in (4, 5, 6)]
    tables = ledger([old, new], paid)
    assert rows(tables["bills"], *BILL)[2:5] == [
        ("2026-03-01", "2026-03-01", 32.26, "changed"),  # 10 of 31 days at 100
        ("2026-03-11", "2026-03-11", 101.61, "changed"),  # 21 of 31 days at 150
        ("2026-04-01", "2026-04-01", 150.0, "full"),
    ]
    assert account(tables, "amount_open", "credit") == [(0.0, 0.0)]


def test_a_line_is_the_periods_that_follow_each_other_also_where_an_end_is_the_last_day():
    parts = [("2026-01-01", "2026-01-31"), ("2026-02-01", "2026-03-01"), ("2026-03-01", None)]
    subscriptions = [sub(f"S{nr}", start, end_date=end) for nr, (start, end) in enumerate(parts, start=1)]
    lines = ledger([*subscriptions, sub("S4", "2026-05-01")], months("2026-01-01", 6))["contract_lines"]
    assert rows(lines, "subscription_id", "contract_line", "end_date") == [
        ("S1", "S1", "2026-02-01"), ("S2", "S1", "2026-03-01"), ("S3", "S1", None), ("S4", "S4", None),
    ]  # fmt: skip


def test_customers_who_pay_some_days_early_do_not_make_a_company_that_pays_late():
    early = [
        pay(f"2026-0{month}-02", subscription_id=who, customer_id=who) for who in ("S1", "S2") for month in range(1, 7)
    ]
    given_rows = [sub(who, customer_id=who) for who in ("S1", "S2", "S3")]
    tables = ledger(given_rows, [*early, pay("2026-01-02", 300, subscription_id="S3", customer_id="S3")])
    due = rows(tables["bills"].filter(ibis._.subscription_id == "S3"), "due_date")
    assert due == [(f"2026-0{month}-05",) for month in range(1, 7)]


# --- applications --------------------------------------------------------------------------------


def applied(*given_rows):
    return rows(ledger(*given_rows)["payment_applications"], "transaction_id", "bill_id", "step", "amount_applied")


def test_a_payment_settles_the_bill_of_its_period_and_then_the_oldest_open_one():
    paid = [fail("2026-01-05"), *months("2026-02-05", 3), pay("2026-05-05", 250)]
    assert applied([sub()], [*paid, pay("2026-06-05")])[3:6] == [
        ("T5", "", "credit", 50.0),
        ("T5", "S1/2026-01-05", "oldest bill", 100.0),
        ("T5", "S1/2026-05-05", "own bill", 100.0),
    ]


def test_after_the_end_of_a_late_export_no_bill_is_known():
    paid = [
        pay(day)
        for day in ("2026-01-05", "2026-01-12", "2026-01-19", "2026-01-26", "2026-02-02", "2026-02-05", "2026-03-05")
    ]
    assert [row[0] for row in bills([sub()], paid)] == ["2026-01-05", "2026-02-05", "2026-03-05"]


def test_what_is_paid_in_advance_settles_the_bills_as_they_fall_due():
    tables = ledger([sub()], [pay("2026-01-05", 900)])
    assert account(tables, "amount_due", "amount_applied", "credit", "amount_open") == [(600.0, 600.0, 300.0, 0.0)]


def test_a_failed_attempt_settles_nothing_and_a_refund_re_opens_nothing():
    tables = ledger([sub()], [*months("2026-01-05", 5), fail("2026-06-05"), give_back("2026-05-20", 40)])
    assert account(tables, "amount_open", "amount_refunded", "days_past_due") == [(100.0, 40.0, 25)]


def test_accounts_in_two_currencies_are_apart():
    euros = {"currency": "EUR", "subscription_id": "S2"}
    subscriptions = [sub(currency="USD"), sub("S2", currency="EUR", monthly_price=108)]
    paid = [*months("2026-01-05", 7), *(pay(f"2026-0{month}-05", 108, **euros) for month in range(1, 6))]
    open_bills = ledger(subscriptions, paid, as_of="2026-07-06")["bill_balances"].filter(lambda t: ~t.is_settled)
    assert rows(open_bills, "bill_id", "currency", "amount_open") == [
        ("S2/2026-06-05", "EUR", 108.0), ("S2/2026-07-05", "EUR", 108.0),
    ]  # fmt: skip


# --- accounts ------------------------------------------------------------------------------------


def test_open_amounts_are_shown_by_their_days_past_due():
    table = ledger([sub(start="2026-01-01")], [pay("2026-01-01")])
    ages = ("open_0_30", "open_31_60", "open_61_90", "open_over_90", "oldest_open_due_date", "days_past_due")
    assert account(table, "amount_open", *ages) == [(500.0, 100.0, 100.0, 100.0, 200.0, "2026-02-01", 149)]


def test_payment_terms_move_the_due_date():
    from dataclasses import replace

    from tests.graph import RULES

    terms = replace(RULES, leakage_rules=RULES.leakage_rules.model_copy(update={"payment_terms_days": 30}))
    table = ledger([sub()], months("2026-01-05", 5), rules=terms)["bill_balances"].filter(lambda t: ~t.is_settled)
    assert rows(table, "period_start", "due_date", "days_past_due") == [("2026-06-05", "2026-07-05", 0)]


def test_a_customer_without_a_bill_has_an_account_without_amounts():
    table = ledger([sub(), sub("S2", customer_id="C2", billing_cycle=None)], months("2026-01-05", 6))
    assert account(table, "customer_id", "amount_due", "credit") == [("C1", 600.0, 0.0), ("C2", None, None)]


# --- identities ----------------------------------------------------------------------------------

DAYS = st.dates(dt.date(2025, 7, 1), dt.date(2026, 6, 30)).map(str)
AMOUNTS = st.integers(1, 40_000).map(lambda cents: Decimal(cents) / 100)
SUBSCRIPTIONS = st.lists(
    st.tuples(
        DAYS, st.integers(0, 300), AMOUNTS, st.sampled_from(["Monthly", "Quarterly", "Annual"]),
        st.sampled_from(["C1", "C2"]), st.sampled_from(["USD", "EUR"]),
    ),
    min_size=1, max_size=4,
)  # fmt: skip
TRANSACTIONS = st.lists(
    st.tuples(
        DAYS, AMOUNTS, st.sampled_from(["Success", "Success", "Failed", "Refunded"]), st.integers(1, 4),
        st.sampled_from(["USD", "EUR"]),
    ),
    max_size=25,
)  # fmt: skip


@pytest.mark.slow
@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(subscriptions=SUBSCRIPTIONS, transactions=TRANSACTIONS)
def test_due_is_applied_and_open_and_collected_is_applied_and_credit(subscriptions, transactions):
    periods, owners = [], {}
    for number, (start, days, price, cycle, owner, currency) in enumerate(subscriptions, start=1):
        end = str(dt.date.fromisoformat(start) + dt.timedelta(days=days)) if days else None
        owners[number] = owner
        periods.append(
            sub(f"S{number}", start, end_date=end, monthly_price=price, billing_cycle=cycle, customer_id=owner)
            | {"currency": currency, "status": "Canceled" if end else "Active"}
        )
    made = [
        pay(day, amount, status, f"S{number}", currency=currency) | {"customer_id": owners[number]}
        for day, amount, status, number, currency in transactions
        if number in owners
    ]
    tables = ledger(periods, made)
    assert rows_of(ledger_breaks(tables["bills"], tables["payment_applications"], tables["receivables"])) == []
    assert broken_accounts(tables) == []


def broken_accounts(tables) -> list[tuple]:
    """By customer and currency, in plain SQL: accounts that do not add up, or have open bills beside credit."""
    backend = ibis.duckdb.connect()
    for name in ("bills", "payment_applications", "account_transactions"):
        backend.create_table(name, tables[name].to_pyarrow())
    return backend.raw_sql("""
        WITH due AS (SELECT customer_id, currency, sum(amount_due) AS due FROM bills GROUP BY ALL),
        paid AS (SELECT customer_id, currency, sum(amount) AS collected FROM account_transactions
            WHERE status = 'Success' GROUP BY ALL),
        parts AS (SELECT customer_id, currency, coalesce(sum(amount_applied) FILTER (bill_id <> ''), 0) AS applied,
            coalesce(sum(amount_applied) FILTER (step = 'credit'), 0) AS credit, sum(amount_applied) AS used,
            0.02 * count(*) AS rounding  -- two cents or less of a payment settle no part of a bill
            FROM payment_applications GROUP BY ALL)
        SELECT * FROM due LEFT JOIN parts USING (customer_id, currency) LEFT JOIN paid USING (customer_id, currency)
        WHERE coalesce(collected, 0) <> coalesce(used, 0) OR coalesce(applied, 0) > due
            OR (due - applied > rounding AND credit > rounding)""").fetchall()


def test_the_exported_balances_have_every_column_of_the_bills():
    assert set(unbound("bills").columns) < set(unbound("bill_balances").columns)


# --- payments that name no subscription ------------------------------------------------------------


def unnamed(day: str, amount: float = 100, status: str = "Success") -> dict[str, object]:
    return pay(day, amount, status, None)


def lines_of(subscriptions, *paid):
    found = ledger(subscriptions, paid)["account_transactions"]
    return rows(found, "transaction_date", "contract_line", "bill_id", by=("transaction_id",))


def test_a_payment_without_a_subscription_is_for_the_one_that_ran_on_its_day():
    old = sub("S1", "2026-01-05", status="Canceled", end_date="2026-03-05")
    again = sub("S2", "2026-05-05", monthly_price=80)
    assert lines_of(
        [old, again], unnamed("2026-01-05"), unnamed("2026-02-05"), unnamed("2026-05-03", 80), unnamed("2026-05-06"),
    ) == [
        ("2026-01-05", "S1", "S1/2026-01-05"),
        ("2026-02-05", "S1", "S1/2026-02-05"),
        ("2026-05-03", "S2", "S2/2026-05-05"),  # early
        ("2026-05-06", "S1", "S1/2026-02-05"),  # late: the price of the first one
    ]  # fmt: skip


def test_of_subscriptions_side_by_side_the_amount_tells_which_one_is_paid():
    both = [sub("S1"), sub("S2", monthly_price=30)]
    days = [f"2026-0{month}-05" for month in range(1, 7)]
    paid = [unnamed(day, amount) for day in days for amount in (100, 30)]
    tables = ledger(both, paid)
    assert set(rows(tables["payment_applications"], "step", "bill_id")) == {
        ("own bill", f"{name}/{day}") for day in days for name in ("S1", "S2")
    }
    assert account(tables, "amount_open", "credit") == [(0.0, 0.0)]


def test_an_attempt_that_may_be_for_several_bills_is_one_for_each_of_them():
    both, days = [sub("S1"), sub("S2", monthly_price=30)], [f"2026-0{month}-05" for month in range(1, 6)]
    tables = ledger(both, [*(unnamed(day, 130) for day in days), unnamed("2026-06-05", 130, "Failed")])
    open_bills = tables["bill_balances"].filter(lambda t: ~t.is_settled)
    assert rows(open_bills, "bill_id", "amount_open", "failed_count") == [
        ("S1/2026-06-05", 100.0, 1), ("S2/2026-06-05", 30.0, 1),
    ]  # fmt: skip


def test_no_window_over_the_payments_is_computed_twice():
    """Ibis can write a shared part of a query once for each of its readers."""
    sql = " ".join(plan().tables["payment_applications"].sql.split())
    windows = re.findall(r"\bOVER \([^()]*\)", sql)
    assert windows and len(windows) == len(set(windows))
