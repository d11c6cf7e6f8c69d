"""The intervention plan: who should do what this week, with filters, owner workload and a brief to send."""

from math import ceil

import ibis.expr.types as ir
import streamlit as st
from ibis import _

from dashboard.asked_rows import Asked
from dashboard.brief import brief_html, brief_markdown
from dashboard.escape import markdown_text
from dashboard.filters import filter_by_column, filter_by_values, search
from dashboard.plan import first_week, most_urgent, plan_with_customers, show_card
from dashboard.quick_views import QUICK_VIEWS, apply_quick_view
from dashboard.reading import Reading, current
from dashboard.states import show_empty_state
from dashboard.tables import LEVEL, Column, show_table
from dashboard.view_filters import chosen, in_view
from dashboard.widgets import show_chart, show_heading
from productpulse_assets.charts import work
from rules.text.formats import ACTION_MONEY, action_money, value_text

PER_PAGE = 10  # cards
CARDS, TABLE = "Cards", "Table"
COLUMNS = (
    Column("priority_rank", "#", "count", "small", "intervention_plan"),
    Column("recommendation_title", "What to do", width="large", of="intervention_plan"),
    Column("company_name", "Customer", of="customers"),
    Column("priority_band", "Priority", LEVEL, of="intervention_plan"),
    Column("monthly_revenue", "Revenue a month", "money", of="intervention_plan"),
    Column("recurring_value", "Over its months", "money", of="intervention_plan"),
    Column("one_off_cash", "Cash once", "money", of="intervention_plan"),
    Column("suggested_owner", "Owner", of="intervention_plan"),
    Column("scheduled_week", "Week of", width="small", of="intervention_plan"),
    Column("effort_level", "Effort", width="small", of="intervention_plan"),
    Column("confidence_level", "Confidence", width="small", of="intervention_plan"),
    Column("category", "Category", of="intervention_plan"),
    Column("target_segment", "Segment", of="intervention_plan"),
    Column("plan", "Plan"),
    Column("reason", "Why", width="large", of="intervention_plan"),
)
ORDER = {
    "Priority": [_.priority_rank],
    "Recurring revenue": [_.recurring_value.desc(), _.priority_rank],
    "Cash once": [_.one_off_cash.desc(), _.priority_rank],
    "Week": [_.scheduled_week, _.priority_rank],
    "Customer": [_.company_name, _.priority_rank],
}
SEARCHED = ("recommendation_title", "company_name", "customer_id", "reason", "category", "suggested_owner")


def page(reading: Reading) -> None:
    """The filters, the totals, the interventions as cards or rows, the owners' workload and the brief."""
    show_heading("Top Actions", "Who should do what, for which customer, in which week, and what it is worth.")
    if not reading.count(plan_with_customers(reading)):
        show_empty_state("No intervention is recommended.", "The Risk Queue shows the churn risk of each customer.")
        return
    view, found = apply_filters(reading)
    total = reading.rows(found.aggregate(count=_.count(), **{name: _[name].sum() for name in ACTION_MONEY}))[0]
    count = value_text(total["count"], "count")
    about = markdown_text(action_money(total, reading.currency))
    st.markdown(f"**{count}** interventions about **{about}**. No amount is counted twice.")
    st.caption(
        "Priority counts recurring revenue over its months, or cash once: the two are never added. The months are "
        "value_horizon_months of recommendation_rules.yaml, or the rest of a longer contract."
    )
    show_interventions(reading, found, total["count"])
    left, right = st.columns(2)
    with left:
        show_workload(reading)
    with right:
        show_brief(reading, found, view)


def apply_filters(reading: Reading) -> tuple[str, ir.Table]:
    """A description of the filters, and the interventions that match them."""
    quick = st.segmented_control(
        "Quick view", list(QUICK_VIEWS), default="All", required=True, key="view", bind="query-params"
    )
    found = apply_quick_view(in_view(reading, plan_with_customers(reading)), quick, first_week(reading))
    boxes = st.columns([3, 2, 2])
    with boxes[0]:
        found = search(found, SEARCHED, hint="Customer, action, reason")
    with boxes[1]:
        found = filter_by_column(reading, found, "intervention_plan", "suggested_owner", key="owner", label="Owner")
    with boxes[2]:
        found = filter_by_values(found, "priority_band", reading.priority_bands, key="band", label="Priority")
    filters = {name: st.session_state.get(name) for name in ("q", "owner", "band")} | chosen(reading)
    parts = [quick] + [
        f"{name} {', '.join(value) if isinstance(value, list) else value}"
        for name, value in filters.items() if value
    ]  # fmt: skip
    return "; ".join(parts).replace("; q ", "; search "), found


def show_interventions(reading: Reading, found: ir.Table, count: int) -> None:
    """The interventions as cards, or as a table with a download."""
    shape = st.segmented_control("Show as", [CARDS, TABLE], default=CARDS, required=True, key="as", bind="query-params")
    if shape == TABLE:
        show_table(reading, found, COLUMNS, ORDER, key="actions", noun="interventions", customer_column="customer_id")
        return
    if not count:
        show_empty_state("No intervention matches.", "Widen the search or clear the filters.")
        return
    pages, cards, number = ceil(count / PER_PAGE), st.container(), 1
    if pages > 1:
        number = min(st.pagination(pages, key="page", bind="query-params"), pages)
    with cards:
        for row in reading.rows(most_urgent(found, PER_PAGE, (number - 1) * PER_PAGE)):
            show_card(reading, row)


def show_workload(reading: Reading) -> None:
    """The interventions of each owner about the page's customers, week by week."""
    st.subheader("Owner workload")
    rows = reading.rows(workload_in_view(reading).order_by("owner", "week"))
    show_chart(
        work.workload(rows),
        "Interventions by owner and week, against capacity",
        "workload",
        lambda keys: Asked("work", "", {"owner": keys[0], "week": keys[1]}),
    )


def workload_in_view(reading: Reading) -> ir.Table:
    """The owners' weeks with their capacity, and their interventions about the page's customers."""
    weeks = reading.table("owner_workload")
    if not chosen(reading):
        return weeks
    plan = in_view(reading, reading.table("intervention_plan"))
    work = plan.group_by(owner="suggested_owner", week="scheduled_week").aggregate(interventions=_.count())
    others = [name for name in weeks.columns if name != "interventions"]
    counted = weeks.select(others).left_join(work, ["owner", "week"])
    return counted.select(*others, interventions=counted.interventions.fill_null(0))


def show_brief(reading: Reading, found: ir.Table, view: str) -> None:
    """The interventions in view as one page of Markdown."""
    st.subheader("Decision brief")
    text = brief_markdown(reading, found, view)
    st.download_button(
        "Brief as Markdown", text, f"decision_brief_{reading.as_of}.md", "text/markdown",
        key="brief", on_click="ignore", icon=":material/download:",
    )  # fmt: skip
    with st.expander("Preview"):
        st.html(brief_html(text))


page(current())
