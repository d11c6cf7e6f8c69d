"""Stripe's exports through the preset: every figure worked by hand, no row counted twice, none lost."""

from __future__ import annotations

import datetime as dt
import re
from decimal import Decimal
from pathlib import Path

import duckdb
import pytest

from productpulse_assets.cli.init import copy_rules
from tests.rules.presets.query_rows import query_rows
from tests.rules.presets.stripe_account import (
    PAYMENTS,
    SUBSCRIPTIONS,
    payment,
    subscription,
    write_account,
)

pytestmark = pytest.mark.slow

RATE = Decimal("1.10")


@pytest.fixture(scope="module")
def exports(tmp_path_factory) -> Path:
    return write_account(tmp_path_factory.mktemp("stripe"))


@pytest.fixture(scope="module")
def rules(tmp_path_factory) -> Path:
    """What `init --preset stripe` gives, with a rate for EUR and room for the rejects of a tiny account."""
    folder = tmp_path_factory.mktemp("rules")
    copy_rules(folder, "stripe")
    text = (folder / "sources.yaml").read_text(encoding="utf-8")
    text = re.sub(r"^#: exchange_rates: .*$", f"exchange_rates: {{EUR: {RATE}}}", text, flags=re.MULTILINE)
    text = text.replace("max_reject_share: 0.05", "max_reject_share: 0.5")
    text = text.replace(
        "  subscriptions:\n    query_files:", "  subscriptions:\n    max_reject_share: 0.5\n    query_files:"
    )
    (folder / "sources.yaml").write_text(text, encoding="utf-8")
    return folder


@pytest.fixture(scope="module")
def snapshot(productpulse, exports, rules, tmp_path_factory):
    """The published file of a run of the whole graph."""
    home = tmp_path_factory.mktemp("home")
    options = ("--data", exports, "--rules", rules, "--home", home, "--as-of", "2025-06-30")
    result = productpulse("run", *options)
    assert result.exit_code == 0, result.output
    with duckdb.connect(str(home / "published" / "productpulse.duckdb"), read_only=True) as connection:
        yield connection


def test_mrr_of_each_month_is_that_of_the_running_subscriptions_alone(snapshot):
    found = snapshot.sql(
        "SELECT month, sum(mrr_end), sum(mrr_new), sum(mrr_churned), sum(mrr_expansion) FROM customer_months "
        "WHERE month >= '2025-04-01' GROUP BY month ORDER BY month"
    ).fetchall()
    acme, birch, cedar = Decimal("120.00"), Decimal("100.00") * RATE, Decimal("49.00")
    elm_quarterly, elm_weekly = Decimal("50.00"), Decimal("43.33")  # 150 / 3; 10 x 52 / 12
    assert found == [
        (dt.date(2025, 4, 1), acme + birch + cedar, 0, 0, 0),
        (dt.date(2025, 5, 1), acme + birch + elm_quarterly, elm_quarterly, cedar, 0),
        (dt.date(2025, 6, 1), acme + birch + elm_quarterly + elm_weekly, 0, 0, elm_weekly),
    ]


def test_a_subscription_that_cancels_at_its_period_end_has_that_day(snapshot):
    found = snapshot.sql("SELECT subscription_id, cancel_at, end_date FROM subscriptions WHERE cancel_at IS NOT NULL")
    assert found.fetchall() == [("sub_E1", dt.date(2025, 8, 20), None)]


def test_one_of_three_customers_left_in_may(snapshot):
    (rate,) = snapshot.sql(
        "SELECT value FROM kpi_history WHERE metric_name = 'customer_churn_rate' AND month = '2025-05-01'"
    ).fetchone()
    assert rate == pytest.approx(1 / 3)


def test_payments_and_refunds_are_counted_once(snapshot):
    found = snapshot.sql(
        "SELECT sum(amount_collected), sum(amount_failed), sum(amount_refunded) FROM customer_months"
    ).fetchone()
    collected = 120 + 120 + 1200 * RATE + 49 + 10 + 150
    assert found == (collected, 49 + 40, 20 + 49)


