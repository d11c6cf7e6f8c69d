"""Elements that many pages share: headings, metric tiles, charts."""

from __future__ import annotations

import html
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Literal

import plotly.graph_objects as go
import streamlit as st
from ibis import _

from dashboard.asked_rows import Asked, open_rows, show_opening_button
from dashboard.escape import markdown_text
from dashboard.metric_values import Value, comparison_text, is_filtered, values_in_view
from dashboard.reading import Reading
from resources.published_snapshot import Row
from rules.text.formats import Number, change_text, value_text

Opens = Callable[[Sequence[str]], Asked | None]
"""What a point of a chart opens, by its keys; None for a point that opens nothing."""

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


def show_chart(figure: go.Figure, alt: str, key: str, opens: Opens | None = None) -> None:
    """Show a figure in the page's colours, light or dark; `alt` is its text for screen readers.

    `opens` gives the rows behind a point by its keys. A click on the point opens them, and so does a select box, which
    needs no pointer. The chart's key changes each time: otherwise the point would stay selected, and a second click on
    it would do nothing.
    """
    config: dict[str, object] = {"displayModeBar": False}
    points = _points(figure, opens) if opens else []
    if opens is None or not points:
        st.plotly_chart(figure, theme="streamlit", config=config, alt=alt, key=key)
        return
    place = f"{key}_{st.session_state.setdefault(f'{key}_opened', 0)}"
    st.plotly_chart(
        figure, theme="streamlit", config=config, alt=alt, key=place, selection_mode="points",
        on_select=partial(_open_point, key, place, opens),
    )  # fmt: skip
    st.selectbox(
        f"Customers behind: {alt}",
        range(len(points)),
        index=None,
        key=f"{place}_list",
        format_func=lambda number: points[number][0],
        placeholder="Customers behind …",
        label_visibility="collapsed",
        on_change=_open_listed,
        args=(key, place, points),
        width=320,
    )


def _points(figure: go.Figure, opens: Opens) -> list[tuple[str, Asked]]:
    """The text of each point that has keys, and what it opens."""
    return [
        (html.unescape(text), asked)
        for trace in figure.data
        if trace.customdata is not None
        for text, keys in zip(trace.hovertext, trace.customdata, strict=True)
        if text and (asked := opens(list(keys)))
    ]


def _open_point(key: str, place: str, opens: Opens) -> None:
    points = st.session_state[place]["selection"]["points"]
    keys = [point["customdata"] for point in points if point.get("customdata")]
    if keys and (asked := opens(list(keys[0]))):
        st.session_state[f"{key}_opened"] += 1
        open_rows(asked)


def _open_listed(key: str, place: str, points: Sequence[tuple[str, Asked]]) -> None:
    number = st.session_state[f"{place}_list"]
    if number is not None:
        st.session_state[f"{key}_opened"] += 1
        open_rows(points[number][1])


def events(reading: Reading) -> Sequence[Row]:
    """What charts over time mark; nothing in a snapshot of an older version."""
    if "annotations" not in reading:
        return []
    return list(reading.rows(reading.table("annotations").order_by("date", "annotation_id")))


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
    """Show metrics as tiles for the page's period and filters: value, changes, and a way to the customers behind it.

    Without a period and filters, a tile also has the last twelve months.
    """
    rows, good = kpi_summary(reading), good_directions(reading)
    known = [name for name in names if name in rows]
    history = {} if is_filtered(reading) else recent_values(reading, known)
    values = values_in_view(reading, known)
    for start in range(0, len(known), per_row):
        for place, name in zip(st.columns(per_row), known[start : start + per_row], strict=False):
            with place:
                show_metric_tile(reading, rows[name], values[name], good.get(name, "neutral"), history.get(name))


def show_metric_tile(
    reading: Reading,
    row: Row,
    value: Value,
    good_direction: str,
    history: Sequence[float] | None = None,
    *,
    is_exact: bool = False,
) -> None:
    """Show a metric as a tile, with its changes from the period before and from a year ago, and its customers."""
    unit, currency, before = row["unit"], reading.currency, value.before
    change = None
    if before and before.change is not None:
        change = Change(before.change, unit, currency, good_direction, f"vs {before.label}")
    with st.container(border=True, height="stretch"):
        show_tile(
            row["label"],
            value_text(value.value, unit, currency, exact=is_exact),
            change,
            help_text=value.period if is_filtered(reading) and value.value is not None else _help_text(row, value),
            history=history,
        )
        if value.year_ago and value.year_ago.change is not None:
            st.caption(markdown_text(comparison_text(value.year_ago, unit, currency)))
        if value.value is None:
            st.caption(markdown_text(value.why_not or row["not_available_reason"] or ""))
        else:
            show_opening_button(Asked(row["metric_name"]), row["metric_name"])


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


def _help_text(row: Row, value: Value) -> str:
    if value.value is None:
        return f"Not available: {value.why_not or row['not_available_reason']}"
    return f"{value.period}: {row['explanation']}"


def good_directions(reading: Reading) -> dict[str, str]:
    """The good direction of each metric: up, down or neutral."""
    lineage = reading.table("metric_lineage").select("metric_name", "good_direction")
    return {row["metric_name"]: row["good_direction"] for row in reading.rows(lineage)}
