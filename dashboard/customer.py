"""One customer on a page: the search, its usage, and its records."""

from __future__ import annotations

from dataclasses import replace

import ibis.expr.types as ir
import streamlit as st
from ibis import _

from dashboard.filters import requested_key, select_by_name
from dashboard.reading import Reading
from dashboard.states import show_empty_state
from dashboard.tables import DATE, Column, show_rows
from rules.text.formats import name_with_key

MATCHES = 50
"""The largest number of customers that the select box offers."""

ROWS = 20
"""The largest number of records shown per dataset."""


def find_customers(reading: Reading, typed: str) -> ir.Table:
    """The customers whose name or id contains every typed word.

    Those in the plan come first, in order of priority, then the others by MRR.
    """
    about = reading.table("customer_360")
    for word in typed.lower().split():
        about = about.filter(
            about.company_name.lower().contains(word).fill_null(False) | about.customer_id.lower().contains(word)
        )
    plan = reading.table("intervention_plan")
    first = plan.group_by("customer_id").aggregate(rank=plan.priority_rank.min())
    ranked = about.select("customer_id", "company_name", "current_mrr").left_join(first, "customer_id")
    return ranked.order_by(ranked.rank.asc(nulls_first=False), ranked.current_mrr.desc(), ranked.customer_id).select(
        "customer_id", "company_name"
    )


def select_customer(reading: Reading) -> str | None:
    """The customer_id in the address, or one that matches the search; None, with a message, if there is none."""
    left, right = st.columns(2)
    with left:
        typed = st.text_input(
            "Search", key="find", bind="query-params", placeholder="Name or id", icon=":material/search:"
        )
    found = reading.rows(find_customers(reading, typed or "").limit(MATCHES))
    requested = st.query_params.get("customer")
    customers = reading.table("customer_360").select("customer_id", "company_name")
    linked = reading.rows(customers.filter(_.customer_id == requested)) if requested else []
    if (not typed or requested_key("customer")) and not any(row in found for row in linked):
        found = linked + found
    if not found:
        show_empty_state("No customer matches the search.", "Search for a part of the name or of the id.")
        return None
    names = {str(row["customer_id"]): name_with_key(row["company_name"], row["customer_id"]) for row in found}
    with right:
        return select_by_name("Customer", names, key="customer", is_known=lambda _customer: bool(linked))


def customer_rows(reading: Reading, table: str, customer_id: str) -> ir.Table:
    """The rows of one customer in a table."""
    return reading.table(table).filter(_.customer_id == customer_id)


def weekly_usage(reading: Reading, customer_id: str) -> ir.Table:
    """One row per week up to the as-of date, with logins and key actions."""
    usage = customer_rows(reading, "product_usage", customer_id)
    return (
        usage.filter(usage.date <= reading.as_of)
        .group_by(week=usage.date.truncate("W").cast("date"))
        .aggregate(logins=_.logins.sum(), key_actions=_.key_actions.sum())
        .order_by("week")
    )


RECORDS = {
    "subscriptions": (
        "start_date",
        (
            Column("subscription_id", "Subscription"),
            Column("plan", "Plan"),
            Column("status", "Status"),
            Column("start_date", "From", DATE),
            Column("end_date", "Until", DATE),
            Column("monthly_price", "MRR", "money"),
            Column("billing_cycle", "Billing cycle"),
        ),
    ),
    "transactions": (
        "transaction_date",
        (
            Column("transaction_date", "Date", DATE),
            Column("transaction_id", "Transaction"),
            Column("amount", "Amount", "money"),
            Column("status", "Status"),
            Column("payment_method", "Payment method"),
            Column("subscription_id", "Subscription"),
        ),
    ),
    "support_tickets": (
        "date_opened",
        (
            Column("date_opened", "Opened", DATE),
            Column("date_closed", "Closed", DATE),
            Column("ticket_id", "Ticket"),
            Column("priority", "Priority"),
            Column("category", "Category"),
            Column("status", "Status"),
            Column("resolution_time_hours", "Hours to resolve", "number"),
        ),
    ),
    "nps_scores": (
        "date",
        (
            Column("date", "Date", DATE),
            Column("score", "Score", "count"),
            Column("feedback_category", "Category"),
            Column("score_id", "Response"),
        ),
    ),
}
"""By dataset, the date column that orders its rows, and the columns to show."""


def show_records(reading: Reading, dataset: str, customer_id: str) -> int:
    """Show the newest rows of a customer in a dataset, and return the number of all its rows there."""
    day, columns = RECORDS[dataset]
    rows = customer_rows(reading, dataset, customer_id)
    count = reading.count(rows)
    if count:
        newest = reading.frame(rows.order_by(_[day].desc(), rows.columns[0]).limit(ROWS))
        described = tuple(replace(column, of=dataset) for column in columns)
        show_rows(reading, newest, described, f"{dataset.replace('_', ' ')} of this customer")
    return count
