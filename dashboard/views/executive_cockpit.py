"""The state of the business, what to do today, and why: the first page to open."""

import ibis
import ibis.expr.types as ir
import streamlit as st
from ibis import _

from dashboard.asked_rows import Asked, show_opening_button
from dashboard.links import link
from dashboard.lists_behind import bridge_block, bridge_in_view, leakage_bar, leakage_by_kind, month_point, risk_bar
from dashboard.metric_values import (
    is_filtered,
    latest_name,
    metric_range,
    monthly_values,
)
from dashboard.plan import most_urgent, plan_with_customers, show_card
from dashboard.reading import Reading, current
from dashboard.states import show_empty_state
from dashboard.tables import LEVEL, Column, show_rows
from dashboard.view_filters import chosen, in_view, models_in_view, where_text
from dashboard.widgets import (
    Change,
    events,
    good_directions,
    kpi_summary,
    show_chart,
    show_heading,
    show_metric_tiles,
    show_tile,
)
from productpulse_assets.charts import metrics, mrr, risk
from productpulse_assets.charts.marks import add_marks
from productpulse_assets.metrics.member_changes import member_changes
from resources.published_snapshot import Row
from rules.text.formats import value_text

HEADLINES = (
    "monthly_recurring_revenue", "net_new_revenue", "net_revenue_retention", "customer_churn_rate",
    "paying_customers", "revenue_at_risk", "revenue_leakage", "net_promoter_score",
)  # fmt: skip
ACTIONS_SHOWN = 3


def page(reading: Reading) -> None:
    """Headlines, three actions, health, the MRR bridge and its drivers, risk, leakage and targets."""
    show_heading("Executive Cockpit", "The state of the business, what to do today, and why.")
    show_metric_tiles(reading, HEADLINES)
    show_actions(reading)
    left, right = st.columns(2)
    with left:
        show_health(reading)
    with right:
        show_bridge(reading)
    left, right = st.columns(2)
    with left:
        show_mrr_and_churn(reading)
    with right:
        show_mrr_drivers(reading)
    left, right = st.columns(2)
    with left:
        show_risk(reading)
    with right:
        show_leakage(reading)
    show_targets(reading)


def show_actions(reading: Reading) -> None:
    """The most urgent interventions about the page's customers."""
    st.subheader("What to do today")
    first = reading.rows(most_urgent(in_view(reading, plan_with_customers(reading)), ACTIONS_SHOWN))
    if not first:
        about = f" for {where_text(where)}" if (where := chosen(reading)) else ""
        show_empty_state(
            f"No intervention is recommended{about}.", "The Risk Queue shows the churn risk of each customer."
        )
        return
    for place, row in zip(st.columns(len(first)), first, strict=True):
        with place:
            show_card(reading, row)
    link("top_actions", "All actions, by owner and week")


def show_health(reading: Reading) -> None:
    """The eight health areas, and how each is scored."""
    st.subheader("Health")
    if is_filtered(reading):
        st.caption("Of all customers, at present.")
    rows = reading.rows(reading.table("health_scores"))
    alt = "Scores of the eight health areas from 0 to 100"
    show_chart(metrics.health(rows), alt, "health", lambda keys: Asked(keys[0], latest_name(reading, keys[0])))
    with st.expander("How the areas are scored"):
        columns = (
            Column("area", "Area"),
            Column("score", "Score", "count"),
            Column("status", "Status", LEVEL),
            Column("explanation", "How it is scored", width="large"),
        )
        show_rows(reading, reading.frame(reading.table("health_scores")), columns, "health by area")


def show_bridge(reading: Reading) -> None:
    """The MRR bridge of the last complete month."""
    period = metric_range(reading, mrr.CHURN)
    bridge = mrr.bridge(kpi_summary(reading)) if not is_filtered(reading) else bridge_in_view(reading, period)
    if bridge is None:
        st.subheader("Revenue movement")
        show_empty_state("There is no complete month to compare yet.", "The chart needs two months of data.")
        return
    st.subheader(f"Revenue movement in {period.label if period else format(bridge.month, '%B %Y')}")
    show_chart(
        mrr.waterfall(bridge, reading.currency),
        "MRR at the start of the month, its movements, and MRR at the end",
        "waterfall",
        bridge_block(reading, period.name if period else ""),
    )


