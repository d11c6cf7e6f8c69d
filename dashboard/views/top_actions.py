"""Who should do what this week: the plan, searched, filtered, by owner, and as a brief to send."""

from math import ceil

import ibis.expr.types as ir
import streamlit as st
from ibis import _

from dashboard.brief import as_html, brief
from dashboard.escape import plain
from dashboard.filters import among, choose, search
from dashboard.plan import card, first_week, most_urgent, planned
from dashboard.quick_views import QUICK_VIEWS, seen_through
from dashboard.reading import Reading, current
from dashboard.states import nothing
from dashboard.tables import LEVEL, Column, table
from dashboard.widgets import chart, heading
from productpulse_assets.charts import work
from rules.text.formats import value_text

PER_PAGE = 10
CARDS, TABLE = "Cards", "Table"
COLUMNS = (
    Column("priority_rank", "#", "count", "small", "intervention_plan"),
    Column("recommendation_title", "What to do", width="large", of="intervention_plan"),
    Column("company_name", "Customer", of="customers"),
    Column("priority_band", "Priority", LEVEL, of="intervention_plan"),
    Column("estimated_revenue_impact", "Impact", "money", of="intervention_plan"),
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
    "Impact": [_.estimated_revenue_impact.desc(), _.priority_rank],
    "Week": [_.scheduled_week, _.priority_rank],
    "Customer": [_.company_name, _.priority_rank],
}
SEARCHED = ("recommendation_title", "company_name", "customer_id", "reason", "category", "suggested_owner")


def page(reading: Reading) -> None:
    """The filters, what they leave, each action as a card or a row, the owners' load, the brief."""
    heading("Top Actions", "Who should do what, for which customer, in which week, and for how much money.")
    if not reading.count(planned(reading)):
        nothing("Nothing in the data asks for an intervention.", "The Risk Queue shows what is known of each customer.")
        return
    view, found = chosen(reading)
    total = reading.rows(found.aggregate(count=_.count(), revenue=_.estimated_revenue_impact.sum()))[0]
    st.markdown(
        f"**{value_text(total['count'], 'count')}** interventions about "
        f"**{plain(value_text(total['revenue'] or 0, 'money', reading.currency))}**. No amount is counted twice."
    )
    actions(reading, found, total["count"])
    left, right = st.columns(2)
    with left:
        workload(reading)
    with right:
        decision_brief(reading, found, view)


def chosen(reading: Reading) -> tuple[str, ir.Table]:
    """The interventions that the quick view, the search and the filters leave, and what was asked for."""
    quick = st.segmented_control(
        "Quick view", list(QUICK_VIEWS), default="All", required=True, key="view", bind="query-params"
    )
    found = seen_through(planned(reading), quick, first_week(reading))
    boxes = st.columns([3, 2, 2, 2, 2])
    with boxes[0]:
        found = search(found, SEARCHED, hint="Customer, action, reason")
    with boxes[1]:
        found = choose(reading, found, "intervention_plan", "suggested_owner", key="owner", label="Owner")
    with boxes[2]:
        found = among(found, "priority_band", reading.priority_bands, key="band", label="Priority")
    with boxes[3]:
        found = choose(reading, found, "customer_360", "segment", key="segment", label="Segment")
    with boxes[4]:
        found = choose(reading, found, "customer_360", "plan", key="plan", label="Plan")
    asked = {name: st.session_state.get(name) for name in ("q", "owner", "band", "segment", "plan")}
    told = [quick] + [
        f"{name} {', '.join(value) if isinstance(value, list) else value}"
        for name, value in asked.items() if value
    ]  # fmt: skip
    return "; ".join(told).replace("; q ", "; search "), found


def actions(reading: Reading, found: ir.Table, count: int) -> None:
    """The interventions as cards, or as a table with its download."""
    shape = st.segmented_control("Show as", [CARDS, TABLE], default=CARDS, required=True, key="as", bind="query-params")
    if shape == TABLE:
        table(reading, found, COLUMNS, ORDER, key="actions", noun="interventions", customer_column="customer_id")
        return
    if not count:
        nothing("No intervention fits.", "Widen the search or clear the filters.")
        return
    pages, cards, number = ceil(count / PER_PAGE), st.container(), 1
    if pages > 1:
        number = min(st.pagination(pages, key="page", bind="query-params"), pages)
    with cards:
        for row in reading.rows(most_urgent(found, PER_PAGE, (number - 1) * PER_PAGE)):
            card(reading, row)


def workload(reading: Reading) -> None:
    """What each owner has to do, week by week."""
    st.subheader("Owner workload")
    rows = reading.rows(reading.table("owner_workload").order_by("owner", "week"))
    chart(work.workload(rows), "Interventions by owner and week, against capacity", "workload")


def decision_brief(reading: Reading, found: ir.Table, view: str) -> None:
    """The view as a page of Markdown."""
    st.subheader("Decision brief")
    text = brief(reading, found, view)
    st.download_button(
        "Brief as Markdown", text, f"decision_brief_{reading.as_of}.md", "text/markdown",
        key="brief", on_click="ignore", icon=":material/download:",
    )  # fmt: skip
    with st.expander("Read it here"):
        st.html(as_html(text))


page(current())
