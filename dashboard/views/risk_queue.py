"""Who is likely to leave, why, and how much revenue that is."""

import ibis.expr.types as ir
import streamlit as st
from ibis import _

from dashboard.filters import among, choose, search, with_customers
from dashboard.reading import Reading, current
from dashboard.states import nothing
from dashboard.tables import LEVEL, Column, table
from dashboard.widgets import chart, heading, tile
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
    """The filters, what they come to, where the risk is and why, and every customer."""
    heading("Risk Queue", "Who is likely to leave, why, and how much revenue that is.")
    profiles = with_customers(reading, reading.table(OF))
    if not reading.count(profiles):
        nothing("Nobody pays at the as-of date, so nobody can leave.", "Is the as-of date the one you mean?")
        return
    found = chosen(reading, profiles)
    totals(reading, found)
    left, right = st.columns(2)
    with left:
        st.subheader("By segment")
        rows = reading.rows(risk.by_segment(found.select(*profiles.columns)))
        chart(risk.risk_by_segment(rows, reading.risk_bands), "Paying customers by segment and risk band", "segments")
    with right:
        st.subheader("Why")
        evidence = reading.table("churn_evidence").semi_join(found, "customer_id")
        rows = reading.rows(risk.driver_counts(evidence, reading.table(OF)))
        chart(risk.drivers(rows, reading.currency), "Customers and MRR by the rule that fired", "drivers")
    st.caption(
        "A rule whose signal is not known does not fire: where few signals are known, a low score is no sign of health."
    )
    table(reading, found, COLUMNS, ORDER, key="risk", noun="customers", customer_column="customer_id")


def chosen(reading: Reading, profiles: ir.Table) -> ir.Table:
    """The customers that the search and the filters leave."""
    boxes = st.columns([3, 2, 2, 2, 2])
    with boxes[0]:
        found = search(profiles, ("company_name", "customer_id", "drivers"), hint="Customer or driver")
    with boxes[1]:
        found = among(found, "risk_band", reading.risk_bands, key="risk_band", label="Risk")
    with boxes[2]:
        found = choose(reading, found, OF, "main_driver", key="driver", label="Main driver")
    with boxes[3]:
        found = choose(reading, found, "customer_360", "segment", key="segment", label="Segment")
    with boxes[4]:
        found = choose(reading, found, "customer_360", "plan", key="plan", label="Plan")
    return found


def totals(reading: Reading, found: ir.Table) -> None:
    """Customers, MRR and revenue at risk of those in view."""
    total = reading.rows(
        found.aggregate(
            customers=_.count(),
            mrr=_.mrr.sum(),
            risky=_.is_at_risk.sum(),
            at_risk=_.revenue_at_risk.sum(),
            unknown=_.revenue_at_risk.isnull().sum(),
        )
    )[0]
    shown = (
        ("Customers in view", total["customers"], "count"),
        ("Their MRR", total["mrr"], "money"),
        ("At risk", total["risky"], "count"),
        ("Revenue at risk", total["at_risk"], "money"),
        ("Risk not known", total["unknown"], "count"),
    )
    for place, (label, value, unit) in zip(st.columns(5), shown, strict=True):
        with place:
            tile(label, value_text(value, unit, reading.currency), has_border=True)


page(current())
