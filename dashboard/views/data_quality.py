"""The quality of each dataset: scores, what is absent, and rejected rows with the reasons."""

import streamlit as st
from ibis import _

from dashboard.filters import filter_by_column, search
from dashboard.reading import Reading, current
from dashboard.rejects import rejects
from dashboard.states import show_empty_state
from dashboard.tables import DATE, LEVEL, Column, show_rows, show_table
from dashboard.widgets import show_heading, show_tile
from resources.published_snapshot import RUN_COMMAND
from rules.rejects import reject_counts
from rules.text.formats import percent, value_text

SCORES = (
    Column("dataset", "Dataset"),
    Column("status", "Status", LEVEL, of="data_quality_scores"),
    Column("overall_score", "Overall", "rate", of="data_quality_scores"),
    Column("rows_in", "Rows in", "count", of="data_quality_scores"),
    Column("rows_kept", "Kept", "count", of="data_quality_scores"),
    Column("rows_rejected", "Rejected", "count", of="data_quality_scores"),
    Column("completeness_score", "Complete", "rate", of="data_quality_scores"),
    Column("uniqueness_score", "Unique", "rate", of="data_quality_scores"),
    Column("validity_score", "Valid", "rate", of="data_quality_scores"),
    Column("referential_integrity_score", "References", "rate", of="data_quality_scores"),
    Column("timeliness_score", "Timely", "rate", of="data_quality_scores"),
    Column("newest_event_date", "Last event", DATE, of="data_quality_scores"),
    Column("business_risk", "Business risk", width="large", of="data_quality_scores"),
)
INVENTORY = (
    Column("dataset", "Dataset"),
    Column("is_available", "Available", of="source_inventory"),
    Column("is_required", "Required", of="source_inventory"),
    Column("source", "Source", of="source_inventory"),
    Column("columns_absent", "Absent columns", width="large", of="source_inventory"),
    Column("bytes", "Bytes", "count", of="source_inventory"),
    Column("sha256", "SHA-256", of="source_inventory"),
)
COUNTS = (
    Column("dataset", "Dataset"),
    Column("column_name", "Column", of="customers_rejects"),
    Column("check_name", "Broken rule", of="customers_rejects"),
    Column("rows", "Rows", "count"),
    Column("first_row", "First row", "count"),
    Column("value", "Value in it", of="customers_rejects"),
)
REJECTS = (
    Column("dataset", "Dataset"),
    Column("source_file", "File", of="customers_rejects"),
    Column("row_number", "Row", "count", "small", "customers_rejects"),
    Column("column_name", "Column", of="customers_rejects"),
    Column("check_name", "Broken rule", of="customers_rejects"),
    Column("value", "Value", of="customers_rejects"),
    Column("row_json", "Complete row", width="large", of="customers_rejects"),
)
ORDER = {
    "File and row": [_.dataset, _.source_file, _.row_number, _.column_name],
    "Rule": [_.check_name, _.dataset, _.row_number],
}


def page(reading: Reading) -> None:
    """Scores by dataset, absent datasets with what to do, and every rejected row."""
    show_heading(
        "Data Quality",
        "The quality of each dataset: how many rows were read, which were rejected and why, and what is absent.",
    )
    scores = reading.frame(reading.table("data_quality_scores").order_by("dataset"))
    known = scores[scores.is_available]
    show_totals(
        int(known.rows_in.sum()), int(known.rows_kept.sum()), int(known.rows_rejected.sum()), len(known), len(scores)
    )
    st.subheader("Scores")
    show_rows(reading, known, SCORES, "data quality by dataset")
    st.subheader("Sources")
    absent = reading.rows(reading.table("source_inventory").filter(~_.is_available).order_by("dataset"))
    for row in absent:
        st.markdown(
            f"- **{row['dataset']}** is absent: add `{row['dataset']}.csv` to your exports and run `{RUN_COMMAND}`."
        )
    show_rows(reading, reading.frame(reading.table("source_inventory").order_by("dataset")), INVENTORY, "sources")
    show_rejects(reading)


def show_totals(rows_in: int, kept: int, rejected: int, available: int, datasets: int) -> None:
    """The numbers of datasets and rows; rows in are the sum of rows kept and rejected."""
    figures = (
        ("Datasets available", f"{available} of {datasets}"),
        ("Rows in", value_text(rows_in, "count")),
        ("Rows kept", value_text(kept, "count")),
        ("Rows rejected", value_text(rejected, "count")),
        ("Rejection rate", percent(rejected / rows_in, 2) if rows_in else "–"),
    )
    for place, (label, value) in zip(st.columns(len(figures)), figures, strict=True):
        with place:
            show_tile(label, value, has_border=True)


def show_rejects(reading: Reading) -> None:
    """The broken rules, and the complete rows that broke them."""
    st.subheader("Rejected rows")
    all_rejects = rejects(reading)
    if not reading.count(all_rejects):
        show_empty_state("No row was rejected.")
        return
    show_rows(reading, reading.frame(reject_counts(all_rejects)), COUNTS, "broken rules")
    boxes = st.columns([3, 2, 2])
    with boxes[0]:
        found = search(
            all_rejects, ("value", "row_json", "source_file"), key="reject", hint="Value, or anything in the row"
        )
    with boxes[1]:
        found = filter_by_column(reading, found, all_rejects, "dataset", key="dataset", label="Dataset")
    with boxes[2]:
        found = filter_by_column(reading, found, all_rejects, "check_name", key="check", label="Broken rule")
    show_table(reading, found, REJECTS, ORDER, key="rejects", noun="rejects")


page(current())
