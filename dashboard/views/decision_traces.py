"""Every decision, step by step: from an action down to the rule, the signal and the rows."""

import ibis.expr.types as ir
import streamlit as st
from ibis import _

from dashboard.escape import facts, plain
from dashboard.evidence_tree import finding_tree, proof_table
from dashboard.filters import OPTION_LIMIT, among, choose, linked, pick_named, search_with_customers, with_customers
from dashboard.links import link
from dashboard.reading import Reading, current
from dashboard.states import nothing
from dashboard.tables import Column, table
from dashboard.widgets import heading
from productpulse_assets.decisions.evidence import Finding, Step, trace_chain
from rules.text.formats import one_line, value_text

OF = "decision_traces"
KINDS = ("Intervention", "Recommendation", "ChurnRisk", "RevenueLeakage")
MATCHES = 50
COLUMNS = (
    Column("entity_type", "Step", of=OF),
    Column("company_name", "Customer", of="customers"),
    Column("triggered_rule", "Rule", of=OF),
    Column("signal", "Signal", of=OF),
    Column("generated_action", "Action", width="large", of=OF),
    Column("business_impact", "Impact", "money", of=OF),
    Column("confidence_level", "Confidence", width="small", of=OF),
    Column("evidence", "Evidence", width="large", of=OF),
    Column("trace_id", "Trace", of=OF),
    Column("parent_trace_id", "Rests on", of=OF),
    Column("customer_id", "Id", of=OF),
)
ORDER = {
    "Impact": [_.business_impact.desc(nulls_first=False), _.trace_id],
    "Customer": [_.customer_id, _.entity_type, _.trace_id],
    "Rule": [_.triggered_rule, _.customer_id, _.trace_id],
}
SEARCHED = (
    "customer_id", "entity_id", "trace_id", "triggered_rule", "signal", "generated_action", "evidence",
)  # fmt: skip


def page(reading: Reading) -> None:
    """The traces that are searched for, and one of them followed to what it rests on."""
    heading("Decision Traces", "Every step of every decision. Follow one down to the rows that it came from.")
    traces = reading.table(OF)
    if not reading.count(traces):
        nothing("There is no trace: nothing was decided.", "Traces show with the first paying customer.")
        return
    found = chosen(reading, traces)
    follow(reading, found)
    st.subheader("All that fit")
    st.caption("An impact is repeated on every step of a path: do not add them up.")
    table(
        reading, found, COLUMNS, ORDER, key="traces", noun="traces", customer_column="customer_id",
        told=lambda rows: with_customers(reading, rows),
    )  # fmt: skip


def chosen(reading: Reading, traces: ir.Table) -> ir.Table:
    """The traces that the search and the filters leave."""
    boxes = st.columns([3, 2, 2, 2])
    with boxes[0]:
        found = search_with_customers(
            reading, traces, SEARCHED, key="trace_search", hint="Customer, rule, signal, action, id"
        )
    with boxes[1]:
        found = among(found, "entity_type", KINDS, key="step", label="Step")
    with boxes[2]:
        found = choose(reading, found, OF, "triggered_rule", key="rule", label="Rule")
    with boxes[3]:
        found = choose(reading, found, OF, "confidence_level", key="confidence", label="Confidence")
    return found


def follow(reading: Reading, found: ir.Table) -> None:
    """One trace, and each step below it."""
    cut = found.order_by(*ORDER["Impact"]).limit(MATCHES)
    first = reading.rows(with_customers(reading, cut).order_by(*ORDER["Impact"]))
    labels = {row["trace_id"]: _label(row) for row in first}
    asked, every = st.query_params.get("trace"), reading.table(OF)
    mine = every if linked("trace") else found
    if asked and asked not in labels:
        rows = reading.rows(with_customers(reading, mine.filter(_.trace_id == asked)))
        labels = {row["trace_id"]: _label(row) for row in rows} | labels
    if not labels:
        return
    st.subheader("Follow one")
    st.caption(f"The first {MATCHES} that fit.")
    trace_id = pick_named(
        "Trace", labels, key="trace", is_known=lambda trace: bool(reading.count(every.filter(_.trace_id == trace)))
    )
    if trace_id is None:
        return
    for depth, step in enumerate(trace_chain(reading, trace_id)):
        shown_step(reading, step, depth)


def _label(row: dict[str, object]) -> str:
    words = (
        row["entity_type"],
        row["company_name"] or row["customer_id"],
        row["triggered_rule"] or "no rule",
        row["signal"],
    )
    return " · ".join(one_line(word, OPTION_LIMIT) for word in words if word)


def shown_step(reading: Reading, step: Step, depth: int) -> None:
    """A step: what was decided, by which rule, and from what; at the end the rows."""
    trace = step.trace
    with st.container(border=True):
        st.markdown(f"{'because of ' if depth else ''}**{plain(trace['entity_type'])}** {plain(trace['entity_id'])}")
        st.html(
            facts(
                ("Rule", trace["triggered_rule"]),
                ("Signal", trace["signal"]),
                ("Impact", value_text(trace["business_impact"], "money", reading.currency)),
                ("Confidence", trace["confidence_level"]),
                ("Trace", trace["trace_id"]),
            )
        )
        if trace["generated_action"]:
            st.markdown(plain(trace["generated_action"]))
        if trace["parent_trace_id"] is None:
            st.html(finding_tree(reading, Finding(trace)))
        with st.expander("Evidence as recorded"):
            st.html(proof_table(trace["evidence"]))
        if not depth:
            link("customer_360", "The customer", customer=str(trace["customer_id"]))


page(current())
