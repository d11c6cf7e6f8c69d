"""Every governed metric: its value, change and target, and the history, slices and definition of one metric."""

from collections.abc import Mapping, Sequence

import streamlit as st
from ibis import _

from dashboard.asked_rows import Asked
from dashboard.escape import markdown_text
from dashboard.filters import filter_by_column, search, select_by_name, select_value
from dashboard.links import link, page_address
from dashboard.metric_values import (
    Compared,
    Value,
    comparison_text,
    metric_range,
    monthly_values,
    values_by,
    values_in_view,
)
from dashboard.reading import Reading, current
from dashboard.states import show_empty_state
from dashboard.tables import LEVEL, LINK, Column, show_rows
from dashboard.view_filters import chosen, column_title, filter_columns
from dashboard.widgets import events, show_chart, show_heading, show_metric_tile
from productpulse_assets.charts import metrics
from productpulse_assets.charts.marks import add_marks
from resources.published_snapshot import Row
from rules.metrics.slices import slices_of
from rules.text.errors import ProductPulseError
from rules.text.formats import value_text

FIRST = "monthly_recurring_revenue"
COLUMNS = (
    Column("label", "Metric", of="kpi_summary"),
    Column("value_text", "Value", width="small"),
    Column("rows", "Customers", LINK),
    Column("change_text", "Change"),
    Column("year_text", "From a year ago"),
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
    values: dict[str, Value] = {}
    if rows.empty:
        show_empty_state("No metric matches.", "Widen the search or clear the filter.")
    else:
        values = values_in_view(reading, [row["metric_name"] for row in reading.rows(found)])
        texts = [metric_texts(row, values[row["metric_name"]], reading.currency) for row in reading.rows(found)]
        columns = {name: [row[name] for row in texts] for name in texts[0]}
        show_rows(reading, rows.assign(**columns), COLUMNS, "metrics")
    show_one_metric(reading, values)


def metric_texts(row: Row, value: Value, currency: str) -> dict[str, str]:
    """The formatted values of a metric; each metric has its own unit. The target is that of all customers."""
    is_current = value.value == row["value"]
    return {
        "value_text": value_text(value.value, row["unit"], currency),
        "change_text": _change_text(value.before, row["unit"], currency),
        "year_text": _change_text(value.year_ago, row["unit"], currency),
        "target_text": value_text(row["target_value"], row["unit"], currency)
        if row["target_value"] is not None
        else "–",
        "period_text": value.period,
        "explanation_text": value.why_not or (row["explanation"] if is_current else ""),
        "rows": page_address("kpi_review", metric=row["metric_name"], rows=row["metric_name"]),
    }


def _change_text(compared: Compared | None, unit: str, currency: str) -> str:
    return comparison_text(compared, unit, currency) if compared and compared.change is not None else "–"


def show_one_metric(reading: Reading, values: Mapping[str, Value]) -> None:
    """The value, history, slices and definition of a metric that the user chooses; `values` are known already."""
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
        found = values.get(name) or values_in_view(reading, [name])[name]
        show_definition(reading, metric, about, found)


def show_history(reading: Reading, metric: Row) -> None:
    """The metric per month."""
    name = metric["metric_name"]
    rows = [row for row in history_rows(reading, name) if row["value"] is not None]
    if not rows:
        show_empty_state("This metric has no history yet.", markdown_text(metric["not_available_reason"] or ""))
        return
    figure = metrics.history(rows, metric["label"], metric["unit"], reading.currency, metric["target_value"])
    figure = add_marks(figure, events(reading), [row["month"] for row in rows])
    show_chart(figure, f"{metric['label']} by month", "metric_history", lambda keys: Asked(name, keys[0]))


def history_rows(reading: Reading, name: str) -> Sequence[Row]:
    """The value of a metric per month, of the customers of the filters."""
    if not chosen(reading):
        return reading.rows(reading.table("kpi_history").filter(_.metric_name == name).order_by("month"))
    return monthly_values(reading, [name])[name]


def show_slices(reading: Reading, metric: Row) -> None:
    """The metric by segment, plan, country or channel."""
    name, catalog = metric["metric_name"], reading.rules.metric_catalog
    period, columns = metric_range(reading, name), filter_columns(reading)

    def possible() -> list[str]:
        return slices_of(catalog, name, reading.models(columns), columns)

    dimensions = reading.keep(("slices", name), possible) if name in catalog.metrics else []
    if not dimensions or period is None:
        return
    dimension = select_value("By", dimensions, key="by")
    try:
        rows = values_by(reading, name, period, dimension)
    except ProductPulseError:  # the tile says why there is no value
        return
    counts = values_by(reading, "paying_customers", period, dimension)
    customers = {row[dimension]: row["value"] for row in counts}
    members = [
        {"member": row[dimension], "value": row["value"], "customers": customers.get(row[dimension])} for row in rows
    ]
    show_chart(
        metrics.slices(members, metric["label"], metric["unit"], reading.currency),
        f"{metric['label']} by {column_title(dimension)}, {period.label}",
        "slices",
        lambda keys: Asked(name, period.name, {dimension: keys[0]}),
    )


def show_definition(reading: Reading, metric: Row, about: Row, found: Value) -> None:
    """The metric's value, definition, formula, owner and risks."""
    show_metric_tile(reading, metric, found, about["good_direction"], is_exact=True)
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
