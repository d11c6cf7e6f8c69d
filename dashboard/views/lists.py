"""Lists that people ask for: trials, and the customers who are new, back, larger, smaller or gone in a month."""

import datetime as dt

import ibis.expr.types as ir
import streamlit as st
from ibis import _

from dashboard.escape import markdown_text
from dashboard.filters import add_customer_columns, filter_by_values, search, select_value
from dashboard.reading import Reading, current
from dashboard.states import show_empty_state
from dashboard.tables import DATE, Column, show_rows, show_table
from dashboard.widgets import show_heading
from rules.text.formats import change_text, count_text

TRIALS, MOVES = "trials", "customer_movements"
LISTS = {
    "Trials": "", "New": "New", "Expanded": "Expanded", "Contracted": "Contracted", "Churned": "Churned",
    "Back": "Reactivated",
}  # fmt: skip
"""The lists, and the movement of customers that each shows."""

OUTCOMES = ("Running", "Converted", "Not Converted")
TRIAL_COLUMNS = (
    Column("company_name", "Customer", of="customers"),
    Column("outcome", "Outcome", of=TRIALS),
    Column("started_on", "Began", DATE, of=TRIALS),
    Column("ends_on", "Ends", DATE, of=TRIALS),
    Column("is_end_estimated", "End estimated", width="small", of=TRIALS),
    Column("converted_on", "Converted", DATE, of=TRIALS),
    Column("plan", "Plan", of=TRIALS),
    Column("segment", "Segment"),
    Column("country", "Country"),
    Column("customer_id", "Id"),
)
TRIAL_ORDER = {
    "End": [_.ends_on.desc(nulls_first=True), _.customer_id],
    "Begin": [_.started_on.desc(), _.customer_id],
    "Customer": [_.company_name, _.customer_id],
}
MONTHS = (
    Column("month_begun", "Began in", DATE, of="trial_conversion"),
    Column("trials", "Trials", "count", of="trial_conversion"),
    Column("running", "Running", "count", of="trial_conversion"),
    Column("finished", "Over", "count", of="trial_conversion"),
    Column("converted", "Converted", "count", of="trial_conversion"),
    Column("conversion_rate", "Conversion", "rate", of="trial_conversion"),
    Column("conversion_to_date", "So far", "rate", of="trial_conversion"),
    Column("is_mature", "Final", width="small", of="trial_conversion"),
)
MOVE_COLUMNS = (
    Column("company_name", "Customer", of="customers"),
    Column("mrr_start", "MRR before", "money", of=MOVES),
    Column("mrr_end", "MRR after", "money", of=MOVES),
    Column("change", "Change", "money", of=MOVES),
    Column("churn_type", "Type of churn", of=MOVES),
    Column("churn_reason", "Reason", of=MOVES),
    Column("plan", "Plan"),
    Column("segment", "Segment"),
    Column("country", "Country"),
    Column("churn_risk_band", "Risk now"),
    Column("customer_id", "Id"),
)
MOVE_ORDER = {
    "Change": [_.change.abs().desc(), _.customer_id],
    "Customer": [_.company_name, _.customer_id],
}
SEARCHED = ("company_name", "customer_id", "plan", "segment", "country")


def page(reading: Reading) -> None:
    """One of the lists, with its month or outcome."""
    show_heading("Lists", "Trials, and who is new, back, pays more, pays less or left, in any month.")
    chosen = st.segmented_control("List", list(LISTS), default="Trials", required=True, key="list", bind="query-params")
    if LISTS[chosen]:
        show_movement(reading, LISTS[chosen])
    else:
        show_trials(reading)


def show_trials(reading: Reading) -> None:
    """Each customer with a trial, and the conversion by the month in which trials began."""
    trials = add_customer_columns(reading, reading.table(TRIALS))
    if not reading.count(trials):
        show_empty_state("There are no trials in the data.", "A trial is a subscription with the status Trial.")
        return
    left, right = st.columns([3, 2])
    with left:
        found = search(trials, SEARCHED, hint="Customer, plan, segment")
    with right:
        found = filter_by_values(found, "outcome", OUTCOMES, key="outcome", label="Outcome")
    show_table(reading, found, TRIAL_COLUMNS, TRIAL_ORDER, key="trials", noun="trials", customer_column="customer_id")
    st.subheader("Conversion by the month in which trials began")
    st.caption(
        "A month has a conversion when all of its trials are over for a week or converted. Until then, So far counts "
        "the ones that are over, and is not the result of the month."
    )
    by_month = reading.table("trial_conversion").order_by(_.month_begun.desc())
    show_rows(reading, reading.frame(by_month), MONTHS, "trial conversion by month")


def show_movement(reading: Reading, movement: str) -> None:
    """The customers with one movement in a month."""
    calendar = reading.rows(reading.table("calendar").select("month", "is_complete").order_by(_.month.desc()))
    months = [f"{row['month']:%Y-%m}" for row in calendar]
    complete = next((f"{row['month']:%Y-%m}" for row in calendar if row["is_complete"]), months[0])
    left, right = st.columns([2, 3])
    with left:
        month = select_value("Month", months, key="month", default=complete)
    rows = rows_of_month(reading, movement, month)
    with right:
        found = search(rows, SEARCHED, hint="Customer, plan, segment")
    total = reading.rows(found.aggregate(count=_.count(), change=_.change.sum()))[0]
    change = markdown_text(change_text(total["change"] or 0, "money", reading.currency))
    open_month = "" if month <= complete and calendar else " The month is not over."
    st.markdown(f"**{count_text(total['count'], 'customer')}**, MRR **{change}**.{open_month}")
    if movement == "Churned" and not reading.count(found.filter(_.churn_reason.notnull())):
        st.caption("Reasons are not available: neither these subscriptions nor the customers have a cancel_reason.")
    show_table(
        reading, found, MOVE_COLUMNS, MOVE_ORDER, key="customers", noun="customers", customer_column="customer_id"
    )


def rows_of_month(reading: Reading, movement: str, month: str) -> ir.Table:
    """The customers with a movement in a month (YYYY-MM), with their names."""
    first = dt.date.fromisoformat(f"{month}-01")
    moved = reading.table(MOVES).filter(_.movement == movement, _.month == first)
    return add_customer_columns(reading, moved)


page(current())
