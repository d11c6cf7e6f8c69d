"""The retention of customers and MRR by cohort."""

import streamlit as st
from ibis import _

from dashboard.filters import select_value
from dashboard.reading import Reading, current
from dashboard.states import show_empty_state
from dashboard.tables import DATE, Column, show_table
from dashboard.widgets import show_chart, show_heading, show_metric_tiles
from productpulse_assets.charts import retention

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
    """The retention of each cohort as a heat map, for all segments or one, and as a table."""
    show_heading(
        "Cohort Retention", "How many customers who started paying in the same month still pay, month by month."
    )
    show_metric_tiles(reading, METRICS)
    table = reading.table(OF)
    segments = [str(value) for value in reading.values(table.filter(~_.is_total), "segment")]
    if not segments:
        show_empty_state("There is no cohort yet.", "A cohort needs at least one paying customer.")
        return
    left, right = st.columns(2)
    with left:
        total = "All segments" if "All" in segments else "All"
        segment = select_value("Segment", [total, *segments], key="cohort_segment", default=total)
    with right:
        measure = select_value("Measure", list(MEASURES), key="measure")
    is_selected = _.is_total if segment == total else ~_.is_total & (_.segment == segment)
    cohorts = table.filter(is_selected)
    rows = reading.rows(cohorts.order_by("cohort_month", "months_since_cohort"))
    show_chart(retention.cohort_heat_map(rows, MEASURES[measure]), f"{measure} by cohort and month", "cohorts")
    st.caption("Month 0 is the month of the first payment. Empty cells are after the as-of date.")
    show_table(reading, cohorts, COLUMNS, ORDER, key="cohorts", noun="cohort months")


page(current())
