"""Where a number comes from, down to the columns of your exports, and what is decided from them."""

import pandas as pd
import streamlit as st
from ibis import _

from dashboard.escape import plain
from dashboard.filters import pick_named
from dashboard.lineage import decisions, lineage_of
from dashboard.links import link
from dashboard.reading import Reading, current
from dashboard.states import nothing
from dashboard.tables import Column, listing, table
from dashboard.widgets import chart, heading
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
    Column("risk_if_misread", "If misread", width="large", of=OF),
    Column("lineage_status", "Lineage", of=OF),
)
ORDER = {"Category": [_.category, _.display_name], "Metric": [_.display_name]}
SOURCES = (Column("column", "Column"), Column("meaning", "Meaning", width="large"))
RULES = (
    Column("triggered_rule", "Rule or kind of leakage"),
    Column("source_dataset", "Looks at"),
    Column("category", "Action"),
    Column("suggested_owner", "Owner"),
    Column("interventions", "Interventions", "count"),
)


def page(reading: Reading) -> None:
    """The graph of one metric, the meaning of its columns, and the table of all."""
    heading("Metric Lineage", "From the columns of your exports to the metric, and to what is decided from them.")
    labels = {
        row["metric_name"]: row["display_name"] for row in reading.rows(reading.table(OF).order_by("display_name"))
    }
    name = pick_named("Metric", labels, key="lineage", default=FIRST)
    if name is not None:
        one_metric(reading, name)
    st.subheader("All metrics")
    table(reading, reading.table(OF), COLUMNS, ORDER, key="lineage_table", noun="metrics")


def one_metric(reading: Reading, name: str) -> None:
    """What a metric is computed from, and what is decided from the same data."""
    about = reading.rows(reading.table(OF).filter(_.metric_name == name))[0]
    st.markdown(f"{plain(about['definition'])}  \n**Formula:** {plain(about['formula'])}")
    graph(reading, about)
    left, right = st.columns(2)
    with left:
        origins(reading, about)
    with right:
        decided(reading, about)


def graph(reading: Reading, about: Row) -> None:
    """The lineage as a flow from left to right."""
    found = lineage_of(reading, about)
    if len(found.nodes) == 1:
        nothing("No source column is known for this metric.", "")
        return
    st.caption("Source column → dataset → metric and the rules that look at the same dataset → use → who acts")
    figure = metrics.lineage(list(found.nodes.values()), found.links)
    chart(figure, f"Lineage of {about['display_name']}, also told in the tables below", "lineage_graph")
    link("kpi_review", "Its value, history and slices", metric=about["metric_name"])


def origins(reading: Reading, about: Row) -> None:
    """The source columns in words."""
    st.subheader("Computed from")
    columns = [column for column in (about["source_columns"] or "").split(", ") if column]
    rows = [
        {"column": column, "meaning": reading.meaning(*column.split(".", 1)) or "–"} for column in columns
    ]  # fmt: skip
    if rows:
        listing(reading, pd.DataFrame(rows), SOURCES, "source columns")


def decided(reading: Reading, about: Row) -> None:
    """The rules that look at the same datasets, and who acts on them."""
    st.subheader("Decided from the same data")
    datasets = [dataset for dataset in (about["source_datasets"] or "").split(", ") if dataset]
    rows = decisions(reading, datasets)
    if not rows:
        nothing("No action rests on these datasets.", "")
        return
    listing(reading, pd.DataFrame(rows), RULES, "rules that look at the same data")


page(current())