def show_mrr_and_churn(reading: Reading) -> None:
    """MRR and customer churn per month."""
    st.subheader("MRR and churn")
    rows = reading.rows(mrr.monthly(reading.table("kpi_history"))) if not chosen(reading) else filtered_months(reading)
    chart = add_marks(mrr.mrr_and_churn(rows, reading.currency), events(reading), [row["month"] for row in rows])
    show_chart(chart, "MRR and customer churn by month", "history", month_point)


def filtered_months(reading: Reading) -> list[Row]:
    """MRR and churn per month of the page's customers."""
    values = monthly_values(reading, [mrr.MRR, mrr.CHURN])
    return [
        {"month": base["month"], "mrr": base["value"], "churn": rate["value"] if rate["is_complete"] else None}
        for base, rate in zip(values[mrr.MRR], values[mrr.CHURN], strict=True)
    ]


def show_mrr_drivers(reading: Reading) -> None:
    """The change of MRR by segment, plan, country or channel."""
    st.subheader("What drove the change")
    drivers, month = drivers_in_view(reading)
    all_rows = reading.rows(drivers.order_by("dimension", _.change.desc(), "member"))
    dimensions = list(dict.fromkeys(row["dimension"] for row in all_rows))
    if not dimensions:
        show_empty_state("There is no change of MRR to explain yet.", "The chart needs two months of data.")
        return
    dimension = st.segmented_control(
        "By", dimensions, default=dimensions[0], required=True, key="moved_by", bind="query-params",
        format_func=lambda name: name.replace("_", " "),
    )  # fmt: skip
    rows = [row for row in all_rows if row["dimension"] == dimension]
    show_chart(
        mrr.drivers(rows, reading.currency),
        f"Change of MRR by {dimension.replace('_', ' ')}",
        "drivers",
        lambda keys: Asked("mrr_change", month, {dimension: keys[0]}),
    )


def drivers_in_view(reading: Reading) -> tuple[ir.Table, str]:
    """The change of MRR by dimension and member for the page's period and filters, and the month that it is of."""
    period = metric_range(reading, mrr.CHURN)
    if period is None or not is_filtered(reading):
        return reading.table("revenue_drivers"), period.name if period else ""

    months = models_in_view(reading, chosen(reading))["customer_months"]
    calendar = reading.table("calendar").filter(_.month <= ibis.literal(period.last))
    return member_changes(months, calendar, reading.rules.dimensions), f"{period.last:%Y-%m}"


def show_risk(reading: Reading) -> None:
    """Churn risk by segment."""
    st.subheader("Risk by segment")
    rows = reading.rows(risk.by_segment(in_view(reading, reading.table("churn_risk_profiles"))))
    show_chart(
        risk.risk_by_segment(rows, reading.risk_bands), "Paying customers by segment and risk band", "risk", risk_bar
    )
    link("risk_queue", "Customers at risk, and why")


def show_leakage(reading: Reading) -> None:
    """Revenue leakage by kind."""
    st.subheader("Leakage by kind")
    rows = reading.rows(leakage_by_kind(reading))
    show_chart(risk.leakage_by_type(rows, reading.currency), "Lost revenue by kind of leakage", "leakage", leakage_bar)
    link("revenue_leakage", "All leakage cases")


def show_targets(reading: Reading) -> None:
    """Metrics against their targets."""
    st.subheader("Metrics against targets")
    if is_filtered(reading):
        st.caption("Of all customers, in each metric's current period.")
    rows = [row for row in kpi_summary(reading).values() if row["target_value"] is not None]
    if not rows:
        show_empty_state(
            "There are no targets for this period.",
            "Add a `targets` export with the columns metric_name, target_value and date.",
        )
        return
    good, currency = good_directions(reading), reading.currency
    for start in range(0, len(rows), 4):
        for place, row in zip(st.columns(4), rows[start : start + 4], strict=False):
            unit, gap = row["unit"], row["target_gap"]
            target = value_text(row["target_value"], unit, currency)
            direction = good.get(row["metric_name"], "neutral")
            with place:
                show_tile(
                    row["label"],
                    value_text(row["value"], unit, currency),
                    Change(gap, unit, currency, direction, "vs. target") if gap is not None else None,
                    help_text=f"{row['target_status']}, target {target}",
                )
                asked = Asked(row["metric_name"], latest_name(reading, row["metric_name"]))
                show_opening_button(asked, f"target_{row['metric_name']}")


page(current())
