"""How far the data can be trusted: scores, what is absent, and the rows that were kept out and why."""

import streamlit as st
from ibis import _

from dashboard.filters import choose_of, search
from dashboard.reading import Reading, current
from dashboard.rejects import rejects
from dashboard.states import nothing
from dashboard.tables import DATE, LEVEL, Column, listing, table
from dashboard.widgets import heading, tile
from resources.published_snapshot import MAKE_ONE
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
    Column("referential_integrity_score", "Referring", "rate", of="data_quality_scores"),
    Column("timeliness_score", "Timely", "rate", of="data_quality_scores"),
    Column("newest_event_date", "Newest", DATE, of="data_quality_scores"),
    Column("business_risk", "At stake", width="large", of="data_quality_scores"),
)
STOCK = (
    Column("dataset", "Dataset"),
    Column("is_available", "There", of="source_inventory"),
    Column("is_required", "Required", of="source_inventory"),
    Column("source", "Source", of="source_inventory"),
    Column("columns_absent", "Without columns", width="large", of="source_inventory"),
    Column("bytes", "Bytes", "count", of="source_inventory"),
    Column("sha256", "SHA-256", of="source_inventory"),
)
COUNTS = (
    Column("dataset", "Dataset"),
    Column("column_name", "Column", of="customers_rejects"),
    Column("check_name", "Rule broken", of="customers_rejects"),
    Column("rows", "Rows", "count"),
    Column("first_row", "First in row", "count"),
    Column("value", "Value there", of="customers_rejects"),
)
REJECTS = (
    Column("dataset", "Dataset"),
    Column("source_file", "File", of="customers_rejects"),
    Column("row_number", "Row", "count", "small", "customers_rejects"),
    Column("column_name", "Column", of="customers_rejects"),
    Column("check_name", "Rule broken", of="customers_rejects"),
    Column("value", "Value", of="customers_rejects"),
    Column("row_json", "The whole row", width="large", of="customers_rejects"),
)
ORDER = {
    "Place": [_.dataset, _.source_file, _.row_number, _.column_name],
    "Rule": [_.check_name, _.dataset, _.row_number],
}


def page(reading: Reading) -> None:
    """Scores by dataset, what is absent and what to do about it, and every rejected row."""
    heading("Data Quality", "What came in, what was kept out and why, and how far each dataset can be trusted.")
    scores = reading.frame(reading.table("data_quality_scores").order_by("dataset"))
    known = scores[scores.is_available]
    totals(
        int(known.rows_in.sum()), int(known.rows_kept.sum()), int(known.rows_rejected.sum()), len(known), len(scores)
    )
    st.subheader("Scores")
    listing(reading, known, SCORES, "data quality by dataset")
    st.subheader("Sources")
    absent = reading.rows(reading.table("source_inventory").filter(~_.is_available).order_by("dataset"))
    for row in absent:
        st.markdown(
            f"- **{row['dataset']}** is absent: add `{row['dataset']}.csv` to your exports and run `{MAKE_ONE}`."
        )
    listing(reading, reading.frame(reading.table("source_inventory").order_by("dataset")), STOCK, "sources")
    rejected(reading)


def totals(rows_in: int, kept: int, rejected: int, there: int, datasets: int) -> None:
    """Rows in, kept and rejected; the first is the sum of the others."""
    shown = (
        ("Datasets there", f"{there} of {datasets}"),
        ("Rows in", value_text(rows_in, "count")),
        ("Rows kept", value_text(kept, "count")),
        ("Rows rejected", value_text(rejected, "count")),
        ("Share rejected", percent(rejected / rows_in, 2) if rows_in else "–"),
    )
    for place, (label, value) in zip(st.columns(len(shown)), shown, strict=True):
        with place:
            tile(label, value, has_border=True)


def rejected(reading: Reading) -> None:
    """The rules that were broken, and the rows that broke them, whole."""
    st.subheader("Rejected rows")
    every = rejects(reading)
    if not reading.count(every):
        nothing("No row was rejected.", "")
        return
    listing(reading, reading.frame(reject_counts(every)), COUNTS, "rules broken")
    boxes = st.columns([3, 2, 2])
    with boxes[0]:
        found = search(every, ("value", "row_json", "source_file"), key="reject", hint="Value, or anything in the row")
    with boxes[1]:
        found = choose_of(reading, found, every, "dataset", key="dataset", label="Dataset")
    with boxes[2]:
        found = choose_of(reading, found, every, "check_name", key="check", label="Rule broken")
    table(reading, found, REJECTS, ORDER, key="rejects", noun="rejects")


page(current())
