"""The funnel from signup to a retained customer, and where customers are lost."""

from collections.abc import Sequence

import ibis.expr.types as ir
import streamlit as st
from ibis import _

from dashboard.asked_rows import Asked
from dashboard.escape import markdown_text
from dashboard.reading import Reading, current
from dashboard.states import show_if_absent
from dashboard.tables import Column, show_table
from dashboard.view_filters import chosen, in_view
from dashboard.widgets import show_chart, show_heading, show_metric_tiles
from productpulse_assets.charts import retention
from productpulse_assets.metrics.funnel_steps import funnel, funnel_of_all, steps_reached
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
    funnel, by_segment = funnels(reading)
    steps = reading.rows(funnel.order_by("step_number"))
    for row in steps:
        if row["is_bottleneck"]:
            st.markdown(
                f"**The bottleneck is {markdown_text(row['step'])}**: {percent(row['dropoff_rate'])} of "
                f"{count_text(row['previous_step_users'], 'customer')} in the step before do not reach it."
            )
    left, right = st.columns(2)
    with left:
        st.subheader("All customers")
        show_chart(retention.funnel(steps), "Customers in each step of the funnel", "funnel", funnel_bar)
    with right:
        st.subheader("By segment")
        rows = reading.rows(by_segment.order_by("segment", "step_number"))
        show_chart(retention.funnel_by_segment(rows), "Customers in each step by segment", "segments", funnel_bar)
    st.caption(
        "A step counts customers who are in all steps before it. Retained Month 1 counts only customers who had a full "
        "month."
    )
    show_table(reading, by_segment, COLUMNS, ORDER, key="funnel", noun="steps")


def funnels(reading: Reading) -> tuple[ir.Table, ir.Table]:
    """The funnel and the funnel by segment, of the customers of the filters."""
    if not chosen(reading):
        return reading.table("funnel_summary"), reading.table("segment_funnel")
    months = in_view(reading, reading.table("customer_months"))
    reached = steps_reached(months, reading.table("calendar"), reading.rules)
    return funnel_of_all(reached), funnel(reached)


def funnel_bar(keys: Sequence[str]) -> Asked:
    """A step of the funnel, of all customers or of a segment."""
    return Asked("funnel", "", dict(zip(("step", "segment"), keys, strict=False)))


page(current())
