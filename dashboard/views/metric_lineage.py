"""The lineage of a metric: the columns of your exports that it is computed from, and decisions from the same data."""

import pandas as pd
import streamlit as st
from ibis import _

from dashboard.escape import markdown_text
from dashboard.filters import select_by_name
from dashboard.lineage import build_lineage, related_decisions
from dashboard.links import link
from dashboard.reading import Reading, current
from dashboard.states import show_empty_state
from dashboard.tables import Column, show_rows, show_table
from dashboard.widgets import show_chart, show_heading
from productpulse_assets.charts import metrics
from resources.published_snapshot import Row

OF = "metric_lineage"
FIRST = "monthly_recurring_revenue"
COLUMNS = (
    Column("display_name", "Metric", of=OF),
    Column("category", "Category", of=OF),
    Column("formula", "Formula", width="large", of=OF),
    Column("source_columns", "Computed from", width="large", of=OF),
    Column("owner", "Owner", of=OF),
    Column("purpose", "Purpose", width="large", of=OF),
    Column("risk_if_misread", "Risk if misread", width="large", of=OF),
    Column("lineage_status", "Lineage status", of=OF),
)
ORDER = {"Category": [_.category, _.display_name], "Metric": [_.display_name]}
SOURCES = (Column("column", "Column"), Column("meaning", "Meaning", width="large"))
RULES = (
    Column("triggered_rule", "Rule or kind of leakage"),
    Column("source_dataset", "Datasets"),
    Column("category", "Action"),
    Column("suggested_owner", "Owner"),
    Column("interventions", "Interventions", "count"),
)


def page(reading: Reading) -> None:
    """The lineage of one metric with the meaning of its source columns, and a table of all metrics."""
    show_heading(
        "Metric Lineage", "From the columns of your exports to the metric, and to the decisions that use the same data."
    )
    labels = {
        row["metric_name"]: row["display_name"] for row in reading.rows(reading.table(OF).order_by("display_name"))
    }
    name = select_by_name("Metric", labels, key="lineage", default=FIRST)
    if name is not None:
        show_one_metric(reading, name)
    st.subheader("All metrics")
    show_table(reading, reading.table(OF), COLUMNS, ORDER, key="lineage_table", noun="metrics")


def show_one_metric(reading: Reading, name: str) -> None:
    """The definition of a metric, its lineage, its source columns, and decisions from the same data."""
    about = reading.rows(reading.table(OF).filter(_.metric_name == name))[0]
    st.markdown(f"{markdown_text(about['definition'])}  \n**Formula:** {markdown_text(about['formula'])}")
    show_graph(reading, about)
    left, right = st.columns(2)
    with left:
        show_source_columns(reading, about)
    with right:
        show_decisions(reading, about)


def show_graph(reading: Reading, about: Row) -> None:
    """The lineage as a flow from left to right."""
    lineage = build_lineage(reading, about)
    if len(lineage.nodes) == 1:
        show_empty_state("No source column is known for this metric.")
        return
    st.caption("Source column → dataset → metric → where it is used, and rules on the same dataset → action and owner")
    figure = metrics.lineage(list(lineage.nodes.values()), lineage.links)
    show_chart(figure, f"Lineage of {about['display_name']}; the tables below have the same content", "lineage_graph")
    link("kpi_review", "Value, history and slices of this metric", metric=about["metric_name"])


def show_source_columns(reading: Reading, about: Row) -> None:
    """The source columns with their meaning."""
    st.subheader("Computed from")
    columns = [column for column in (about["source_columns"] or "").split(", ") if column]
    rows = [
        {"column": column, "meaning": reading.meaning(*column.split(".", 1)) or "–"} for column in columns
    ]  # fmt: skip
    if rows:
        show_rows(reading, pd.DataFrame(rows), SOURCES, "source columns")


def show_decisions(reading: Reading, about: Row) -> None:
    """The rules that use the same datasets, and who acts on them."""
    st.subheader("Decisions from the same data")
    datasets = [dataset for dataset in (about["source_datasets"] or "").split(", ") if dataset]
    rows = related_decisions(reading, datasets)
    if not rows:
        show_empty_state("No decision uses these datasets.")
        return
    show_rows(reading, pd.DataFrame(rows), RULES, "rules that use the same data")


page(current())
