"""Every governed metric: its value, change and target, its history and slices, and how to read it."""

import streamlit as st
from ibis import _

from dashboard.escape import plain
from dashboard.filters import choose, pick, pick_named, search
from dashboard.links import link
from dashboard.reading import Reading, current
from dashboard.states import nothing
from dashboard.tables import LEVEL, Column, listing
from dashboard.widgets import change_before, chart, heading, tile
from productpulse_assets.charts import metrics
from resources.published_snapshot import Row
from rules.text.formats import change_text, period_text, value_text

FIRST = "monthly_recurring_revenue"
COLUMNS = (
    Column("label", "Metric", of="kpi_summary"),
    Column("said", "Value", width="small"),
    Column("moved", "Change", width="small"),
    Column("target", "Target", width="small"),
    Column("target_status", "Against target", LEVEL, of="kpi_summary"),
    Column("period", "Period", width="small"),
    Column("category", "Category", width="small", of="kpi_summary"),
    Column("told", "How it comes about", width="large"),
)


def page(reading: Reading) -> None:
    """The table of all metrics, and one of them looked into."""
    heading("KPI Review", "Every metric: what it is, how it moved, and whether it is where it should be.")
    left, right = st.columns(2)
    found = reading.table("kpi_summary")
    with left:
        found = search(found, ("label", "metric_name", "explanation"), key="kpi", hint="Metric")
    with right:
        found = choose(reading, found, "kpi_summary", "category", key="category", label="Category")
    rows = reading.frame(found)
    if rows.empty:
        nothing("No metric fits.", "Widen the search or clear the filter.")
    else:
        told = [_said(row, reading.currency) for row in reading.rows(found)]
        listing(reading, rows.assign(**{name: [row[name] for row in told] for name in told[0]}), COLUMNS, "metrics")
    one_metric(reading)


def _said(row: Row, currency: str) -> dict[str, str]:
    """The words of a metric's row, whose numbers have units of their own."""
    is_known = row["value"] is not None
    return {
        "said": value_text(row["value"], row["unit"], currency),
        "moved": change_text(row["change"], row["unit"], currency) if row["change"] is not None else "–",
        "target": value_text(row["target_value"], row["unit"], currency) if row["target_value"] is not None else "–",
        "period": period_text(row["period_start"], row["period_end"]),
        "told": row["explanation"] if is_known else row["not_available_reason"],
    }


def one_metric(reading: Reading) -> None:
    """A metric's value, history, slices and governance."""
    labels = {row["metric_name"]: row["label"] for row in reading.rows(reading.table("kpi_summary"))}
    st.subheader("One metric", divider="gray")
    name = pick_named("Metric", labels, key="metric", default=FIRST)
    if name is None:
        return
    now = reading.rows(reading.table("kpi_summary").filter(_.metric_name == name))[0]
    about = reading.rows(reading.table("metric_lineage").filter(_.metric_name == name))[0]
    left, right = st.columns([3, 2])
    with left:
        history(reading, now)
        slices(reading, now)
    with right:
        governance(now, about, reading.currency)


def history(reading: Reading, now: Row) -> None:
    """The metric month by month."""
    months = reading.table("kpi_history").filter(_.metric_name == now["metric_name"]).order_by("month")
    rows = [row for row in reading.rows(months) if row["value"] is not None]
    if not rows:
        nothing("There is no history of this metric.", plain(now["not_available_reason"] or ""))
        return
    figure = metrics.history(rows, now["label"], now["unit"], reading.currency, now["target_value"])
    chart(figure, f"{now['label']} by month", "metric_history")


def slices(reading: Reading, now: Row) -> None:
    """The metric by segment, plan, country or channel."""
    of_metric = reading.table("kpi_by_segment").filter(_.metric_name == now["metric_name"])
    dimensions = reading.values(of_metric, "dimension")
    if not dimensions:
        return
    dimension = pick("By", dimensions, key="by")
    rows = reading.rows(of_metric.filter(_.dimension == dimension).order_by(_.customers.desc(), "member"))
    chart(metrics.slices(rows, now["label"], now["unit"], reading.currency), f"{now['label']} by {dimension}", "slices")


def governance(now: Row, about: Row, currency: str) -> None:
    """What the metric means, who answers for it, and how it goes wrong."""
    tile(
        now["label"],
        value_text(now["value"], now["unit"], currency, exact=True),
        change_before(now, about["good_direction"], currency),
        has_border=True,
    )
    told = {
        "Now": now["explanation"] if now["value"] is not None else f"Not available: {now['not_available_reason']}",
        "Definition": about["definition"],
        "Formula": about["formula"],
        "Purpose": about["purpose"],
        "How to read it": about["interpretation"],
        "If misread": about["risk_if_misread"],
        "Benchmark": about["benchmark"],
        "Owner": about["owner"],
    }
    st.markdown("\n\n".join(f"**{title}**  \n{plain(text)}" for title, text in told.items() if text))
    link("metric_lineage", "Where it comes from", lineage=now["metric_name"])


page(current())
