"""A small Recurly site as it exports its data: columns, dates and amounts as they are documented."""

from __future__ import annotations

from pathlib import Path

from tests.rules.presets.stripe_account import csv

ACCOUNT_COLUMNS = (
    "account_code", "account_email", "account_company_name", "account_first_name", "account_last_name",
    "account_created_at", "account_country", "account_acquisition_channel", "billing_info_id", "primary_payment_method",
)  # fmt: skip
SUBSCRIPTION_COLUMNS = (
    "uuid", "account_code", "plan_code", "state", "auto_renew", "currency", "quantity", "unit_amount", "add_on_amount",
    "total_recurring_amount", "current_period_started_at", "current_period_ends_at", "trial_started_at",
    "trial_ends_at", "activated_at", "canceled_at", "expires_at", "plan_name", "paused_at", "tax_inclusive",
)  # fmt: skip
TRANSACTION_COLUMNS = (
    "account_code", "transaction_id", "type", "amount", "tax_amount", "currency", "date", "status", "test",
    "original_transaction_id", "invoice_id", "subscription_id", "payment_method", "collected_at",
)  # fmt: skip
CATALOG = """\
product_id,plan_id,product_type,plan_code,plan_name,plan_interval_unit,plan_interval_length
1,p1,plan,gold,Gold,months,1
2,p2,plan,gold-year,Gold yearly,years,1
3,p3,plan,team,Team,months,3
4,p4,plan,week,Week,weeks,1
5,p1,add_on,gold,Gold,,
"""


def account(code: str, created: str, **more: str) -> dict[str, str]:
    """An account of the Accounts export."""
    return {"account_code": code, "account_created_at": created, "primary_payment_method": "TRUE"} | more


def subscription(uuid: str, code: str, plan: str, price: str, state: str, began: str, **more: str) -> dict[str, str]:
    """A subscription in USD that renews, unless `more` says otherwise; `began` is when it was activated."""
    about = {"auto_renew": "TRUE", "currency": "USD", "quantity": "1", "plan_name": plan.title()}
    when = {
        "activated_at": began,
        "current_period_started_at": began,
        "current_period_ends_at": "2025-07-10 09:30:00 PDT",
    }
    return about | when | {
        "uuid": uuid, "account_code": code, "plan_code": plan, "total_recurring_amount": price, "state": state,
    } | more  # fmt: skip


def transaction(key: str, code: str, uuid: str, amount: str, status: str, day: str, **more: str) -> dict[str, str]:
    """A purchase in USD without tax, unless `more` says otherwise."""
    about = {
        "type": "purchase",
        "currency": "USD",
        "test": "FALSE",
        "tax_amount": "0.00",
        "payment_method": "Credit Card",
    }
    return about | {
        "transaction_id": key, "account_code": code, "subscription_id": uuid, "amount": amount, "status": status,
        "date": day,
    } | more  # fmt: skip


