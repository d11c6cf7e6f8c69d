"""Everything about one customer: revenue, usage, churn risk, next actions and their evidence, and records."""

from typing import Any

import streamlit as st
from ibis import _

from dashboard.customer import ROWS, customer_rows, select_customer, show_records, weekly_usage
from dashboard.escape import badge, facts, markdown_text
from dashboard.evidence_tree import finding_tree, intervention_tree
from dashboard.links import link
from dashboard.plan import week_fact
from dashboard.reading import Reading, current
from dashboard.score_history import show_score
from dashboard.states import show_empty_state, show_if_absent
from dashboard.tables import TEXT
from dashboard.widgets import show_chart, show_heading, show_tile
from productpulse_assets.charts import customer as charts
from productpulse_assets.decisions.evidence import CustomerEvidence, customer_evidence
from resources.published_snapshot import Row
from rules.text.formats import action_money, name_with_key, value_text

TITLES = {
    "subscriptions": "Subscriptions",
    "transactions": "Payments",
    "support_tickets": "Tickets",
    "nps_scores": "NPS scores",
}


def page(reading: Reading) -> None:
    """The search, then the customer's profile, figures, next actions, history and records."""
    show_heading("Customer 360", "Everything about one customer, and what to do next.")
    customer_id = select_customer(reading)
    if customer_id is None:
        return
    evidence = customer_evidence(reading, customer_id)
    show_profile(evidence.customer)
    show_figures(evidence.customer, reading.currency)
    left, right = st.columns([3, 2])
    with left:
        show_next_steps(reading, evidence)
    with right:
        show_score(reading, customer_id)
        show_history(reading, customer_id)
    show_source_records(reading, customer_id)


def show_profile(about: Row) -> None:
    """The customer's name, risk band and attributes."""
    st.subheader(markdown_text(name_with_key(about["company_name"], about["customer_id"]), 200), divider="gray")
    band = badge(about["churn_risk_band"]) if about["churn_risk_band"] else "not a paying customer"
    st.html(
        f"{band} &nbsp; "
        + facts(
            ("Segment", about["segment"]),
            ("Plan", about["plan"]),
            ("Status", about["subscription_status"]),
            ("Country", about["country"]),
            ("Channel", about["acquisition_channel"]),
            ("Signed up", about["signup_date"]),
            ("Main driver", about["main_driver"]),
        )
    )


def show_figures(about: Row, currency: str) -> None:
    """The customer's figures as tiles; an unknown figure is not available."""
    figures: tuple[tuple[str, Any, str], ...] = (
        ("MRR", about["current_mrr"], "money"),
        ("Collected so far", about["total_revenue"], "money"),
        ("Risk score", about["churn_risk_score"], "ratio"),
        ("Revenue at risk a month", about["revenue_at_risk"], "money"),
        ("Open leakage", about["open_leakage"], "money"),
        ("Logins a week", about["latest_usage_frequency"], "number"),
        ("Usage trend", about["usage_trend"], TEXT),
        ("Latest NPS score", about["latest_nps"], "count"),
        ("Tickets in 90 days", about["support_ticket_count"], "count"),
        ("Unrecovered payments", about["failed_payment_count"], "count"),
        ("Days to renewal", about["days_to_renewal"], "count"),
        ("Tenure in days", about["tenure_days"], "count"),
        ("Open bills", about["amount_open"], "money"),
        ("Of these over 90 days", about["open_over_90"], "money"),
        ("Days past due", about["days_past_due"], "count"),
        ("Credit", about["credit"], "money"),
    )
    for start in range(0, len(figures), 4):
        for place, (label, value, unit) in zip(st.columns(4), figures[start : start + 4], strict=True):
            with place:
                show_tile(
                    label, str(value) if unit == TEXT and value is not None else value_text(value, unit, currency)
                )


def show_next_steps(reading: Reading, evidence: CustomerEvidence) -> None:
    """The planned interventions with their evidence down to the source rows, and other findings."""
    st.subheader("What to do next")
    if not evidence.interventions:
        show_empty_state("No intervention is recommended for this customer.")
    for each in evidence.interventions:
        row = each.row
        with st.container(border=True):
            st.markdown(f"**{row['priority_rank']}\\. {markdown_text(row['recommendation_title'], 160)}**")
            st.html(
                f"{badge(row['priority_band'])} &nbsp; "
                + facts(
                    ("Worth", action_money(row, reading.currency)), ("Owner", row["suggested_owner"]), week_fact(row)
                )
            )
            st.markdown(markdown_text(row["expected_action"]))
            with st.expander("Evidence", expanded=each is evidence.interventions[0]):
                st.html(intervention_tree(reading, each))
    if evidence.other_findings:
        with st.expander("Other findings", expanded=not evidence.interventions):
            st.html("".join(finding_tree(reading, each) for each in evidence.other_findings))
    link("decision_traces", "All decision traces of this customer", trace_search=evidence.customer["customer_id"])


def show_history(reading: Reading, customer_id: str) -> None:
    """Revenue per month and usage per week."""
    st.subheader("Revenue")
    months = reading.rows(customer_rows(reading, "customer_months", customer_id).order_by("month"))
    show_chart(charts.revenue(months, reading.currency), "MRR, payments and failed payments by month", "revenue")
    st.subheader("Usage")
    if not show_if_absent(reading, {"product_usage"}, "Usage is"):
        weeks = reading.rows(weekly_usage(reading, customer_id))
        show_chart(charts.usage(weeks), "Logins and key actions by week", "usage")


def show_source_records(reading: Reading, customer_id: str) -> None:
    """The newest rows of the customer in each dataset, and its leakage cases."""
    st.subheader("Records")
    for place, (dataset, title) in zip(st.tabs(list(TITLES.values())), TITLES.items(), strict=True):
        with place:
            if show_if_absent(reading, {dataset}, f"{title} are"):
                continue
            count = show_records(reading, dataset, customer_id)
            if not count:
                show_empty_state(f"{title}: this customer has none.")
            elif count > ROWS:
                st.caption(f"The newest {ROWS} of {count:,} rows.")
    leaks = customer_rows(reading, "revenue_leakage", customer_id).order_by(_.estimated_revenue_loss.desc())
    if rows := reading.rows(leaks):
        st.subheader("Leakage")
        for row in rows:
            loss = value_text(row["estimated_revenue_loss"], "money", reading.currency, exact=True)
            st.markdown(
                f"**{markdown_text(row['leakage_type'])}**, {markdown_text(loss)}: {markdown_text(row['explanation'])}"
            )


page(current())
