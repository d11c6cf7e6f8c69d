"""Pieces that many pages are made of: headings, metric tiles, charts."""

from __future__ import annotations

from collections.abc import Sequence

import plotly.graph_objects as go
import streamlit as st
from ibis import _

from dashboard.escape import plain
from dashboard.reading import Reading
from resources.published_snapshot import Row
from rules.text.formats import NOT_AVAILABLE, change_text, period_text, value_text

MONTHS_IN_TILE = 12


def heading(title: str, about: str) -> None:
    """A page's title and, in a sentence, what it is for."""
    st.title(title)
    st.caption(about)


def chart(figure: go.Figure, alt: str, key: str) -> None:
    """A figure in the page's own colours, light or dark; `alt` says it to those who cannot see it."""
    st.plotly_chart(figure, theme="streamlit", config={"displayModeBar": False}, alt=alt, key=key)


def summary(reading: Reading) -> dict[str, Row]:
    """kpi_summary by metric."""
    return {row["metric_name"]: row for row in reading.rows(reading.table("kpi_summary"))}


def histories(reading: Reading, names: Sequence[str]) -> dict[str, list[float]]:
    """The last twelve complete months of some metrics, oldest first; unknown months are left out."""
    history = reading.table("kpi_history")
    rows = reading.rows(
        history.filter(_.metric_name.isin(list(names)), _.is_complete, _.value.notnull())
        .select("metric_name", "month", "value")
        .order_by("metric_name", "month")
    )
    found: dict[str, list[float]] = {name: [] for name in names}
    for row in rows:
        found[row["metric_name"]].append(row["value"])
    return {name: values[-MONTHS_IN_TILE:] for name, values in found.items()}


def tiles(reading: Reading, names: Sequence[str], per_row: int = 4) -> None:
    """Metrics as tiles: value, change, the last twelve months, and how it comes about as help."""
    rows, good = summary(reading), _good_directions(reading)
    known = [name for name in names if name in rows]
    past = histories(reading, known)
    for start in range(0, len(known), per_row):
        for place, name in zip(st.columns(per_row), known[start : start + per_row], strict=False):
            with place:
                _tile(rows[name], good.get(name), past[name], reading.currency)


def _tile(row: Row, good: str | None, past: Sequence[float], currency: str) -> None:
    is_known = row["value"] is not None
    has_change = is_known and row["change"] is not None
    st.metric(
        plain(row["label"]),
        plain(value_text(row["value"], row["unit"], currency)) if is_known else NOT_AVAILABLE,
        delta=plain_delta(row, currency) if has_change else None,
        delta_color={"up": "normal", "down": "inverse"}.get(good or "", "off"),
        help=plain(_about(row)),
        border=True,
        height="stretch",
        chart_data=past if len(past) > 1 else None,
        chart_type="area",
    )


def plain_delta(row: Row, currency: str) -> str | None:
    """A metric's change on the period before, signed."""
    return change_text(row["change"], row["unit"], currency).replace("$", "\\$")


def _about(row: Row) -> str:
    if row["value"] is None:
        return f"Not available: {row['not_available_reason']}"
    return f"{period_text(row['period_start'], row['period_end'])}: {row['explanation']}"


def _good_directions(reading: Reading) -> dict[str, str]:
    lineage = reading.table("metric_lineage").select("metric_name", "good_direction")
    return {row["metric_name"]: row["good_direction"] for row in reading.rows(lineage)}
