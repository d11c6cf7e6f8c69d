"""Recurly's exports through the preset: every price, period and payment worked by hand."""

from __future__ import annotations

import datetime as dt
from decimal import Decimal
from pathlib import Path

import duckdb
import pytest

from productpulse_assets.cli.init import copy_rules
from tests.rules.presets.query_rows import query_rows
from tests.rules.presets.recurly_site import SUBSCRIPTIONS, TRANSACTIONS, write_site

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def rules(tmp_path_factory) -> Path:
    folder = tmp_path_factory.mktemp("rules")
    copy_rules(folder, "recurly")
    return folder


@pytest.fixture(scope="module")
def site(tmp_path_factory) -> Path:
    return write_site(tmp_path_factory.mktemp("recurly"))


def values(rows: list[dict], *columns: str) -> list[tuple]:
    return [tuple(row[column] for column in columns) for row in rows if not row["left_out"]]


def reasons(rows: list[dict], key: str) -> dict[str, str]:
    return {row[key]: row["left_out"] for row in rows if row["left_out"]}


def test_each_account_is_one_customer_on_the_day_of_the_site(rules, site):
    rows = query_rows(rules, site, "customers")
    assert values(rows, "account_code", "signup_date", "company_name") == [
        ("ann", "2025-01-10 23:30:00", "Acme, Inc."),
        ("bob", "2025-02-01 00:05:00", "Bob Birch"),
        ("cy", "2025-03-01 12:00:00", None),
    ]
    assert reasons(rows, "account_code") == {"ann": "further rows of accounts with several payment methods"}


def test_prices_are_monthly_by_the_interval_of_the_plan(rules, site):
    rows = query_rows(rules, site, "subscriptions")
    assert {row["subscription_id"]: (row["monthly_price"], row["billing_cycle"]) for row in rows} == {
        "s1": ("135.00", "Monthly"),
        "s2": ("100.00", "Annual"),
        "s3": ("50.00", "Quarterly"),  # 150 / 3
        "s3-trial": ("50.00", "Quarterly"),
        "s4": ("40.00", "Monthly"),
        "s5": ("40.00", "Monthly"),
        "s6": ("43.33", None),  # 10 x 52 / 12
        "s6-paused": ("43.33", None),
        "s7": ("40.00", "Monthly"),
        "s8": ("40.00", "Monthly"),
        "s9": ("40.00", "Monthly"),
        "s10": ("40.00 per interval of a plan that is not in the catalog", None),
    }


def test_a_subscription_that_will_not_renew_has_the_day_on_which_it_ends(rules, site):
    rows = query_rows(rules, site, "subscriptions")
    found = [row for row in values(rows, "subscription_id", "cancel_at") if row[1]]
    assert sorted(found) == [("s2", "2026-02-01 00:05:00"), ("s3", "2025-06-15 12:00:00")]


def test_trials_pauses_and_ends_are_periods(rules, site):
    rows = query_rows(rules, site, "subscriptions")
    assert sorted(values(rows, "subscription_id", "status", "start_date", "end_date", "auto_renew")) == [
        ("s1", "active", "2025-01-10 23:30:00", None, True),
        ("s10", "active", "2025-01-10 10:00:00", None, True),
        ("s2", "canceled", "2025-02-01 00:05:00", None, False),
        ("s3", "ended by the customer", "2025-03-15 12:00:00", "2025-06-15 12:00:00", False),
        ("s3-trial", "trial", "2025-03-01 12:00:00", "2025-03-15 12:00:00", False),
        ("s4", "trial", "2025-04-01 12:00:00", "2025-04-15 12:00:00", False),
        ("s5", "trial", "2025-07-01 12:00:00", None, True),
        ("s6", "ended", "2025-01-10 10:00:00", "2025-06-07 10:00:00", False),
        ("s6-paused", "paused", "2025-06-07 10:00:00", None, False),
        ("s7", "ended", "2025-01-10 10:00:00", "2025-05-20 10:00:00", False),
    ]
    assert reasons(rows, "subscription_id") == {
        "s8": "subscriptions that have not begun",
        "s9": "subscriptions that failed before they began",
    }
    assert {row["subscription_id"] for row in rows} - {"s3-trial", "s6-paused"} == {
        row["uuid"] for row in SUBSCRIPTIONS
    }


def test_transactions_are_payments_attempts_and_refunds_without_tax(rules, site):
    rows = query_rows(rules, site, "transactions")
    columns = ("transaction_id", "customer_id", "subscription_id", "amount", "status", "transaction_date")
    assert values(rows, *columns) == [
        ("t1", "ann", "s1", "135.00", "success", "2025-01-10 23:31:00"),
        ("t2", "bob", "s2", "1200.00", "success", "2025-02-01 00:06:00"),
        ("t3", "ann", "s1", "145.00", "success", "2025-02-10 23:31:00"),
        ("t4", "ann", "s1", "135.00", "refunded", "2025-01-12 10:00:00"),
        ("t5", "cy", "s3", "150.00", "declined", "2025-03-15 12:01:00"),
        ("t6", "cy", "s3", "150.00", "success", "2025-03-18 00:00:00"),
    ]
    assert reasons(rows, "transaction_id") == {
        "t7": "transactions with the status void",
        "t8": "transactions with the status processing",
        "t9": "card authorizations",
        "t10": "transactions of invoices without a subscription",
        "t11": "refunds that were declined",
        "t12": "test transactions",
    }
    assert len(rows) == len(TRANSACTIONS)


def test_a_run_has_the_mrr_of_the_running_subscriptions(rules, site, productpulse, tmp_path):
    """s10 has no price; s6 is paused since June 7, s3 ended on June 15."""
    home, folder = tmp_path / "home", tmp_path / "rules"
    copy_rules(folder, "recurly")
    text = (folder / "sources.yaml").read_text(encoding="utf-8")
    text = text.replace("  subscriptions:\n    query", "  subscriptions:\n    max_reject_share: 0.1\n    query")
    (folder / "sources.yaml").write_text(text, encoding="utf-8")
    result = productpulse("run", "--data", site, "--rules", folder, "--home", home, "--as-of", "2025-07-05")
    assert result.exit_code == 0, result.output
    with duckdb.connect(str(home / "published" / "productpulse.duckdb"), read_only=True) as snapshot:
        mrr = snapshot.sql(
            "SELECT month, sum(mrr_end), sum(amount_collected), sum(amount_refunded) FROM customer_months "
            "WHERE month IN ('2025-01-01', '2025-04-01', '2025-05-01', '2025-06-01') GROUP BY month ORDER BY month"
        ).fetchall()
    day, money = dt.date, Decimal
    assert mrr == [
        (day(2025, 1, 1), money("218.33"), money("135.00"), money("135.00")),  # 135 + 43.33 + 40
        (day(2025, 4, 1), money("368.33"), None, None),  # and 100 of s2, 50 of s3; payments end in March
        (day(2025, 5, 1), money("328.33"), None, None),  # s7 ended
        (day(2025, 6, 1), money("235.00"), None, None),
    ]
