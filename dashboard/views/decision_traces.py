"""Every decision, step by step: from an action down to the rule, the signal and the source rows."""

from collections.abc import Mapping
from typing import Any

import ibis.expr.types as ir
import streamlit as st
from ibis import _

from dashboard.escape import facts, markdown_text
from dashboard.evidence_tree import evidence_table, finding_tree
from dashboard.filters import (
    OPTION_LIMIT,
    add_customer_columns,
    filter_by_column,
    filter_by_values,
    requested_key,
    search_with_customer_names,
    select_by_name,
)
from dashboard.links import link
from dashboard.reading import Reading, current
from dashboard.states import show_empty_state
from dashboard.tables import Column, show_table
from dashboard.widgets import show_heading
from productpulse_assets.decisions.evidence import Finding, Step, trace_chain
from resources.published_snapshot import Row
from rules.text.formats import one_line, value_text

OF = "decision_traces"
KINDS = ("Intervention", "Recommendation", "ChurnRisk", "RevenueLeakage")
MATCHES = 50  # the largest number of traces that the select box offers
COLUMNS = (
    Column("entity_type", "Step", of=OF),
    Column("company_name", "Customer", of="customers"),
    Column("triggered_rule", "Rule", of=OF),
    Column("signal", "Signal", of=OF),
    Column("generated_action", "Action", width="large", of=OF),
    Column("monthly_revenue", "Revenue a month", "money", of=OF),
    Column("recurring_value", "Over its months", "money", of=OF),
    Column("one_off_cash", "Cash once", "money", of=OF),
    Column("confidence_level", "Confidence", width="small", of=OF),
    Column("evidence", "Evidence", width="large", of=OF),
    Column("trace_id", "Trace", of=OF),
    Column("parent_trace_id", "Parent trace", of=OF),
    Column("customer_id", "Id", of=OF),
)
ORDER = {
    "Revenue a month": [_.monthly_revenue.desc(nulls_first=False), _.trace_id],
    "Cash once": [_.one_off_cash.desc(nulls_first=False), _.trace_id],
    "Customer": [_.customer_id, _.entity_type, _.trace_id],
    "Rule": [_.triggered_rule, _.customer_id, _.trace_id],
}
SEARCHED = (
    "customer_id", "entity_id", "trace_id", "triggered_rule", "signal", "generated_action", "evidence",
)  # fmt: skip


def page(reading: Reading) -> None:
    """The search, one decision followed down to its evidence, and all matching traces."""
    show_heading("Decision Traces", "Every step of every decision. Choose one to follow it down to the source rows.")
    traces = reading.table(OF)
    if not reading.count(traces):
        show_empty_state("There are no decision traces yet.", "They need at least one paying customer.")
        return
    found = apply_filters(reading, traces)
    show_decision(reading, found)
    st.subheader("All matching traces")
    st.caption("Each step of a decision repeats the same money: do not add the amounts up.")
    show_table(
        reading, found, COLUMNS, ORDER, key="traces", noun="traces", customer_column="customer_id",
        add_columns=lambda rows: add_customer_columns(reading, rows),
    )  # fmt: skip


def apply_filters(reading: Reading, traces: ir.Table) -> ir.Table:
    """The traces that match the search and the filters."""
    boxes = st.columns([3, 2, 2, 2])
    with boxes[0]:
        found = search_with_customer_names(
            reading, traces, SEARCHED, key="trace_search", hint="Customer, rule, signal, action, id"
        )
    with boxes[1]:
        found = filter_by_values(found, "entity_type", KINDS, key="step", label="Step")
    with boxes[2]:
        found = filter_by_column(reading, found, OF, "triggered_rule", key="rule", label="Rule")
    with boxes[3]:
        found = filter_by_column(reading, found, OF, "confidence_level", key="confidence", label="Confidence")
    return found


def show_decision(reading: Reading, found: ir.Table) -> None:
    """A trace that the user chooses, and each step below it."""
    first_ones = found.order_by(*ORDER["Revenue a month"]).limit(MATCHES)
    first = reading.rows(add_customer_columns(reading, first_ones).order_by(*ORDER["Revenue a month"]))
    labels = {row["trace_id"]: _label(row) for row in first}
    requested, traces = st.query_params.get("trace"), reading.table(OF)
    options = traces if requested_key("trace") else found
    if requested and requested not in labels:
        rows = reading.rows(add_customer_columns(reading, options.filter(_.trace_id == requested)))
        labels = {row["trace_id"]: _label(row) for row in rows} | labels
    if not labels:
        return
    st.subheader("Follow one decision")
    st.caption(f"The list has the first {MATCHES} matching traces.")
    trace_id = select_by_name(
        "Trace", labels, key="trace", is_known=lambda trace: bool(reading.count(traces.filter(_.trace_id == trace)))
    )
    if trace_id is None:
        return
    for depth, step in enumerate(trace_chain(reading, trace_id)):
        show_step(reading, step, depth)


def _label(row: Row) -> str:
    parts = (
        row["entity_type"],
        row["company_name"] or row["customer_id"],
        row["triggered_rule"] or "no rule",
        row["signal"],
    )
    return " · ".join(one_line(part, OPTION_LIMIT) for part in parts if part)


def _money_facts(trace: Mapping[str, Any], currency: str) -> list[tuple[str, str]]:
    """What a step is about; a finding has no value over months."""
    amounts = (("Revenue a month", trace["monthly_revenue"]), ("Over its months", trace["recurring_value"]),
               ("Cash once", trace["one_off_cash"]))  # fmt: skip
    return [(label, value_text(amount, "money", currency)) for label, amount in amounts if amount]


def show_step(reading: Reading, step: Step, depth: int) -> None:
    """A step: what was decided, by which rule, and its evidence; the last step shows the source rows."""
    trace = step.trace
    with st.container(border=True):
        step_name = f"**{markdown_text(trace['entity_type'])}** {markdown_text(trace['entity_id'])}"
        st.markdown(f"Based on {step_name}" if depth else step_name)
        st.html(
            facts(
                ("Rule", trace["triggered_rule"]),
                ("Signal", trace["signal"]),
                *_money_facts(trace, reading.currency),
                ("Confidence", trace["confidence_level"]),
                ("Trace", trace["trace_id"]),
            )
        )
        if trace["generated_action"]:
            st.markdown(markdown_text(trace["generated_action"]))
        if trace["parent_trace_id"] is None:
            st.html(finding_tree(reading, Finding(trace)))
        with st.expander("Recorded evidence"):
            st.html(evidence_table(trace["evidence"]))
        if not depth:
            link("customer_360", "Open the customer", customer=str(trace["customer_id"]))


page(current())