def test_a_payment_belongs_to_the_subscription_that_ran_that_day_at_that_price(snapshot):
    found = dict(snapshot.sql("SELECT transaction_id, subscription_id FROM transactions").fetchall())
    assert found == {
        "ch_A5": "sub_A",
        "ch_A6": "sub_A",
        "ch_A6-refund": "sub_A",
        "ch_B1": "sub_B",
        "ch_C4": "sub_C",
        "ch_C4-refund": "sub_C",
        "ch_C5": "sub_C",
        "ch_E1": "sub_E2",
        "ch_E2": "sub_E1",
        "ch_F1": "sub_F1",
    }


def test_no_row_is_lost_and_every_reject_says_why(snapshot):
    kept = {key for (key,) in snapshot.sql("SELECT subscription_id FROM subscriptions").fetchall()}
    rejected = {key for (key,) in snapshot.sql("SELECT row_key FROM subscriptions_rejects").fetchall()}
    assert (kept | rejected) - {"sub_C-trial"} == {row["id"] for row in SUBSCRIPTIONS}
    assert rejected == {"sub_G"} and kept.isdisjoint(rejected)
    kept = {key for (key,) in snapshot.sql("SELECT transaction_id FROM transactions").fetchall()}
    rejects = snapshot.sql(
        "SELECT row_key, list((column_name, check_name, value) ORDER BY column_name) FROM transactions_rejects "
        "GROUP BY row_key"
    ).fetchall()
    assert kept | {key for key, _ in rejects} == {row["id"] for row in PAYMENTS} | {"ch_A6-refund", "ch_C4-refund"}
    assert dict(rejects) == {
        "ch_D9": [("subscription_id", "known_subscription", "none in USD on that day")],
        "ch_P": [(None, "left_out", "payments with the status pending")],
        "ch_X": [(None, "left_out", "payments of guests, who have no customer id")],
    }


def test_trials_and_what_never_began_are_no_revenue(snapshot):
    found = snapshot.sql(
        "SELECT subscription_id, status, start_date, end_date FROM subscriptions "
        "WHERE customer_id IN ('cus_C', 'cus_D', 'cus_F') ORDER BY ALL"
    ).fetchall()
    day = dt.date
    assert found == [
        ("sub_C", "Canceled", day(2025, 3, 29), day(2025, 5, 29)),
        ("sub_C-trial", "Trial", day(2025, 3, 15), day(2025, 3, 29)),
        ("sub_D", "Trial", day(2025, 4, 2), day(2025, 4, 16)),
        ("sub_F1", "Expired", day(2025, 6, 1), day(2025, 6, 1)),
        ("sub_F2", "Trial", day(2025, 6, 10), None),
    ]


@pytest.mark.parametrize(
    ("amount", "quantity", "interval", "price", "cycle"),
    [
        ("100.00", "1", "month", "100.00", "Monthly"),
        ("100.00", "", "year", "8.33", "Annual"),
        ("0.06", "1", "year", "0.01", "Annual"),  # half a cent goes up
        ("90.00", "2", "3 month", "60.00", "Quarterly"),
        ("10.00", "1", "week", "43.33", None),
        ("1.00", "1", "day", "30.42", None),
        ("240.00", "1", "2 years", "10.00", None),
        ("80.00", "1", "8 months", "10.00", None),
        ("90.00", "1", "every 3 months", "30.00", "Quarterly"),
        ("5000", "1", "month", "5000.00", "Monthly"),
        ("1.234,00", "1", "month", "1.234,00", "Monthly"),
        ("100.00", "1", "fortnight", "100.00 per fortnight", None),
        ("", "1", "month", None, "Monthly"),
    ],
)
def test_prices_become_monthly(rules, tmp_path, amount, quantity, interval, price, cycle):
    row = subscription("sub_1", "cus_A", amount, "active", "2025-01-01 00:00", Quantity=quantity, Interval=interval)
    (found,) = query_rows(rules, write_account(tmp_path, [row]), "subscriptions")
    assert (found["monthly_price"], found["billing_cycle"]) == (price, cycle)


