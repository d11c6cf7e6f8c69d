"""The customers who are likely to leave, why, and the revenue at risk."""

from datetime import date

import ibis.expr.types as ir
import streamlit as st
from ibis import _

from dashboard.filters import filter_by_column, filter_by_values, search
from dashboard.reading import Reading, current
from dashboard.score_history import apply_view, profiles_on, recorded_days, select_day
from dashboard.states import show_empty_state
from dashboard.tables import LEVEL, Column, show_table
from dashboard.widgets import show_chart, show_heading, show_tile
from productpulse_assets.charts import risk
from rules.text.formats import value_text

OF = "churn_risk_profiles"
COLUMNS = (
    Column("company_name", "Customer", of="customers"),
    Column("risk_band", "Risk", LEVEL, of=OF),
    Column("risk_score", "Score", "ratio", of=OF),
    Column("mrr", "MRR", "money", of=OF),
    Column("revenue_at_risk", "At risk", "money", of=OF),
    Column("main_driver", "Main driver", of=OF),
    Column("explanation", "Why", width="large", of=OF),
    Column("signals_known", "Signals known", "count", of=OF),
    Column("segment", "Segment", of=OF),
    Column("plan", "Plan", of=OF),
    Column("country", "Country", width="small", of=OF),
    Column("customer_id", "Id", of=OF),
)
ORDER = {
    "Risk": [_.risk_score.desc(), _.mrr.desc(), _.customer_id],
    "Revenue at risk": [_.revenue_at_risk.desc(nulls_first=False), _.customer_id],
    "MRR": [_.mrr.desc(), _.customer_id],
    "Customer": [_.company_name, _.customer_id],
}


def page(reading: Reading) -> None:
    """The filters, the totals, the risk by segment and by driver, and every customer."""
    show_heading("Risk Queue", "Customers who are likely to leave, why, and the revenue at risk.")
    days = recorded_days(reading)
    with st.container(horizontal=True):
        day = select_day(reading, days)
        profiles = profiles_on(reading, day)
        if not reading.count(profiles):
            show_empty_state("There are no paying customers on the as-of date.", "Check the as-of date of the run.")
            return
        chosen = apply_view(reading, profiles, day, days)
    found = apply_filters(reading, chosen)
    show_totals(reading, found)
    left, right = st.columns(2)
    with left:
        st.subheader("Risk by segment")
        rows = reading.rows(risk.by_segment(found.select(*profiles.columns)))
        show_chart(
            risk.risk_by_segment(rows, reading.risk_bands), "Paying customers by segment and risk band", "segments"
        )
    with right:
        st.subheader("Drivers")
        show_drivers(reading, found, day)
    st.caption(
        "A rule with an unknown signal does not fire: a low score does not mean low risk if few signals are known."
    )
    show_table(reading, found, COLUMNS, ORDER, key="risk", noun="customers", customer_column="customer_id")


def show_drivers(reading: Reading, found: ir.Table, day: date) -> None:
    """The customers at risk by driver; evidence is that of the as-of date of the snapshot."""
    if day != reading.as_of:
        show_empty_state(
            f"The drivers of {day} are in the table, by customer.", "Choose the newest date for the chart."
        )
        return
    evidence = reading.table("churn_evidence").semi_join(found, "customer_id")
    rows = reading.rows(risk.driver_counts(evidence, reading.table(OF)))
    show_chart(risk.drivers(rows, reading.currency), "Customers at risk by driver", "drivers")


def apply_filters(reading: Reading, profiles: ir.Table) -> ir.Table:
    """The customers that match the search and the filters."""
    boxes = st.columns([3, 2, 2, 2, 2])
    with boxes[0]:
        found = search(profiles, ("company_name", "customer_id", "drivers"), hint="Customer or driver")
    with boxes[1]:
        found = filter_by_values(found, "risk_band", reading.risk_bands, key="risk_band", label="Risk")
    with boxes[2]:
        found = filter_by_column(reading, found, profiles, "main_driver", key="driver", label="Main driver")
    with boxes[3]:
        found = filter_by_column(reading, found, "customer_360", "segment", key="segment", label="Segment")
    with boxes[4]:
        found = filter_by_column(reading, found, "customer_360", "plan", key="plan", label="Plan")
    return found


def show_totals(reading: Reading, found: ir.Table) -> None:
    """The totals of the customers in view."""
    total = reading.rows(
        found.aggregate(
            customers=_.count(),
            mrr=_.mrr.sum(),
            risky=_.is_at_risk.sum(),
            at_risk=_.revenue_at_risk.sum(),
            unknown=_.revenue_at_risk.isnull().sum(),
        )
    )[0]
    figures = (
        ("Customers in view", total["customers"], "count"),
        ("Their MRR", total["mrr"], "money"),
        ("At risk", total["risky"], "count"),
        ("Revenue at risk", total["at_risk"], "money"),
        ("Risk unknown", total["unknown"], "count"),
    )
    for place, (label, value, unit) in zip(st.columns(5), figures, strict=True):
        with place:
            show_tile(label, value_text(value, unit, reading.currency), has_border=True)


page(current())
