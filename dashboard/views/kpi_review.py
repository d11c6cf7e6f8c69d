"""Every governed metric: its value, change and target, and the history, slices and definition of one metric."""

import streamlit as st
from ibis import _

from dashboard.escape import markdown_text
from dashboard.filters import filter_by_column, search, select_by_name, select_value
from dashboard.links import link
from dashboard.reading import Reading, current
from dashboard.rows_behind import show_rows_behind
from dashboard.states import show_empty_state
from dashboard.tables import LEVEL, Column, show_rows
from dashboard.widgets import events, period_change, show_chart, show_heading, show_tile
from productpulse_assets.charts import metrics
from productpulse_assets.charts.marks import add_marks
from resources.published_snapshot import Row
from rules.text.formats import change_text, period_text, value_text

FIRST = "monthly_recurring_revenue"
COLUMNS = (
    Column("label", "Metric", of="kpi_summary"),
    Column("value_text", "Value", width="small"),
    Column("change_text", "Change", width="small"),
    Column("target_text", "Target", width="small"),
    Column("target_status", "Against target", LEVEL, of="kpi_summary"),
    Column("period_text", "Period", width="small"),
    Column("category", "Category", width="small", of="kpi_summary"),
    Column("explanation_text", "How it is computed", width="large"),
)


def page(reading: Reading) -> None:
    """A table of all metrics, and the details of one."""
    show_heading("KPI Review", "Every metric with its value, change, target, history and definition.")
    left, right = st.columns(2)
    found = reading.table("kpi_summary")
    with left:
        found = search(found, ("label", "metric_name", "explanation"), key="kpi", hint="Metric")
    with right:
        found = filter_by_column(reading, found, "kpi_summary", "category", key="category", label="Category")
    rows = reading.frame(found)
    if rows.empty:
        show_empty_state("No metric matches.", "Widen the search or clear the filter.")
    else:
        texts = [metric_texts(row, reading.currency) for row in reading.rows(found)]
        columns = {name: [row[name] for row in texts] for name in texts[0]}
        show_rows(reading, rows.assign(**columns), COLUMNS, "metrics")
    show_one_metric(reading)


def metric_texts(row: Row, currency: str) -> dict[str, str]:
    """The formatted values of a metric's row; each metric has its own unit."""
    is_known = row["value"] is not None
    return {
        "value_text": value_text(row["value"], row["unit"], currency),
        "change_text": change_text(row["change"], row["unit"], currency) if row["change"] is not None else "–",
        "target_text": value_text(row["target_value"], row["unit"], currency)
        if row["target_value"] is not None
        else "–",
        "period_text": period_text(row["period_start"], row["period_end"]),
        "explanation_text": row["explanation"] if is_known else row["not_available_reason"],
    }


def show_one_metric(reading: Reading) -> None:
    """The value, history, slices and definition of a metric that the user chooses."""
    labels = {row["metric_name"]: row["label"] for row in reading.rows(reading.table("kpi_summary"))}
    st.subheader("Metric details", divider="gray")
    name = select_by_name("Metric", labels, key="metric", default=FIRST)
    if name is None:
        return
    metric = reading.rows(reading.table("kpi_summary").filter(_.metric_name == name))[0]
    about = reading.rows(reading.table("metric_lineage").filter(_.metric_name == name))[0]
    left, right = st.columns([3, 2])
    with left:
        show_history(reading, metric)
        show_slices(reading, metric)
    with right:
        show_definition(metric, about, reading.currency)
    show_rows_behind(reading, metric)


def show_history(reading: Reading, metric: Row) -> None:
    """The metric per month."""
    months = reading.table("kpi_history").filter(_.metric_name == metric["metric_name"]).order_by("month")
    rows = [row for row in reading.rows(months) if row["value"] is not None]
    if not rows:
        show_empty_state("This metric has no history yet.", markdown_text(metric["not_available_reason"] or ""))
        return
    figure = metrics.history(rows, metric["label"], metric["unit"], reading.currency, metric["target_value"])
    figure = add_marks(figure, events(reading), [row["month"] for row in rows])
    show_chart(figure, f"{metric['label']} by month", "metric_history")


def show_slices(reading: Reading, metric: Row) -> None:
    """The metric by segment, plan, country or channel."""
    of_metric = reading.table("kpi_by_segment").filter(_.metric_name == metric["metric_name"], _.is_latest)
    dimensions = reading.values(of_metric, "dimension")
    if not dimensions:
        return
    dimension = select_value("By", dimensions, key="by")
    rows = reading.rows(of_metric.filter(_.dimension == dimension).order_by(_.customers.desc(), "member"))
    show_chart(
        metrics.slices(rows, metric["label"], metric["unit"], reading.currency),
        f"{metric['label']} by {dimension}",
        "slices",
    )


def show_definition(metric: Row, about: Row, currency: str) -> None:
    """The metric's value, definition, formula, owner and risks."""
    show_tile(
        metric["label"],
        value_text(metric["value"], metric["unit"], currency, exact=True),
        period_change(metric, about["good_direction"], currency),
        has_border=True,
    )
    texts = {
        "Current value": metric["explanation"]
        if metric["value"] is not None
        else f"Not available: {metric['not_available_reason']}",
        "Definition": about["definition"],
        "Formula": about["formula"],
        "Purpose": about["purpose"],
        "How to read it": about["interpretation"],
        "Risk if misread": about["risk_if_misread"],
        "Benchmark": about["benchmark"],
        "Owner": about["owner"],
    }
    st.markdown("\n\n".join(f"**{title}**  \n{markdown_text(text)}" for title, text in texts.items() if text))
    link("metric_lineage", "Lineage of this metric", lineage=metric["metric_name"])


page(current())