def test_a_coupon_takes_off_what_it_took_off_the_newest_invoice(rules, tmp_path):
    day = "2025-01-01 00:00"
    rows = [
        subscription("sub_1", "cus_A", "1200.00", "active", day, Interval="year", Coupon="TWENTY"),
        subscription("sub_2", "cus_B", "100.00", "active", day),  # its coupon has ended
        subscription("sub_3", "cus_C", "100.00", "active", day, Coupon="TWENTY"),  # no invoice tells what it takes off
    ]
    write_account(tmp_path, rows)

    def prices() -> list[str]:
        return [row["monthly_price"] for row in query_rows(rules, tmp_path, "subscriptions")]

    assert prices() == ["100.00", "100.00", "100.00"]
    (tmp_path / "unified_invoices.csv").write_text(
        "id,Subscription,Date (UTC),Subtotal,Total Discount Amount\n"
        'in_1,sub_1,2025-01-01 00:00,"1200,00","400,00"\nin_2,sub_1,2026-01-01 00:00,1200.00,240.00\n'
        "in_3,sub_2,2025-01-01 00:00,100.00,50.00\nin_4,sub_3,2025-01-01 00:00,0.00,0.00\n"
    )
    assert prices() == ["80.00", "100.00", "100.00"]


def test_the_choice_between_subscriptions_does_not_hang_on_their_order(rules, tmp_path):
    day, paid = "2025-01-01 00:00", payment("ch_1", "cus_A", "70.00", "Paid", "2025-03-01 10:00")
    rows = [
        subscription("sub_old", "cus_A", "50.00", "active", "2024-01-01 00:00"),
        subscription("sub_b", "cus_A", "60.00", "active", day),
        subscription("sub_a", "cus_A", "60.00", "active", day),
        subscription("sub_gone", "cus_A", "60.00", "canceled", day, Ended_At_UTC="2025-03-01 09:00"),
        subscription("sub_eur", "cus_A", "70.00", "active", day, Currency="eur"),
    ]
    for number, order in enumerate((rows, rows[::-1])):
        found = query_rows(rules, write_account(tmp_path / str(number), order, [paid]), "transactions")
        assert [row["subscription_id"] for row in found] == ["sub_a"]


def test_an_export_without_the_columns_that_it_may_lack_can_be_read(rules, tmp_path):
    write_account(tmp_path)
    (tmp_path / "subscriptions.csv").write_text(
        "id,Customer ID,Plan,Currency,Interval,Amount,Status,Created (UTC)\n"
        "sub_A,cus_A,pro,usd,month,40.00,active,2025-01-10 09:30\n"
    )
    (tmp_path / "unified_payments.csv").write_text(
        "id,Created (UTC),Amount,Currency,Status,Customer ID\nch_1,2025-02-10 09:30,40.00,usd,Refunded,cus_A\n"
    )
    (found,) = query_rows(rules, tmp_path, "subscriptions")
    assert (found["start_date"], found["end_date"], found["monthly_price"]) == ("2025-01-10 09:30", None, "40.00")
    paid, given_back = query_rows(rules, tmp_path, "transactions")
    assert (paid["status"], paid["amount"], paid["subscription_id"]) == ("Paid", "40.00", "sub_A")
    assert (given_back["status"], given_back["amount"]) == ("Refunded", "40.00")


def left_out(rows: list[dict]) -> dict[str, str | None]:
    return {row["transaction_id"]: row["left_out"] for row in rows}


def test_money_that_never_came_is_left_out_with_the_reason(rules, tmp_path):
    day = "2025-06-10 10:30"
    rows = [
        payment("ch_1", "cus_A", "120.00", "Paid", day, Captured="false"),
        payment("ch_2", "cus_A", "120.00", "Refunded", day, Captured="false", Amount_Refunded="120.00"),
        payment("ch_3", "cus_A", "120.00", "Uncaptured", day, Captured="false"),
        payment("ch_4", "cus_A", "120.00", "Blocked", day),
        payment("ch_5", "cus_A", "120.00", "canceled", day),
        payment("ch_6", "", "120.00", "Paid", day),
        payment("ch_7", "cus_A", "120.00", "Failed", day),
        payment("ch_8", "cus_A", "120.00", "reversed", day),
    ]
    assert left_out(query_rows(rules, write_account(tmp_path, payments=rows), "transactions")) == {
        "ch_1": "payments that were authorized and not captured",
        "ch_2": "payments that were authorized and not captured",
        "ch_3": "payments that were authorized and not captured",
        "ch_4": "payments with the status blocked",
        "ch_5": "payments with the status canceled",
        "ch_6": "payments of guests, who have no customer id",
        "ch_7": None,
        "ch_8": None,  # an unknown status is rejected
    }


