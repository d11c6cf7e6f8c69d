"""Risk on earlier as-of dates: the queue as it was, who is worse than a week before, and a customer's score."""

from __future__ import annotations

import datetime as dt

import ibis
import ibis.expr.types as ir
import streamlit as st
from ibis import _

from dashboard.escape import markdown_text
from dashboard.filters import add_customer_columns, select_value
from dashboard.reading import Reading
from dashboard.states import show_empty_state
from dashboard.widgets import show_chart
from productpulse_assets.charts import customer as charts
from resources.published_snapshot import Row

PROFILES, HISTORY, DAYS = "churn_risk_profiles", "risk_history", "history_days"
EVERYONE, WORSE = "All", "Worse than a week before"
WEEK = dt.timedelta(days=7)


def recorded_days(reading: Reading) -> list[Row]:
    """The as-of dates of the history with customers, the newest first; none in a snapshot of an earlier version."""
    if DAYS not in reading:
        return []
    days = reading.table(DAYS)
    return list(reading.rows(days.filter(days.customers > 0).order_by(days.as_of_date.desc())))


def select_day(reading: Reading, days: list[Row]) -> dt.date:
    """The as-of date in the address; a select box offers the others, if there are any."""
    if len(days) < 2:
        return reading.as_of
    return dt.date.fromisoformat(select_value("As of", [str(row["as_of_date"]) for row in days], key="as_of"))


def profiles_on(reading: Reading, day: dt.date) -> ir.Table:
    """The profiles of the customers who paid on a day, with the attributes that these customers have today."""
    present = reading.table(PROFILES)
    if day == reading.as_of:
        return add_customer_columns(reading, present)
    past = reading.table(HISTORY).filter(_.as_of_date == day, _.risk_band.notnull())
    at_risk = past.risk_band.isin(reading.rules.churn_rules.revenue_at_risk_bands).cast("int64")
    past = past.select(
        "customer_id", "as_of_date", "mrr", "risk_score", "risk_band", "revenue_at_risk", "main_driver",
        "rule_ids", "signals_known",
        is_at_risk=ibis.ifelse(past.revenue_at_risk.isnull(), ibis.null("int64"), at_risk),
        drivers=past.main_driver,
        explanation=past.rule_ids.replace("_", " ").fill_null("No rule fired."),
    )  # fmt: skip
    return add_customer_columns(reading, past)


def apply_view(reading: Reading, profiles: ir.Table, day: dt.date, days: list[Row]) -> ir.Table:
    """The profiles in the chosen view: everyone, or those whose score is higher than on a date a week before."""
    if len(days) < 2:
        return profiles
    if select_value("View", [EVERYONE, WORSE], key="view") == EVERYONE:
        return profiles
    before = max((row["as_of_date"] for row in days if row["as_of_date"] <= day - WEEK), default=None)
    if before is None:
        show_empty_state(f"The history has no date a week or more before {day}.", "Choose a later date.")
        return profiles.filter(ibis.literal(False))
    rules = {row["as_of_date"]: row["rules_hash"] for row in days}
    if rules[before] != rules[day]:
        show_empty_state(
            f"The rules have changed between {before} and {day}.",
            "A score that moved because a rule did says nothing about a customer. Compute the earlier date again: "
            "productpulse backfill",
        )
        return profiles.filter(ibis.literal(False))
    st.caption(f"Customers with a higher score on {day} than on {before}.")
    earlier = reading.table(HISTORY).filter(_.as_of_date == before).select("customer_id", earlier_score="risk_score")
    both = profiles.inner_join(earlier, "customer_id")
    return both.filter(both.risk_score > both.earlier_score).select(*profiles.columns)


def show_score(reading: Reading, customer_id: str) -> None:
    """The customer's score on each as-of date, and since when its band is what it is."""
    if HISTORY not in reading:
        return
    st.subheader("Churn risk")
    history = reading.table(HISTORY).filter(_.customer_id == customer_id, _.risk_band.notnull())
    rows = reading.rows(history.order_by("as_of_date"))
    if not rows:
        show_empty_state("There is no risk score of this customer: it has not paid on a date of the history.")
        return
    days = recorded_days(reading)
    if rows[-1]["as_of_date"] == reading.as_of:
        st.markdown(since_text(rows[-1], days[-1]["as_of_date"]))
    changes = [row["as_of_date"] for row in days if row["is_rule_change"]]
    bands = {name: float(floor) for name, floor in reading.rules.churn_rules.bands.items()}
    show_chart(charts.score(rows, changes[::-1], bands), "Risk score by as-of date", "score")


def since_text(row: Row, first: dt.date) -> str:
    """`High since 2026-03-31`; from the first date of the history on, the band may be older."""
    words = "on the first date of the history" if row["band_since"] == first else f"since {row['band_since']}"
    if row["band_since"] == first != row["as_of_date"]:
        words = f"since {first} or longer"
    return f"**{markdown_text(row['risk_band'])}** {words}"
