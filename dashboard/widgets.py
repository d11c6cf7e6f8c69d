"""Elements that many pages share: headings, metric tiles, charts."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import plotly.graph_objects as go
import streamlit as st
from ibis import _

from dashboard.escape import markdown_text
from dashboard.reading import Reading
from resources.published_snapshot import Row
from rules.text.formats import Number, change_text, period_text, value_text

Arrow = Literal["up", "down", "off"]
Colour = Literal["green", "red", "gray", "off"]

MONTHS_IN_TILE = 12
ARROWS: dict[str, Arrow] = {"+": "up", "-": "down"}
DIRECTIONS = ("up", "down")


@dataclass(frozen=True)
class Change:
    """The difference between the value of a tile and another value.

    `good_direction` is up, down or neutral, as in the metric catalog; `description` says what the other value is.
    """

    size: Number
    unit: str
    currency: str
    good_direction: str
    description: str | None = None


def show_heading(title: str, purpose: str) -> None:
    """Show the title of a page, and its purpose in a sentence."""
    st.title(title)
    st.caption(purpose)


def show_chart(figure: go.Figure, alt: str, key: str) -> None:
    """Show a figure in the page's colours, light or dark; `alt` is its text for screen readers."""
    st.plotly_chart(figure, theme="streamlit", config={"displayModeBar": False}, alt=alt, key=key)


def events(reading: Reading) -> list[Row]:
    """What charts over time mark; nothing in a snapshot of an older version."""
    if "events" not in reading:
        return []
    return list(reading.rows(reading.table("events").order_by("date", "event_id")))


def kpi_summary(reading: Reading) -> dict[str, Row]:
    """The rows of kpi_summary by metric."""
    return {row["metric_name"]: row for row in reading.rows(reading.table("kpi_summary"))}


def recent_values(reading: Reading, names: Sequence[str]) -> dict[str, list[float]]:
    """The values of some metrics in the last twelve complete months, oldest first; unknown values are left out."""
    history = reading.table("kpi_history")
    rows = reading.rows(
        history.filter(_.metric_name.isin(list(names)), _.is_complete, _.value.notnull())
        .select("metric_name", "month", "value")
        .order_by("metric_name", "month")
    )
    values: dict[str, list[float]] = {name: [] for name in names}
    for row in rows:
        values[row["metric_name"]].append(row["value"])
    return {name: months[-MONTHS_IN_TILE:] for name, months in values.items()}


def show_metric_tiles(reading: Reading, names: Sequence[str], per_row: int = 4) -> None:
    """Show metrics as tiles: value, change, the last twelve months, and as help how the value was computed."""
    rows, good = kpi_summary(reading), good_directions(reading)
    known = [name for name in names if name in rows]
    history = recent_values(reading, known)
    for start in range(0, len(known), per_row):
        for place, name in zip(st.columns(per_row), known[start : start + per_row], strict=False):
            with place:
                row = rows[name]
                show_tile(
                    row["label"],
                    value_text(row["value"], row["unit"], reading.currency),
                    period_change(row, good.get(name, "neutral"), reading.currency),
                    help_text=_help_text(row),
                    has_border=True,
                    history=history[name],
                )


def period_change(row: Row, good_direction: str, currency: str) -> Change | None:
    """The change of a metric from the period before; None if it is not known."""
    return None if row["change"] is None else Change(row["change"], row["unit"], currency, good_direction)


def show_tile(
    label: str,
    value: str,
    change: Change | None = None,
    *,
    help_text: str | None = None,
    has_border: bool = False,
    history: Sequence[float] | None = None,
) -> None:
    """Show a metric tile with escaped texts; all pages use this function.

    Streamlit would derive the arrow and the colour from a minus at the start of the text, which escaping hides, and
    treats 0.0 as a rise; so both are given explicitly. A change that rounds to zero has no arrow and is gray.
    A tile with a `history` is as high as its row.
    """
    text = change_text(change.size, change.unit, change.currency) if change else None
    st.metric(
        markdown_text(label),
        markdown_text(value),
        delta=markdown_text(text) if text else None,
        delta_arrow=_arrow(text),
        delta_color=_colour(_arrow(text), change.good_direction) if change else "off",
        delta_description=change.description if change else None,
        help=markdown_text(help_text) if help_text else None,
        border=has_border,
        height="content" if history is None else "stretch",
        chart_data=history if history and len(history) > 1 else None,
        chart_type="area",
    )


def _arrow(change: str | None) -> Arrow:
    return ARROWS.get(change[0], "off") if change else "off"


def _colour(arrow: Arrow, good_direction: str) -> Colour:
    """Green in the good direction, red in the other one; gray if no direction is good, or nothing has changed."""
    if arrow not in DIRECTIONS or good_direction not in DIRECTIONS:
        return "gray"
    return "green" if arrow == good_direction else "red"


def _help_text(row: Row) -> str:
    if row["value"] is None:
        return f"Not available: {row['not_available_reason']}"
    return f"{period_text(row['period_start'], row['period_end'])}: {row['explanation']}"


def good_directions(reading: Reading) -> dict[str, str]:
    """The good direction of each metric: up, down or neutral."""
    lineage = reading.table("metric_lineage").select("metric_name", "good_direction")
    return {row["metric_name"]: row["good_direction"] for row in reading.rows(lineage)}
