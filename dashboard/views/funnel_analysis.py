"""The funnel from signup to a retained customer, and where customers are lost."""

import streamlit as st
from ibis import _

from dashboard.escape import markdown_text
from dashboard.reading import Reading, current
from dashboard.states import show_if_absent
from dashboard.tables import Column, show_table
from dashboard.widgets import show_chart, show_heading, show_metric_tiles
from productpulse_assets.charts import retention
from rules.text.formats import count_text, percent

METRICS = ("activation_rate", "time_to_activation", "usage_frequency", "feature_adoption_proxy")
COLUMNS = (
    Column("segment", "Segment", of="segment_funnel"),
    Column("step", "Step", of="segment_funnel"),
    Column("users", "Customers", "count", of="segment_funnel"),
    Column("previous_step_users", "Customers in the step before", "count", of="segment_funnel"),
    Column("conversion_rate", "Conversion", "rate", of="segment_funnel"),
    Column("dropoff_rate", "Drop-off", "rate", of="segment_funnel"),
    Column("is_bottleneck", "Bottleneck", of="segment_funnel"),
)
ORDER = {
    "Segment": [_.segment, _.step_number],
    "Step": [_.step_number, _.segment],
    "Largest drop-off": [_.dropoff_rate.desc(nulls_first=False), _.segment, _.step_number],
}


def page(reading: Reading) -> None:
    """The funnel of all customers and by segment, with the bottleneck."""
    show_heading(
        "Funnel Analysis", "From signup to a retained customer: how many reach each step, and where customers are lost."
    )
    show_metric_tiles(reading, METRICS)
    show_if_absent(reading, {"product_usage"}, "The steps First Key Action and Activated are")
    steps = reading.rows(reading.table("funnel_summary").order_by("step_number"))
    for row in steps:
        if row["is_bottleneck"]:
            st.markdown(
                f"**The bottleneck is {markdown_text(row['step'])}**: {percent(row['dropoff_rate'])} of "
                f"{count_text(row['previous_step_users'], 'customer')} in the step before do not reach it."
            )
    left, right = st.columns(2)
    with left:
        st.subheader("All customers")
        show_chart(retention.funnel(steps), "Customers in each step of the funnel", "funnel")
    with right:
        st.subheader("By segment")
        rows = reading.rows(reading.table("segment_funnel").order_by("segment", "step_number"))
        show_chart(retention.funnel_by_segment(rows), "Customers in each step by segment", "segments")
    st.caption(
        "A step counts customers who are in all steps before it. Retained Month 1 counts only customers who had a full "
        "month."
    )
    show_table(reading, reading.table("segment_funnel"), COLUMNS, ORDER, key="funnel", noun="steps")


page(current())
