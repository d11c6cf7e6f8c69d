"""How the business is, what to do today, and why: the page to open first."""

import streamlit as st
from ibis import _

from dashboard.links import link
from dashboard.plan import card, most_urgent, planned
from dashboard.reading import Reading, current
from dashboard.states import nothing
from dashboard.tables import LEVEL, Column, listing
from dashboard.widgets import Change, chart, good_directions, heading, summary, tile, tiles
from productpulse_assets.charts import metrics, mrr, risk
from rules.text.formats import value_text

HEADLINES = (
    "monthly_recurring_revenue", "net_new_revenue", "net_revenue_retention", "customer_churn_rate",
    "paying_customers", "revenue_at_risk", "revenue_leakage", "net_promoter_score",
)  # fmt: skip
ACTIONS = 3


def page(reading: Reading) -> None:
    """Headlines, three actions, health, how revenue moved and what moved it, risk and leakage, targets."""
    heading("Executive Cockpit", "How the business is, what to do today, and why.")
    tiles(reading, HEADLINES)
    actions(reading)
    left, right = st.columns(2)
    with left:
        health(reading)
    with right:
        movement(reading)
    left, right = st.columns(2)
    with left:
        past(reading)
    with right:
        moved_by(reading)
    left, right = st.columns(2)
    with left:
        at_risk(reading)
    with right:
        leaking(reading)
    targets(reading)


def actions(reading: Reading) -> None:
    """The most urgent interventions."""
    st.subheader("What to do today")
    first = reading.rows(most_urgent(planned(reading), ACTIONS))
    if not first:
        nothing("Nothing in the data asks for an intervention.", "The Risk Queue shows what is known of each customer.")
        return
    for place, row in zip(st.columns(len(first)), first, strict=True):
        with place:
            card(reading, row)
    link("top_actions", "All actions, by owner and week")


def health(reading: Reading) -> None:
    """The eight areas of health, with what each rests on."""
    st.subheader("Health")
    rows = reading.rows(reading.table("health_scores"))
    chart(metrics.health(rows), "Health of the eight areas from 0 to 100", "health")
    with st.expander("What it rests on"):
        columns = (
            Column("area", "Area"),
            Column("score", "Score", "count"),
            Column("status", "Status", LEVEL),
            Column("explanation", "What it rests on", width="large"),
        )
        listing(reading, reading.frame(reading.table("health_scores")), columns, "health by area")


def movement(reading: Reading) -> None:
    """The MRR bridge of the last complete month."""
    bridge = mrr.bridge(summary(reading))
    if bridge is None:
        st.subheader("Revenue movement")
        nothing("There is no complete month to compare.", "It shows from the second month of data on.")
        return
    st.subheader(f"Revenue movement in {bridge['month']:%B %Y}")
    chart(mrr.waterfall(bridge, reading.currency), "MRR at the start, what came and went, MRR at the end", "waterfall")


def past(reading: Reading) -> None:
    """MRR and churn, month by month."""
    st.subheader("MRR and churn")
    rows = reading.rows(mrr.monthly(reading.table("kpi_history")))
    chart(mrr.mrr_and_churn(rows, reading.currency), "MRR and customer churn by month", "history")


def moved_by(reading: Reading) -> None:
    """Which segments, plans, countries and channels moved MRR."""
    st.subheader("What moved MRR")
    drivers = reading.table("revenue_drivers")
    dimensions = reading.values(drivers, "dimension")
    if not dimensions:
        nothing("Nothing moved MRR.", "It shows from the second month of data on.")
        return
    dimension = st.segmented_control(
        "By", dimensions, default=dimensions[0], required=True, key="moved_by", bind="query-params",
        format_func=lambda name: name.replace("_", " "),
    )  # fmt: skip
    rows = reading.rows(drivers.filter(_.dimension == dimension).order_by(_.change.desc(), "member"))
    chart(mrr.drivers(rows, reading.currency), f"Change of MRR by {dimension}", "drivers")


def at_risk(reading: Reading) -> None:
    """Churn risk by segment."""
    st.subheader("Risk by segment")
    rows = reading.rows(risk.by_segment(reading.table("churn_risk_profiles")))
    chart(risk.risk_by_segment(rows, reading.risk_bands), "Paying customers by segment and risk band", "risk")
    link("risk_queue", "Who they are, and why")


def leaking(reading: Reading) -> None:
    """Revenue leakage by kind."""
    st.subheader("Leakage by kind")
    rows = reading.rows(reading.table("leakage_summary"))
    chart(risk.leakage_by_type(rows, reading.currency), "Lost revenue by kind of leakage", "leakage")
    link("revenue_leakage", "Every case")


def targets(reading: Reading) -> None:
    """Metrics against their targets."""
    st.subheader("Against targets")
    rows = [row for row in summary(reading).values() if row["target_value"] is not None]
    if not rows:
        nothing("No target holds for this period.", "Add a `targets` export: metric_name, target_value, date.")
        return
    good, currency = good_directions(reading), reading.currency
    for start in range(0, len(rows), 4):
        for place, row in zip(st.columns(4), rows[start : start + 4], strict=False):
            unit, gap = row["unit"], row["target_gap"]
            wanted = value_text(row["target_value"], unit, currency)
            direction = good.get(row["metric_name"], "neutral")
            with place:
                tile(
                    row["label"],
                    value_text(row["value"], unit, currency),
                    Change(gap, unit, currency, direction, "from target") if gap is not None else None,
                    about=f"{row['target_status']}, target {wanted}",
                )


page(current())
