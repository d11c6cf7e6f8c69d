"""The intervention plan on a page: what to search it by, and an action as a card."""

from __future__ import annotations

import ibis.expr.types as ir
import streamlit as st
from ibis import _

from dashboard.escape import badge, facts, plain
from dashboard.evidence_tree import intervention_tree
from dashboard.filters import with_customers
from dashboard.links import link
from dashboard.reading import Reading
from productpulse_assets.decisions.evidence import read_intervention
from resources.published_snapshot import Row
from rules.text.formats import NAME_LIMIT, value_text

TITLE_LIMIT, REASON_LIMIT = 160, 300


def planned(reading: Reading) -> ir.Table:
    """The intervention plan with each customer's name, segment, plan and risk band."""
    return with_customers(reading, reading.table("intervention_plan"))


def first_week(reading: Reading) -> str | None:
    """The Monday of the plan's first week; None where nothing is planned."""
    weeks = reading.table("owner_workload")
    return reading.rows(weeks.aggregate(first=weeks.week.min()))[0]["first"]


def most_urgent(plan: ir.Table, count: int, first: int = 0) -> ir.Table:
    """So many interventions, the most urgent first."""
    return plan.order_by(_.priority_rank).limit(count, offset=first)


def card(reading: Reading, row: Row, *, why: bool = True) -> None:
    """One intervention: what to do, for whom, how much it is about, and why."""
    with st.container(border=True):
        st.markdown(f"**{row['priority_rank']}\\. {plain(row['recommendation_title'], TITLE_LIMIT)}**")
        st.html(f"{badge(row['priority_band'])} &nbsp; {_about(row, reading.currency)}")
        st.markdown(plain(row["reason"], REASON_LIMIT))
        st.caption(plain(row["expected_action"]))
        link("customer_360", plain(row["company_name"] or row["customer_id"], NAME_LIMIT), customer=row["customer_id"])
        if why:
            _why(reading, row["intervention_id"])


def _about(row: Row, currency: str) -> str:
    return facts(
        ("Impact", value_text(row["estimated_revenue_impact"], "money", currency)),
        ("Owner", row["suggested_owner"]),
        ("Week of", row["scheduled_week"]),
        ("Effort", row["effort_level"]),
        ("Confidence", row["confidence_level"]),
    )


def _why(reading: Reading, intervention_id: str) -> None:
    """The evidence under an intervention, read when it is opened."""
    proof = st.expander("Why?", key=f"why_{intervention_id}", on_change="rerun", type="compact")
    if proof.open:
        proof.html(intervention_tree(reading, read_intervention(reading, intervention_id)))
