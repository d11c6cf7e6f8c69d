"""Where revenue leaks: what was earned and not billed or not collected, case by case."""

import ibis.expr.types as ir
import streamlit as st
from ibis import _

from dashboard.filters import choose, search, with_customers
from dashboard.reading import Reading, current
from dashboard.states import nothing
from dashboard.tables import DATE, Column, listing, table
from dashboard.widgets import chart, heading, tiles
from productpulse_assets.charts import risk

OF = "revenue_leakage"
METRICS = ("revenue_leakage", "revenue_leakage_ratio", "failed_payment_rate", "failed_payment_leakage")
KINDS = (
    Column("leakage_type", "Kind", of="leakage_summary"),
    Column("cases", "Cases", "count", of="leakage_summary"),
    Column("customers", "Customers", "count", of="leakage_summary"),
    Column("estimated_revenue_loss", "Loss", "money", of="leakage_summary"),
    Column("share_of_loss", "Share", "rate", of="leakage_summary"),
    Column("not_available_reason", "If not available, why", of="leakage_summary"),
)
COLUMNS = (
    Column("company_name", "Customer", of="customers"),
    Column("leakage_type", "Kind", of=OF),
    Column("estimated_revenue_loss", "Loss", "money", of=OF),
    Column("explanation", "What happened", width="large", of=OF),
    Column("recommended_action", "What to do", width="large", of=OF),
    Column("period_start", "From", DATE, of=OF),
    Column("period_end", "Until", DATE, of=OF),
    Column("is_recurring", "Recurring", width="small", of=OF),
    Column("segment", "Segment"),
    Column("plan", "Plan"),
    Column("subscription_id", "Subscription", of=OF),
    Column("transaction_ids", "Payments", of=OF),
    Column("customer_id", "Id", of=OF),
)
ORDER = {
    "Loss": [_.estimated_revenue_loss.desc(), _.leakage_id],
    "Newest": [_.period_start.desc(), _.leakage_id],
    "Customer": [_.company_name, _.leakage_id],
}


def page(reading: Reading) -> None:
    """What leaks in all, by kind, and each case."""
    heading("Revenue Leakage", "What was earned and not billed or not collected. No amount is counted twice.")
    tiles(reading, METRICS)
    left, right = st.columns(2)
    kinds = reading.table("leakage_summary").order_by(_.estimated_revenue_loss.desc(nulls_first=False), _.leakage_type)
    with left:
        st.subheader("By kind")
        chart(risk.leakage_by_type(reading.rows(kinds), reading.currency), "Lost revenue by kind of leakage", "kinds")
    with right:
        st.subheader("In numbers")
        listing(reading, reading.frame(kinds), KINDS, "leakage by kind")
    st.subheader("Cases")
    cases = with_customers(reading, reading.table(OF))
    if not reading.count(cases):
        nothing("No case of leakage was found.", "The table above says which kinds could not be looked for.")
        return
    table(reading, chosen(reading, cases), COLUMNS, ORDER, key="leakage", noun="cases", customer_column="customer_id")


def chosen(reading: Reading, cases: ir.Table) -> ir.Table:
    """The cases that the search and the filters leave."""
    boxes = st.columns([3, 2, 2, 2])
    with boxes[0]:
        found = search(cases, ("company_name", "customer_id", "explanation", "leakage_type"), hint="Customer or case")
    with boxes[1]:
        found = choose(reading, found, OF, "leakage_type", key="kind", label="Kind")
    with boxes[2]:
        found = choose(reading, found, "customer_360", "segment", key="segment", label="Segment")
    with boxes[3]:
        found = choose(reading, found, "customer_360", "plan", key="plan", label="Plan")
    return found


page(current())
