"""Revenue leakage: what was earned but not billed or not collected, by kind and by case."""

import ibis.expr.types as ir
import streamlit as st
from ibis import _

from dashboard.filters import add_customer_columns, filter_by_column, search
from dashboard.lists_behind import leakage_bar, leakage_by_kind
from dashboard.reading import Reading, current
from dashboard.states import show_empty_state
from dashboard.tables import DATE, Column, show_rows, show_table
from dashboard.view_filters import in_view
from dashboard.widgets import show_chart, show_heading, show_metric_tiles
from productpulse_assets.charts import risk

OF = "revenue_leakage"
METRICS = (
    "revenue_leakage", "revenue_leakage_ratio", "accounts_receivable", "days_sales_outstanding", "failed_payment_rate",
    "failed_payment_leakage",
)  # fmt: skip
RECEIVABLES = "receivables"
AGING = (
    Column("company_name", "Customer", of="customers"),
    Column("amount_open", "Open", "money", of=RECEIVABLES),
    Column("days_past_due", "Days past due", "count", of=RECEIVABLES),
    Column("open_0_30", "0 to 30 days", "money", of=RECEIVABLES),
    Column("open_31_60", "31 to 60 days", "money", of=RECEIVABLES),
    Column("open_61_90", "61 to 90 days", "money", of=RECEIVABLES),
    Column("open_over_90", "Over 90 days", "money", of=RECEIVABLES),
    Column("credit", "Credit", "money", of=RECEIVABLES),
    Column("customer_id", "Id", of=RECEIVABLES),
)
OLDEST = {
    "Open": [_.amount_open.desc(), _.customer_id],
    "Days past due": [_.days_past_due.desc(nulls_first=False), _.customer_id],
}
KINDS = (
    Column("leakage_type", "Kind", of="leakage_summary"),
    Column("cases", "Cases", "count", of="leakage_summary"),
    Column("customers", "Customers", "count", of="leakage_summary"),
    Column("estimated_revenue_loss", "Loss", "money", of="leakage_summary"),
    Column("share_of_loss", "Share", "rate", of="leakage_summary"),
    Column("not_available_reason", "Reason if not available", of="leakage_summary"),
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
    """The leakage metrics, the loss by kind, and each case."""
    show_heading(
        "Revenue Leakage", "Revenue that was earned but not billed or not collected. No amount is counted twice."
    )
    show_metric_tiles(reading, METRICS)
    left, right = st.columns(2)
    kinds = leakage_by_kind(reading).order_by(_.estimated_revenue_loss.desc(nulls_first=False), _.leakage_type)
    with left:
        st.subheader("Loss by kind")
        show_chart(
            risk.leakage_by_type(reading.rows(kinds), reading.currency),
            "Lost revenue by kind of leakage",
            "kinds",
            leakage_bar,
        )
    with right:
        st.subheader("Numbers by kind")
        show_rows(reading, reading.frame(kinds), KINDS, "leakage by kind")
    st.subheader("Cases")
    cases = add_customer_columns(reading, in_view(reading, reading.table(OF)))
    if not reading.count(cases):
        show_empty_state("No case of leakage was found.", "The table above shows which kinds are not available.")
    else:
        show_table(
            reading,
            apply_filters(reading, cases),
            COLUMNS,
            ORDER,
            key="leakage",
            noun="cases",
            customer_column="customer_id",
        )
    show_open_accounts(reading)


def show_open_accounts(reading: Reading) -> None:
    """Every customer with an open bill, with what is open by days past due."""
    st.subheader("Open accounts")
    accounts = add_customer_columns(reading, in_view(reading, reading.table(RECEIVABLES).filter(_.open_bills > 0)))
    if not reading.count(accounts):
        show_empty_state("No bill is open.", "Bills are known where there are payments.")
        return
    show_table(reading, accounts, AGING, OLDEST, key="accounts", noun="accounts", customer_column="customer_id")


def apply_filters(reading: Reading, cases: ir.Table) -> ir.Table:
    """The cases that match the search and the filters."""
    boxes = st.columns([3, 2])
    with boxes[0]:
        found = search(cases, ("company_name", "customer_id", "explanation", "leakage_type"), hint="Customer or case")
    with boxes[1]:
        found = filter_by_column(reading, found, OF, "leakage_type", key="kind", label="Kind")
    return found


page(current())
