"""Where people who sign up are lost on the way to a paying customer who stays."""

import streamlit as st
from ibis import _

from dashboard.escape import plain
from dashboard.reading import Reading, current
from dashboard.states import lacking
from dashboard.tables import Column, table
from dashboard.widgets import chart, heading, tiles
from productpulse_assets.charts import retention
from rules.text.formats import percent, value_text

METRICS = ("activation_rate", "time_to_activation", "usage_frequency", "feature_adoption_proxy")
COLUMNS = (
    Column("segment", "Segment", of="segment_funnel"),
    Column("step", "Step", of="segment_funnel"),
    Column("users", "Customers", "count", of="segment_funnel"),
    Column("previous_step_users", "In the step before", "count", of="segment_funnel"),
    Column("conversion_rate", "Conversion", "rate", of="segment_funnel"),
    Column("dropoff_rate", "Lost", "rate", of="segment_funnel"),
    Column("is_bottleneck", "Bottleneck", of="segment_funnel"),
)
ORDER = {
    "Segment": [_.segment, _.step_number],
    "Step": [_.step_number, _.segment],
    "Most lost": [_.dropoff_rate.desc(nulls_first=False), _.segment, _.step_number],
}


def page(reading: Reading) -> None:
    """The funnel in all and by segment, and the step where most are lost."""
    heading("Funnel Analysis", "From signup to a paying customer who stays: who gets how far.")
    tiles(reading, METRICS)
    lacking(reading, {"product_usage"}, "The steps First Key Action and Activated are")
    steps = reading.rows(reading.table("funnel_summary").order_by("step_number"))
    for row in steps:
        if row["is_bottleneck"]:
            st.markdown(
                f"**Most are lost at {plain(row['step'])}**: {percent(row['dropoff_rate'])} of "
                f"{value_text(row['previous_step_users'], 'count')} do not get there."
            )
    left, right = st.columns(2)
    with left:
        st.subheader("All customers")
        chart(retention.funnel(steps), "Customers in each step of the funnel", "funnel")
    with right:
        st.subheader("By segment")
        rows = reading.rows(reading.table("segment_funnel").order_by("segment", "step_number"))
        chart(retention.funnel_by_segment(rows), "Customers in each step by segment", "segments")
    st.caption(
        "A customer is in a step only if in all before it. Retained Month 1 looks at those who had a full month."
    )
    table(reading, reading.table("segment_funnel"), COLUMNS, ORDER, key="funnel", noun="steps")


page(current())