def test_an_attempt_that_never_became_a_charge_has_the_id_of_its_intent(rules, tmp_path):
    row = payment("", "cus_A", "120.00", "requires_payment_method", "2025-06-10 10:30", PaymentIntent_ID="pi_1")
    (found,) = query_rows(rules, write_account(tmp_path, payments=[row]), "transactions")
    assert (found["transaction_id"], found["status"], found["left_out"]) == ("pi_1", "requires_payment_method", None)


def test_a_lost_dispute_is_a_refund_of_the_disputed_amount_on_its_day(rules, tmp_path):
    disputed = {"Disputed_Amount": "100,00", "Dispute_Date_UTC": "2025-06-20 00:00"}
    rows = [
        payment("ch_1", "cus_A", "120.00", "Paid", "2025-06-10 10:30", Dispute_Status="lost", **disputed),
        payment("ch_2", "cus_A", "120.00", "Paid", "2025-06-10 10:30", Dispute_Status="won", **disputed),
        payment("ch_3", "cus_A", "120.00", "Paid", "2025-06-10 10:30", Dispute_Status="needs_response", **disputed),
    ]
    found = query_rows(rules, write_account(tmp_path, payments=rows), "transactions")
    assert [(row["transaction_id"], row["amount"], row["status"], row["transaction_date"]) for row in found] == [
        ("ch_1", "120.00", "Paid", "2025-06-10 10:30"),
        ("ch_1-dispute", "100.00", "Refunded", "2025-06-20 00:00"),
        ("ch_2", "120.00", "Paid", "2025-06-10 10:30"),
        ("ch_3", "120.00", "Paid", "2025-06-10 10:30"),
    ]


@pytest.mark.parametrize("name", ["unified_invoices.csv", "invoices.csv"])
def test_the_invoices_tell_which_subscription_a_payment_is_for(rules, tmp_path, name):
    day = "2025-06-10 10:30"
    subscriptions = [
        subscription("sub_60", "cus_A", "60.00", "active", "2025-01-01 00:00"),
        subscription("sub_80", "cus_A", "80.00", "active", "2025-01-01 00:00"),
    ]
    payments = [
        payment("ch_1", "cus_A", "60.00", "Paid", day, Invoice_ID="in_1"),  # by its amount it would be sub_60's
        payment("ch_2", "cus_A", "60.00", "Paid", day),  # the invoice names the charge
        payment("ch_3", "cus_A", "60.00", "Paid", day, Invoice_ID="in_3"),
        payment("ch_4", "cus_A", "60.00", "Paid", day),
    ]
    write_account(tmp_path, subscriptions, payments)
    (tmp_path / name).write_text("id,Charge,Subscription\nin_1,,sub_80\nin_2,ch_2,sub_80\nin_3,ch_3,\n")
    found = query_rows(rules, tmp_path, "transactions")
    assert [(row["transaction_id"], row["subscription_id"], row["left_out"]) for row in found] == [
        ("ch_1", "sub_80", None),
        ("ch_2", "sub_80", None),
        ("ch_3", "sub_60", "payments of an invoice without a subscription"),
        ("ch_4", "sub_60", None),
    ]


def test_customers_without_an_id_are_left_out(rules, tmp_path):
    write_account(tmp_path)
    with (tmp_path / "unified_customers.csv").open("a") as file:
        file.write(",,guest@acme.test,Guest,2025-06-01 10:00,,,,,\n")
    found = query_rows(rules, tmp_path, "customers")
    assert [row["left_out"] for row in found] == [None] * 6 + ["guests, who have no customer id"]
