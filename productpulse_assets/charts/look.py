"""What all figures have in common: frame, axes, and the escaping of texts from data.

Fonts and grid lines have no colour here: the page that shows a figure knows whether it is light or dark.
"""

from __future__ import annotations

import datetime as dt
import html
import textwrap
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import plotly.graph_objects as go

from rules.text.formats import NAME_LIMIT, SMALL_AMOUNT, SYMBOLS, is_unknown, one_line

Row = Mapping[str, Any]
"""A row of a table, by column. Each function documents the columns that it reads, their types and units."""

Keys = Sequence[str]
"""What the number at a point of a chart is about, as words: `("SMB", "High")`. A page opens its rows by them."""

TRANSPARENT = "rgba(0,0,0,0)"
TEXT_ON_COLOUR = "black"
"""The colour of text on a colour of the palette."""

HEIGHT, BELOW_PLOT = 360, 44
"""The height of a figure in pixels, and how much of it is below the plot, for the tick labels."""

BAR_HEIGHT, FRAME_HEIGHT = 34, 70
"""Pixels of one horizontal bar with the space around it, and of what is above and below all bars."""

NOTE_WIDTH, NOTE_LINE, TITLE_LINE = 88, 18, 24
"""Characters in a line of a note, the line's height in pixels, and the height of an axis title above the note."""

MEMBERS_SHOWN = 20
"""Members of a dimension that a chart shows at most: more cannot be read, and the page's table has them all."""

FEW_MONTHS = 12
"""Up to this number of months, each month has a tick label."""

LEGEND = {
    "orientation": "h",
    "x": 0,
    "y": 1.02,
    "xanchor": "left",
    "yanchor": "bottom",
    "traceorder": "normal",
    "title": {"text": ""},
}


def plotly_text(text: object, limit: int = NAME_LIMIT) -> str:
    """Text from data, escaped for plotly, which would treat `<b>` or `<a href>` as markup."""
    # Quotes are not escaped: plotly does not know &quot; and would show it.
    return html.escape(one_line(text, limit), quote=False)


def wrapped_text(text: object, width: int, limit: int = NAME_LIMIT) -> str:
    """Text from data, escaped for plotly, in lines of at most `width` characters."""
    return "<br>".join(html.escape(line, quote=False) for line in textwrap.wrap(one_line(text, limit), width))


def number(value: Any) -> float | None:
    """A value as a number on an axis; an unknown value is None, which plotly leaves out."""
    return None if is_unknown(value) else float(value)


def translucent(colour: str) -> str:
    """A colour of the palette at 25 % opacity, for the area under a line."""
    red, green, blue = (int(colour[place : place + 2], 16) for place in (1, 3, 5))
    return f"rgba({red},{green},{blue},0.25)"


def month_label(day: dt.date) -> str:
    """The month of a day: `Jun 2026`."""
    return f"{day:%b %Y}"


def value_axis(values: Iterable[object], unit: str, currency: str) -> dict[str, object]:
    """The tick format of an axis that shows `values` in a metric's unit."""
    largest = max((abs(size) for size in map(number, values) if size is not None), default=0)
    # For small numbers, plotly's short form uses thousandths: 500m for a half.
    short = "~s" if largest >= SMALL_AMOUNT else ",~f"
    if unit == "rate":
        return {"tickformat": ",.0%" if largest >= 0.1 else ",.1%"}
    if unit != "money":
        return {"tickformat": short} | ({"dtick": 1} if unit == "count" and largest < 6 else {})
    symbol = SYMBOLS.get(currency, f"{currency} ")
    # The dollar is the only sign that plotly writes after the minus.
    return {"tickformat": f"${short}"} if symbol == "$" else {"tickformat": short, "tickprefix": symbol}


def months_axis(count: int) -> dict[str, object]:
    """A horizontal axis of `count` months; up to FEW_MONTHS, each month has a label.

    The year is below the first month of it: labels that do not fit side by side would be turned, into the note.
    """
    ticks = {"dtick": "M1"} if count <= FEW_MONTHS else {"nticks": FEW_MONTHS}
    return {"type": "date", "showgrid": False, "tickformat": "%b\n%Y", "tickangle": 0, "ticklabelstandoff": 6} | ticks


def names_axis(names: Sequence[str], every: int = 1) -> dict[str, object]:
    """An axis with the numbers 0, 1, 2 … that shows names instead.

    Equal names stay apart, and a name such as `7` or `2024-01` is not read as a number or a date.
    """
    places = range(0, len(names), every)
    return {"tickmode": "array", "tickvals": list(places), "ticktext": [names[place] for place in places]}


