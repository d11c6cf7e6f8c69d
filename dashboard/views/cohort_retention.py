"""How many of those who came together are still here, and how much they pay."""

import streamlit as st
from ibis import _

from dashboard.filters import pick
from dashboard.reading import Reading, current
from dashboard.states import nothing
from dashboard.tables import DATE, Column, table
from dashboard.widgets import chart, heading, tiles
from productpulse_assets.charts import retention

OF = "cohort_summary"
TOTAL = "All"
MEASURES = {"Customers kept": "retention_rate", "MRR kept": "mrr_retention_rate"}
METRICS = ("retention_rate", "gross_revenue_retention", "net_revenue_retention", "average_monthly_churn_rate")
COLUMNS = (
    Column("cohort_month", "Cohort", DATE, of=OF),
    Column("months_since_cohort", "Month", "count", of=OF),
    Column("customers", "Customers at the start", "count", of=OF),
    Column("retained_customers", "Still paying", "count", of=OF),
    Column("retention_rate", "Customers kept", "rate", of=OF),
    Column("mrr", "MRR", "money", of=OF),
    Column("mrr_retention_rate", "MRR kept", "rate", of=OF),
)
ORDER = {
    "Cohort": [_.cohort_month, _.months_since_cohort],
    "Newest cohort": [_.cohort_month.desc(), _.months_since_cohort],
    "Lowest retention": [_.retention_rate, _.cohort_month, _.months_since_cohort],
}


def page(reading: Reading) -> None:
    """The retention of each signup cohort as a heat map, in all or of one segment, and its rows."""
    heading("Cohort Retention", "How many of those who began to pay in the same month still pay, month by month.")
    tiles(reading, METRICS)
    segments = [str(value) for value in reading.values(reading.table(OF), "segment")]
    if not segments:
        nothing("There is no cohort yet.", "The first one shows with the first paying customer.")
        return
    left, right = st.columns(2)
    with left:
        segment = pick("Segment", segments, key="cohort_segment", default=TOTAL)
    with right:
        measure = pick("Measure", list(MEASURES), key="measure")
    found = reading.table(OF).filter(_.segment == segment)
    rows = reading.rows(found.order_by("cohort_month", "months_since_cohort"))
    chart(retention.cohort_heat_map(rows, MEASURES[measure]), f"{measure} by cohort and month", "cohorts")
    st.caption("Month 0 is the cohort's first paying month. A cell that is empty lies after the as-of date.")
    table(reading, found, COLUMNS, ORDER, key="cohorts", noun="cohort months")


page(current())
