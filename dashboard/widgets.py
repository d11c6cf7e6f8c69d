"""Pieces that many pages are made of: headings, metric tiles, charts."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import plotly.graph_objects as go
import streamlit as st
from ibis import _

from dashboard.escape import plain
from dashboard.reading import Reading
from resources.published_snapshot import Row
from rules.text.formats import Number, change_text, period_text, value_text

MONTHS_IN_TILE = 12
ARROWS = {"+": "up", "-": "down"}
DIRECTIONS = ("up", "down")


@dataclass(frozen=True)
class Change:
    """How far the value of a tile is from another value.

    `good_direction` is up, down or neutral, as the metric catalog has it; `description` names the other value.
    """

    size: Number
    unit: str
    currency: str
    good_direction: str
    description: str | None = None


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
    rows, good = summary(reading), good_directions(reading)
    known = [name for name in names if name in rows]
    past = histories(reading, known)
    for start in range(0, len(known), per_row):
        for place, name in zip(st.columns(per_row), known[start : start + per_row], strict=False):
            with place:
                row = rows[name]
                tile(
                    row["label"],
                    value_text(row["value"], row["unit"], reading.currency),
                    change_before(row, good.get(name, "neutral"), reading.currency),
                    about=_about(row),
                    has_border=True,
                    history=past[name],
                )


def change_before(row: Row, good_direction: str, currency: str) -> Change | None:
    """The change of a row of kpi_summary from the period before, where it is known."""
    return None if row["change"] is None else Change(row["change"], row["unit"], currency, good_direction)


def tile(
    label: str,
    value: str,
    change: Change | None = None,
    *,
    about: str | None = None,
    has_border: bool = False,
    history: Sequence[float] | None = None,
) -> None:
    """The one metric tile of all pages: texts are shown as they are, and a change by the sign of its number.

    The arrow and the colour are given to Streamlit: it would look for a minus at the start of the text, where
    an escaped one is none, and takes 0.0 for a rise. A change that rounds to nothing has no arrow and is gray.
    A tile with a `history` is as high as its row.
    """
    text = change_text(change.size, change.unit, change.currency) if change else None
    st.metric(
        plain(label),
        plain(value),
        delta=plain(text) if text else None,
        delta_arrow=_arrow(text),
        delta_color=_colour(_arrow(text), change.good_direction) if change else "off",
        delta_description=change.description if change else None,
        help=plain(about) if about else None,
        border=has_border,
        height="content" if history is None else "stretch",
        chart_data=history if history and len(history) > 1 else None,
        chart_type="area",
    )


def _arrow(change: str | None) -> str:
    return ARROWS.get(change[0], "off") if change else "off"


def _colour(arrow: str, good_direction: str) -> str:
    """Green in the good direction, red in the other one; gray where neither is good, or nothing has changed."""
    if arrow not in DIRECTIONS or good_direction not in DIRECTIONS:
        return "gray"
    return "green" if arrow == good_direction else "red"


def _about(row: Row) -> str:
    if row["value"] is None:
        return f"Not available: {row['not_available_reason']}"
    return f"{period_text(row['period_start'], row['period_end'])}: {row['explanation']}"


def good_directions(reading: Reading) -> dict[str, str]:
    """By metric, the direction that is good: up, down or neutral."""
    lineage = reading.table("metric_lineage").select("metric_name", "good_direction")
    return {row["metric_name"]: row["good_direction"] for row in reading.rows(lineage)}