def top_down_axis(names: Sequence[str], every: int = 1) -> dict[str, object]:
    """A vertical axis of names with the first one on top."""
    return names_axis(names, every) | {
        "range": [len(names) - 0.5, -0.5],
        "showgrid": False,
        "zeroline": False,
        "ticklabelstandoff": 6,
    }


def bar_range(values: Iterable[object]) -> dict[str, object]:
    """The range of an axis for bars that start at 0, with space for the text next to the longest bar."""
    sizes = [size for size in map(number, values) if size is not None]
    low, high = min([0.0, *sizes]), max([0.0, *sizes])
    if low == high:
        return {"range": [0, 1], "tickvals": [0]}
    text_space = 0.18 * (high - low)
    return {"range": [low - text_space if low < 0 else 0, high + text_space]}


def horizontal_bars(
    values: Sequence[object], texts: Sequence[str], hover: Sequence[str], colour: object, keys: Sequence[Keys] = ()
) -> go.Bar:
    """Horizontal bars, the first on top, each with its text next to it, and its `keys`."""
    return go.Bar(
        x=[number(value) for value in values],
        y=list(range(len(values))),
        orientation="h",
        marker={"color": colour},
        text=list(texts),
        textposition="outside",
        cliponaxis=False,
        hovertext=list(hover),
        hoverinfo="text",
        customdata=list(keys) or None,
    )


def bars_height(count: int) -> int:
    """The height in pixels of a figure with `count` horizontal bars."""
    return FRAME_HEIGHT + BAR_HEIGHT * max(count, 2)


def figure(*traces: object, height: int = HEIGHT, **layout: Any) -> go.Figure:
    """A figure with the common frame: no background, no dragging, no template."""
    axes = {name: {"automargin": True} | layout.pop(name, {}) for name in ("xaxis", "yaxis")}
    frame = {
        "template": {},
        "paper_bgcolor": TRANSPARENT,
        "plot_bgcolor": TRANSPARENT,
        "height": height,
        "margin": {"l": 8, "r": 8, "t": 36 if layout.get("showlegend") else 12, "b": BELOW_PLOT},
        "showlegend": False,
        "legend": LEGEND,
        "hovermode": "closest",
        "dragmode": False,
        "bargap": 0.3,
        "uniformtext": {"mode": "hide", "minsize": 9},
    }
    return go.Figure(data=list(traces), layout=frame | axes | layout)


def message_figure(message: str) -> go.Figure:
    """A figure without data that shows a message instead."""
    hidden = {"visible": False}
    note = {
        "text": wrapped_text(message, 70, limit=600),
        "showarrow": False,
        "x": 0.5,
        "y": 0.5,
        "xref": "paper",
        "yref": "paper",
    }
    return figure(height=140, xaxis=hidden, yaxis=hidden, annotations=[note])


def add_note(chart: go.Figure, note: str) -> go.Figure:
    """Add a note below a figure, which becomes taller; an empty note changes nothing."""
    if not note:
        return chart
    text = wrapped_text(note, NOTE_WIDTH, limit=600)
    title = TITLE_LINE if chart.layout.xaxis.title.text else 0
    extra = NOTE_LINE * (text.count("<br>") + 1) + title
    chart.add_annotation(
        text=text, showarrow=False, align="left", xref="paper", yref="paper", x=0, y=0, xanchor="left", yanchor="top",
        yshift=-BELOW_PLOT - title,
    )  # fmt: skip
    chart.update_layout(height=chart.layout.height + extra, margin_b=chart.layout.margin.b + extra)
    return chart


def not_available_note(names: Sequence[object]) -> str:
    """The note that lists what has no value; empty if there are no names."""
    return f"Not available: {', '.join(one_line(name, NAME_LIMIT) for name in names)}." if names else ""


def keep_largest(rows: Sequence[Row], column: str) -> tuple[list[Row], str]:
    """The MEMBERS_SHOWN rows with the largest absolute value in `column`, in their order, and a note about the rest."""
    if len(rows) <= MEMBERS_SHOWN:
        return list(rows), ""
    largest = sorted(range(len(rows)), key=lambda place: -abs(number(rows[place][column]) or 0))[:MEMBERS_SHOWN]
    return [rows[place] for place in sorted(largest)], f"{len(rows) - MEMBERS_SHOWN:,} smaller ones are not shown."
