"""Where MRR and customers will be, how sure that is, and for how long customers stay."""

from collections.abc import Sequence

import streamlit as st
from ibis import _

from dashboard.escape import markdown_text
from dashboard.reading import Reading, current
from dashboard.states import show_empty_state
from dashboard.tables import DATE, Column, show_rows
from dashboard.widgets import show_chart, show_heading
from productpulse_assets.charts import outlook
from resources.published_snapshot import Row
from rules.survival import ALL, SIGNUP_QUARTER

FORECAST, BACKTEST, SUMMARY = "revenue_forecast", "forecast_backtest", "survival_summary"
FORECAST_COLUMNS = {
    unit: (
        Column("month", "Month", DATE, of=FORECAST),
        Column("months_ahead", "Months ahead", "count", of=FORECAST),
        Column("value", "Expected", unit, of=FORECAST),
        Column("low", "Low (80 %)", unit, of=FORECAST),
        Column("high", "High (80 %)", unit, of=FORECAST),
        Column("past_error", "Off in the past", "rate", of=FORECAST),
    )
    for unit in ("money", "count")
}
BACKTEST_COLUMNS = (
    Column("months_ahead", "Months ahead", "count", of=BACKTEST),
    Column("origins", "Earlier forecasts", "count", of=BACKTEST),
    Column("forecast_error", "This forecast", "rate", of=BACKTEST),
    Column("no_change_error", "No change", "rate", of=BACKTEST),
    Column("straight_line_error", "Straight line", "rate", of=BACKTEST),
)
SUMMARY_COLUMNS = (
    Column("member", "Customers", of=SUMMARY),
    Column("spells", "Number", "count", of=SUMMARY),
    Column("churned", "Have left", "count", of=SUMMARY),
    Column("median_months", "Half have left after (months)", "count", of=SUMMARY),
    Column("median_lower", "At least", "count", of=SUMMARY),
    Column("median_upper", "At most", "count", of=SUMMARY),
    Column("last_age_months", "Observed up to (months)", "count", of=SUMMARY),
)
TITLES = {ALL: "all customers", SIGNUP_QUARTER: "quarter of signup"}


def page(reading: Reading) -> None:
    """The forecast with the errors of earlier ones, and the curves of how long customers stay."""
    show_heading("Outlook", "Where MRR and customers will be, how sure that is, and for how long customers stay.")
    labels = {label: measure for measure, (label, _metric, _unit) in outlook.MEASURES.items()}
    chosen = st.segmented_control(
        "Measure", list(labels), default="MRR", required=True, key="measure", bind="query-params"
    )
    show_forecast(reading, labels[chosen])
    show_survival(reading)


def show_forecast(reading: Reading, measure: str) -> None:
    """The past and the coming twelve months of a measure, and how far off the same forecast was before."""
    _label, metric, unit = outlook.MEASURES[measure]
    forecast = reading.table(FORECAST).filter(_.measure == measure).order_by("month")
    rows = reading.rows(forecast)
    coming = [row for row in rows if row["value"] is not None]
    if not coming:
        reason = rows[0]["not_available_reason"] if rows else "No month of the data is over."
        show_empty_state("There is no forecast.", reason)
        return
    st.markdown(markdown_text(outlook.expected_text(_ahead(rows), reading.currency), limit=400))
    backtest = reading.table(BACKTEST).filter(_.measure == measure).order_by("months_ahead")
    st.caption(markdown_text(outlook.past_errors_text(_ahead(reading.rows(backtest))), limit=400))
    history = reading.table("kpi_history").filter(_.metric_name == metric, _.is_complete, _.value.notnull())
    past = reading.rows(history.order_by(_.month.desc()).limit(outlook.MONTHS_BEFORE))[::-1]
    show_chart(
        outlook.forecast(past, coming, measure, reading.currency),
        f"{outlook.MEASURES[measure][0]} of the past months, and expected in the coming ones",
        "forecast",
    )
    st.caption(
        "What is there decays at the retention of the last 12 months, and what is new comes as in these months. The "
        "interval is as wide as 80 % of the errors of the same forecast at earlier months. Nothing that is planned, "
        "such as a new price, is in it."
    )
    with st.expander("Each month, and the errors of earlier forecasts"):
        show_rows(reading, reading.frame(forecast), FORECAST_COLUMNS[unit], f"forecast of {measure}")
        show_rows(reading, reading.frame(backtest), BACKTEST_COLUMNS, f"errors of earlier forecasts of {measure}")


def _ahead(rows: Sequence[Row]) -> Row:
    """The row of the horizon that sentences are about."""
    return next(row for row in rows if row["months_ahead"] == outlook.MONTHS_AHEAD)


def show_survival(reading: Reading) -> None:
    """The share of customers who still pay, by months since their first payment."""
    st.subheader("How long customers stay")
    summary = reading.table(SUMMARY)
    known = reading.values(summary, "dimension")
    if not known:
        show_empty_state("There is no customer who has paid for a month yet.")
        return
    dimensions = [ALL, *(name for name in [*reading.rules.dimensions, SIGNUP_QUARTER] if name in known)]
    dimension = st.segmented_control(
        "By", dimensions, default=ALL, required=True, key="stay_by", bind="query-params",
        format_func=lambda name: TITLES.get(name, name.replace("_", " ")),
    )  # fmt: skip
    members = summary.filter(_.dimension == dimension).order_by(_.spells.desc(), "member")
    curves = reading.table("survival_projection").filter(_.dimension == dimension).order_by("member", "age_months")
    show_chart(
        outlook.survival(reading.rows(curves), largest=[row["member"] for row in reading.rows(members)]),
        f"Share of customers who still pay, by {TITLES.get(dimension, dimension.replace('_', ' '))}",
        "survival",
    )
    st.caption(
        "Customers who still pay count as long as they are observed. Dotted: projected from the customers who left, "
        f"where at least {reading.rules.survival.least_churned} have. Without a number the curve has not come down to "
        "a half."
    )
    show_rows(reading, reading.frame(members), SUMMARY_COLUMNS, f"time until half have left by {dimension}")


page(current())
