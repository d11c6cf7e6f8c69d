"""The retention of customers and MRR by cohort."""

import ibis.expr.types as ir
import streamlit as st
from ibis import _

from dashboard.asked_rows import Asked
from dashboard.filters import select_value
from dashboard.reading import Reading, current
from dashboard.states import show_empty_state
from dashboard.tables import DATE, Column, show_table
from dashboard.view_filters import chosen, in_view
from dashboard.widgets import show_chart, show_heading, show_metric_tiles
from productpulse_assets.charts import retention
from productpulse_assets.metrics.cohort_cells import cohort_cells

OF = "cohort_summary"
MEASURES: dict[str, retention.Measure] = {
    "Customer retention": "retention_rate",
    "MRR retention": "mrr_retention_rate",
}
METRICS = ("retention_rate", "gross_revenue_retention", "net_revenue_retention", "average_monthly_churn_rate")
COLUMNS = (
    Column("cohort_month", "Cohort", DATE, of=OF),
    Column("months_since_cohort", "Months since start", "count", of=OF),
    Column("customers", "Customers at the start", "count", of=OF),
    Column("retained_customers", "Still paying", "count", of=OF),
    Column("retention_rate", "Customer retention", "rate", of=OF),
    Column("mrr", "MRR", "money", of=OF),
    Column("mrr_retention_rate", "MRR retention", "rate", of=OF),
)
ORDER = {
    "Cohort": [_.cohort_month, _.months_since_cohort],
    "Newest cohort": [_.cohort_month.desc(), _.months_since_cohort],
    "Lowest retention": [_.retention_rate, _.cohort_month, _.months_since_cohort],
}


def page(reading: Reading) -> None:
    """The retention of each cohort as a heat map and as a table."""
    show_heading(
        "Cohort Retention", "How many customers who started paying in the same month still pay, month by month."
    )
    show_metric_tiles(reading, METRICS)
    is_filtered = bool(chosen(reading))
    table = filtered_cohorts(reading) if is_filtered else reading.table(OF)
    cohorts = table.filter(_.is_total)
    rows = reading.rows(cohorts.order_by("cohort_month", "months_since_cohort"))
    if not rows:
        show_empty_state("There is no cohort yet.", "A cohort needs at least one paying customer.")
        return
    measure = select_value("Measure", list(MEASURES), key="measure")
    show_chart(
        retention.cohort_heat_map(rows, MEASURES[measure]),
        f"{measure} by cohort and month",
        "cohorts",
        lambda keys: Asked("cohort", "", {"cohort": keys[0], "months": keys[1], "measure": MEASURES[measure]}),
    )
    if is_filtered:
        st.caption("The filters take the customers by what they are today, so that no customer changes its cohort.")
    st.caption("Month 0 is the month of the first payment. Empty cells are after the as-of date.")
    show_table(reading, cohorts, COLUMNS, ORDER, key="cohorts", noun="cohort months")


def filtered_cohorts(reading: Reading) -> ir.Table:
    """cohort_summary of the customers of the filters."""
    return cohort_cells(in_view(reading, reading.table("customer_months")))


page(current())
