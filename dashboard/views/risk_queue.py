"""The customers who are likely to leave, why, and the revenue at risk."""

from datetime import date
from typing import Any

import ibis.expr.types as ir
import streamlit as st
from ibis import _

from dashboard.asked_rows import Asked, show_opening_button
from dashboard.filters import filter_by_column, search
from dashboard.lists_behind import RISK_SEARCHED, risk_bar
from dashboard.reading import Reading, current
from dashboard.score_history import apply_view, profiles_on, recorded_days, select_day
from dashboard.states import show_empty_state
from dashboard.tables import LEVEL, Column, show_table
from dashboard.view_filters import in_view
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
        profiles = in_view(reading, profiles_on(reading, day), own=("risk_band",))
        if not reading.count(profiles):
            show_empty_state("There are no paying customers on the as-of date.", "Check the as-of date of the run.")
            return
        chosen = apply_view(reading, profiles, day, days)
    found = apply_filters(reading, chosen)
    show_totals(reading, found, day)
    left, right = st.columns(2)
    with left:
        st.subheader("Risk by segment")
        rows = reading.rows(risk.by_segment(found.select(*profiles.columns)))
        show_chart(
            risk.risk_by_segment(rows, reading.risk_bands),
            "Paying customers by segment and risk band",
            "segments",
            risk_bar if day == reading.as_of else None,
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
    show_chart(
        risk.drivers(rows, reading.currency),
        "Customers at risk by driver",
        "drivers",
        lambda keys: Asked("risk", "", {"rule": keys[0]}),
    )


def apply_filters(reading: Reading, profiles: ir.Table) -> ir.Table:
    """The customers that match the search and the filters."""
    boxes = st.columns([3, 2])
    with boxes[0]:
        found = search(profiles, RISK_SEARCHED, hint="Customer or driver")
    with boxes[1]:
        found = filter_by_column(reading, found, profiles, "main_driver", key="driver", label="Main driver")
    return found


def show_totals(reading: Reading, found: ir.Table, day: date) -> None:
    """The totals of the customers in view; of the newest day each opens into its customers."""
    total = reading.rows(
        found.aggregate(
            customers=_.count(),
            mrr=_.mrr.sum(),
            risky=_.is_at_risk.sum(),
            at_risk=_.revenue_at_risk.sum(),
            unknown=_.revenue_at_risk.isnull().sum(),
        )
    )[0]
    figures: tuple[tuple[str, Any, str, dict[str, str]], ...] = (
        ("Customers in view", total["customers"], "count", {}),
        ("Their MRR", total["mrr"], "money", {"amount": "mrr"}),
        ("At risk", total["risky"], "count", {"amount": "is_at_risk"}),
        ("Revenue at risk", total["at_risk"], "money", {"amount": "revenue_at_risk"}),
        ("Risk unknown", total["unknown"], "count", {"amount": "risk_unknown"}),
    )
    for place, (label, value, unit, where) in zip(st.columns(5), figures, strict=True):
        with place, st.container(border=True):
            show_tile(label, value_text(value, unit, reading.currency))
            if day == reading.as_of:
                show_opening_button(Asked("risk", "", where), label)


page(current())