ACCOUNTS = [
    account("ann", "2025-01-10 23:30:00 PST", account_company_name="Acme, Inc.", account_country="US"),
    account(
        "bob", "2025-02-01 00:05:00 PST", account_first_name="Bob", account_last_name="Birch", account_country="DE"
    ),
    account("ann", "2025-01-10 23:30:00 PST", account_company_name="Acme, Inc.", primary_payment_method="FALSE"),
    account("cy", "2025-03-01 12:00:00 PST"),
]
SUBSCRIPTIONS = [
    # 40 x 3 seats and add-ons of 15, in one amount.
    subscription("s1", "ann", "gold", "135.00", "active", "2025-01-10 23:30:00 PST", quantity="3", unit_amount="40.00"),
    subscription("s2", "bob", "gold-year", "1200.00", "canceled", "2025-02-01 00:05:00 PST", auto_renew="FALSE",
                 canceled_at="2025-05-01 10:00:00 PDT", expires_at="2026-02-01 00:05:00 PST"),
    # A trial of two weeks, then paid until its end.
    subscription("s3", "cy", "team", "150.00", "expired", "2025-03-01 12:00:00 PST",
                 trial_started_at="2025-03-01 12:00:00 PST", trial_ends_at="2025-03-15 12:00:00 PDT",
                 canceled_at="2025-06-01 10:00:00 PDT", expires_at="2025-06-15 12:00:00 PDT"),
    # Ended in its trial, and one that is in it.
    subscription("s4", "cy", "gold", "40.00", "expired", "2025-04-01 12:00:00 PDT",
                 trial_started_at="2025-04-01 12:00:00 PDT", trial_ends_at="2025-04-15 12:00:00 PDT",
                 expires_at="2025-04-15 12:00:00 PDT"),
    subscription("s5", "bob", "gold", "40.00", "active", "2025-07-01 12:00:00 PDT",
                 trial_started_at="2025-07-01 12:00:00 PDT", trial_ends_at="2025-07-10 09:30:00 PDT"),
    subscription("s6", "ann", "week", "10.00", "paused", "2025-01-10 10:00:00 PST", paused_at="2025-06-07 10:00:00 PDT"),
    # Every retry failed.
    subscription("s7", "ann", "gold", "40.00", "expired", "2025-01-10 10:00:00 PST", expires_at="2025-05-20 10:00:00 PDT"),
    subscription("s8", "ann", "gold", "40.00", "future", "2025-09-10 10:00:00 PDT"),
    subscription("s9", "ann", "gold", "40.00", "failed", "2025-01-10 10:00:00 PST"),
    subscription("s10", "ann", "silver", "40.00", "active", "2025-01-10 10:00:00 PST"),
]  # fmt: skip
TRANSACTIONS = [
    transaction("t1", "ann", "s1", "148.50", "success", "2025-01-10 23:31:00 PST", tax_amount="13.50"),
    transaction("t2", "bob", "s2", "1200.00", "success", "2025-02-01 00:06:00 PST", tax_amount="191.60"),  # tax included
    transaction("t3", "ann", "s1, s6", "145.00", "success", "2025-02-10 23:31:00 PST"),  # two subscriptions
    transaction("t4", "ann", "", "148.50", "success", "2025-01-12 10:00:00 PST", type="refund", tax_amount="13.50",
                original_transaction_id="t1"),
    transaction("t5", "cy", "s3", "150.00", "declined", "2025-03-15 12:01:00 PDT"),
    transaction("t6", "cy", "s3", "150.00", "success", "2025-03-20 12:01:00 PDT", collected_at="2025-03-18 00:00:00 PDT"),
    transaction("t7", "cy", "s3", "150.00", "void", "2025-06-15 12:01:00 PDT"),
    transaction("t8", "cy", "s3", "150.00", "processing", "2025-06-16 12:01:00 PDT"),
    transaction("t9", "cy", "", "1.00", "success", "2025-03-01 12:01:00 PST", type="authorization"),
    transaction("t10", "cy", "", "500.00", "success", "2025-03-02 12:01:00 PST"),
    transaction("t11", "cy", "s3", "150.00", "declined", "2025-03-21 12:01:00 PDT", type="refund",
                original_transaction_id="t6"),
    transaction("t12", "cy", "s3", "150.00", "success", "2025-03-21 12:01:00 PDT", test="TRUE"),
]  # fmt: skip


def write_site(folder: Path, subscriptions: list[dict[str, str]] = SUBSCRIPTIONS) -> Path:
    """The four exports in `folder`; s2's price contains tax."""
    folder.mkdir(parents=True, exist_ok=True)
    inclusive = [row | {"tax_inclusive": str(row["uuid"] == "s2").upper()} for row in subscriptions]
    texts = {
        "accounts.csv": csv(ACCOUNT_COLUMNS, ACCOUNTS),
        "subscriptions.csv": csv(SUBSCRIPTION_COLUMNS, inclusive),
        "transactions.csv": csv(TRANSACTION_COLUMNS, TRANSACTIONS),
        "products_catalog.csv": CATALOG,
    }
    for name, text in texts.items():
        (folder / name).write_text(text, encoding="utf-8")
    return folder
