"""Everything about one customer: what it pays and does, its risk, what to do next, and the proof."""

import streamlit as st
from ibis import _

from dashboard.customer import ROWS, of_customer, pick_customer, records, weekly_usage
from dashboard.escape import badge, facts, plain
from dashboard.evidence_tree import finding_tree, intervention_tree
from dashboard.links import link
from dashboard.reading import Reading, current
from dashboard.states import lacking, nothing
from dashboard.widgets import chart, heading, tile
from productpulse_assets.charts import customer as charts
from productpulse_assets.decisions.evidence import CustomerEvidence, customer_evidence
from resources.published_snapshot import Row
from rules.text.formats import is_unknown, name_with_key, value_text

TITLES = {
    "subscriptions": "Subscriptions",
    "transactions": "Payments",
    "support_tickets": "Tickets",
    "nps_scores": "NPS",
}


def page(reading: Reading) -> None:
    """The customer that is searched for: who it is, its figures, what to do, history, records."""
    heading("Customer 360", "Everything about one customer, and what to do next.")
    customer_id = pick_customer(reading)
    if customer_id is None:
        return
    told = customer_evidence(reading, customer_id)
    who(told.customer)
    figures(told.customer, reading.currency)
    left, right = st.columns([3, 2])
    with left:
        next_steps(reading, told)
    with right:
        history(reading, customer_id)
    source_records(reading, customer_id)


def who(about: Row) -> None:
    """The customer's name, standing and attributes."""
    st.subheader(plain(name_with_key(about["company_name"], about["customer_id"]), 200), divider="gray")
    standing = badge(about["churn_risk_band"]) if about["churn_risk_band"] else "no churn risk: pays nothing"
    st.html(
        f"{standing} &nbsp; "
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


def figures(about: Row, currency: str) -> None:
    """The customer's numbers as tiles; what is unknown says so."""
    shown = (
        ("MRR", about["current_mrr"], "money"),
        ("Collected so far", about["total_revenue"], "money"),
        ("Risk score", about["churn_risk_score"], "ratio"),
        ("Revenue at risk", about["revenue_at_risk"], "money"),
        ("Open leakage", about["open_leakage"], "money"),
        ("Logins a week", about["latest_usage_frequency"], "number"),
        ("Usage trend", about["usage_trend"], None),
        ("Latest NPS answer", about["latest_nps"], "count"),
        ("Tickets in 90 days", about["support_ticket_count"], "count"),
        ("Unrecovered payments", about["failed_payment_count"], "count"),
        ("Days to renewal", about["days_to_renewal"], "count"),
        ("Tenure in days", about["tenure_days"], "count"),
    )
    for start in range(0, len(shown), 6):
        for place, (label, value, unit) in zip(st.columns(6), shown[start : start + 6], strict=True):
            with place:
                tile(label, value_text(value, unit, currency) if unit or is_unknown(value) else str(value))


def next_steps(reading: Reading, told: CustomerEvidence) -> None:
    """What is planned, and the evidence down to the rows; without a plan, what is known."""
    st.subheader("What to do next")
    if not told.interventions:
        nothing("No rule asks for an intervention.", "")
    for each in told.interventions:
        row = each.row
        with st.container(border=True):
            st.markdown(f"**{row['priority_rank']}\\. {plain(row['recommendation_title'], 160)}**")
            impact = value_text(row["estimated_revenue_impact"], "money", reading.currency)
            st.html(
                f"{badge(row['priority_band'])} &nbsp; "
                + facts(("Impact", impact), ("Owner", row["suggested_owner"]), ("Week of", row["scheduled_week"]))
            )
            st.markdown(plain(row["expected_action"]))
            with st.expander("Evidence", expanded=each is told.interventions[0]):
                st.html(intervention_tree(reading, each))
    if told.other_findings:
        with st.expander("What else is known", expanded=not told.interventions):
            st.html("".join(finding_tree(reading, each) for each in told.other_findings))
    link("decision_traces", "Every trace of this customer", trace_search=told.customer["customer_id"])


def history(reading: Reading, customer_id: str) -> None:
    """Revenue by month and usage by week."""
    st.subheader("Revenue")
    months = reading.rows(of_customer(reading, "customer_months", customer_id).order_by("month"))
    chart(charts.revenue(months, reading.currency), "MRR, payments and failed payments by month", "revenue")
    st.subheader("Usage")
    if not lacking(reading, {"product_usage"}, "Usage is"):
        weeks = reading.rows(weekly_usage(reading, customer_id))
        chart(charts.usage(weeks), "Logins and key actions by week", "usage")


def source_records(reading: Reading, customer_id: str) -> None:
    """The newest rows of the customer in each dataset, and the cases of leakage."""
    st.subheader("Records")
    for place, (dataset, title) in zip(st.tabs(list(TITLES.values())), TITLES.items(), strict=True):
        with place:
            if lacking(reading, {dataset}, f"{title} are"):
                continue
            count = records(reading, dataset, customer_id)
            if not count:
                nothing(f"This customer has no {title.lower()}.", "")
            elif count > ROWS:
                st.caption(f"The newest {ROWS} of {count:,}.")
    leaks = of_customer(reading, "revenue_leakage", customer_id).order_by(_.estimated_revenue_loss.desc())
    if rows := reading.rows(leaks):
        st.subheader("Leakage")
        for row in rows:
            loss = value_text(row["estimated_revenue_loss"], "money", reading.currency, exact=True)
            st.markdown(f"**{plain(row['leakage_type'])}**, {plain(loss)}: {plain(row['explanation'])}")


page(current())
