"""One customer on a page: finding it, what it pays and does, and the rows behind it."""

from __future__ import annotations

import ibis.expr.types as ir
import streamlit as st
from ibis import _

from dashboard.filters import linked, pick_named
from dashboard.reading import Reading
from dashboard.states import nothing
from dashboard.tables import DATE, Column, listing
from rules.text.formats import name_with_key

MATCHES = 50
ROWS = 20


def matches(reading: Reading, typed: str) -> ir.Table:
    """Customers whose name or id holds every word that is typed: those with something to do first."""
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


def pick_customer(reading: Reading) -> str | None:
    """The customer of the address, or one of those that are searched for; None, with a sentence, if there is none."""
    left, right = st.columns(2)
    with left:
        typed = st.text_input(
            "Search", key="find", bind="query-params", placeholder="Name or id", icon=":material/search:"
        )
    found = reading.rows(matches(reading, typed or "").limit(MATCHES))
    asked = st.query_params.get("customer")
    everyone = reading.table("customer_360").select("customer_id", "company_name")
    mine = reading.rows(everyone.filter(_.customer_id == asked)) if asked else []
    if (not typed or linked("customer")) and not any(row in found for row in mine):
        found = mine + found
    if not found:
        nothing("No customer has this in its name or id.", "Search for a part of the name or the id.")
        return None
    names = {str(row["customer_id"]): name_with_key(row["company_name"], row["customer_id"]) for row in found}
    with right:
        return pick_named("Customer", names, key="customer", is_known=lambda _customer: bool(mine))


def of_customer(reading: Reading, table: str, customer_id: str) -> ir.Table:
    """A customer's rows of a table."""
    return reading.table(table).filter(_.customer_id == customer_id)


def weekly_usage(reading: Reading, customer_id: str) -> ir.Table:
    """One row per week up to the as-of date: logins and key actions."""
    usage = of_customer(reading, "product_usage", customer_id)
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
            Column("billing_cycle", "Billed"),
        ),
    ),
    "transactions": (
        "transaction_date",
        (
            Column("transaction_date", "Date", DATE),
            Column("transaction_id", "Payment"),
            Column("amount", "Amount", "money"),
            Column("status", "Status"),
            Column("payment_method", "By"),
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
            Column("category", "About"),
            Column("status", "Status"),
            Column("resolution_time_hours", "Hours", "number"),
        ),
    ),
    "nps_scores": (
        "date",
        (
            Column("date", "Date", DATE),
            Column("score", "Score", "count"),
            Column("feedback_category", "About"),
            Column("score_id", "Answer"),
        ),
    ),
}
"""By dataset, the day that orders its rows, and the columns that are shown."""


def records(reading: Reading, dataset: str, customer_id: str) -> int:
    """The newest rows of a customer in a dataset; how many there are in all."""
    day, columns = RECORDS[dataset]
    mine = of_customer(reading, dataset, customer_id)
    count = reading.count(mine)
    if count:
        newest = reading.frame(mine.order_by(_[day].desc(), mine.columns[0]).limit(ROWS))
        told = tuple(Column(c.name, c.title, c.kind, c.width, dataset) for c in columns)
        listing(reading, newest, told, f"{dataset.replace('_', ' ')} of this customer")
    return count
