"""The intervention plan on a page: its rows with customer attributes, and an intervention as a card."""

from __future__ import annotations

import ibis.expr.types as ir
import streamlit as st
from ibis import _

from dashboard.escape import badge, facts, markdown_text
from dashboard.evidence_tree import intervention_tree
from dashboard.filters import add_customer_columns
from dashboard.links import link
from dashboard.reading import Reading
from productpulse_assets.charts.work import BACKLOG
from productpulse_assets.decisions.evidence import read_intervention
from resources.published_snapshot import Row
from rules.text.formats import NAME_LIMIT, action_money

TITLE_LIMIT, REASON_LIMIT = 160, 300


def plan_with_customers(reading: Reading) -> ir.Table:
    """The intervention plan with each customer's name, segment, plan and risk band."""
    return add_customer_columns(reading, reading.table("intervention_plan"))


def first_week(reading: Reading) -> str | None:
    """The Monday of the plan's first week, as ISO text; None if nothing is planned."""
    weeks = reading.table("owner_workload")
    week: str | None = reading.rows(weeks.aggregate(first=weeks.week.min()))[0]["first"]
    return week


def most_urgent(plan: ir.Table, count: int, offset: int = 0) -> ir.Table:
    """`count` interventions in order of priority, after the first `offset` ones."""
    return plan.order_by(_.priority_rank).limit(count, offset=offset)


def show_card(reading: Reading, row: Row) -> None:
    """Show one intervention: what to do, for which customer, what it is worth, and why."""
    with st.container(border=True):
        st.markdown(f"**{row['priority_rank']}\\. {markdown_text(row['recommendation_title'], TITLE_LIMIT)}**")
        st.html(f"{badge(row['priority_band'])} &nbsp; {_card_facts(row, reading.currency)}")
        st.markdown(markdown_text(row["reason"], REASON_LIMIT))
        st.caption(markdown_text(row["expected_action"]))
        name = row["company_name"] or row["customer_id"]
        link("customer_360", markdown_text(name, NAME_LIMIT), customer=row["customer_id"])
        _show_evidence(reading, row["intervention_id"])


def _card_facts(row: Row, currency: str) -> str:
    return facts(
        ("Worth", action_money(row, currency)),
        ("Owner", row["suggested_owner"]),
        week_fact(row),
        ("Effort", row["effort_level"]),
        ("Confidence", row["confidence_level"]),
    )


def week_fact(row: Row) -> tuple[str, str]:
    """The week of an intervention with its label; the backlog has no week."""
    return ("Scheduled", BACKLOG) if row["scheduled_week"] == BACKLOG else ("Week of", row["scheduled_week"])


def _show_evidence(reading: Reading, intervention_id: str) -> None:
    """The evidence for an intervention, queried when the user opens it."""
    proof = st.expander("Why?", key=f"why_{intervention_id}", on_change="rerun", type="compact")
    if proof.open:
        proof.html(intervention_tree(reading, read_intervention(reading, intervention_id)))
