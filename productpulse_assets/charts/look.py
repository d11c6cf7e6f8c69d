"""What all figures have in common: their frame, their axes, and how texts from data get into them.

Fonts and grid lines have no colour here: the page that shows a figure knows whether it is light or dark.
"""

from __future__ import annotations

import datetime as dt
import html
import textwrap
from collections.abc import Iterable, Mapping, Sequence

import plotly.graph_objects as go

from rules.text.formats import NAME_LIMIT, SMALL_AMOUNT, SYMBOLS, is_unknown, one_line

Row = Mapping[str, object]

CLEAR = "rgba(0,0,0,0)"
ON_COLOUR = "black"
"""The colour of text that stands on a colour of the palette."""

HEIGHT, BELOW = 360, 36
"""Pixels of a figure, and of them those below the plot, for the names of the ticks."""

BAR_HEIGHT, FRAME_HEIGHT = 34, 70
"""Pixels of one horizontal bar with the space around it, and of what is above and below all of them."""

NOTE_WIDTH, NOTE_LINE, TITLE_LINE = 100, 18, 24
"""Characters of a line of a note, its height in pixels, and that of an axis's title above it."""

MEMBERS_SHOWN = 20
"""Members of a dimension drawn at most: more cannot be read; the page's table has them all."""

FEW_MONTHS = 12
"""Months whose names have room beside each other."""

LEGEND = {
    "orientation": "h",
    "x": 0,
    "y": 1.02,
    "xanchor": "left",
    "yanchor": "bottom",
    "traceorder": "normal",
    "title": {"text": ""},
}


def words(text: object, limit: int = NAME_LIMIT) -> str:
    """Text from data as plotly shows it letter by letter: it would take `<b>` or `<a href>` for markup."""
    # Quotes stay as they are: plotly does not know &quot; and would show it.
    return html.escape(one_line(text, limit), quote=False)


def wrapped(text: object, width: int, limit: int = NAME_LIMIT) -> str:
    """Text from data in lines of at most `width` characters."""
    return "<br>".join(html.escape(line, quote=False) for line in textwrap.wrap(one_line(text, limit), width))


def number(value: object) -> float | None:
    """A value as a place on an axis; unknown is no place."""
    return None if is_unknown(value) else float(value)


def faint(colour: str) -> str:
    """A colour of the palette through which the page can be seen: for areas under a line."""
    red, green, blue = (int(colour[place : place + 2], 16) for place in (1, 3, 5))
    return f"rgba({red},{green},{blue},0.25)"


def month(day: dt.date) -> str:
    """The month of a day: `Jun 2026`."""
    return f"{day:%b %Y}"


def axis_of(values: Iterable[object], unit: str, currency: str) -> dict[str, object]:
    """How the ticks of an axis with values of a metric's unit are written."""
    largest = max((abs(size) for size in map(number, values) if size is not None), default=0)
    # Of small numbers plotly's short form would speak in thousandths: 500m for a half.
    short = "~s" if largest >= SMALL_AMOUNT else ",~f"
    if unit == "rate":
        return {"tickformat": ",.0%" if largest >= 0.1 else ",.1%"}
    if unit != "money":
        return {"tickformat": short} | ({"dtick": 1} if unit == "count" and largest < 6 else {})
    symbol = SYMBOLS.get(currency, f"{currency} ")
    # The dollar is the one sign that plotly puts after the minus.
    return {"tickformat": f"${short}"} if symbol == "$" else {"tickformat": short, "tickprefix": symbol}


def months_axis(count: int) -> dict[str, object]:
    """An axis of so many months; a few of them are each named once."""
    ticks = {"dtick": "M1"} if count <= FEW_MONTHS else {"nticks": FEW_MONTHS}
    return {"type": "date", "showgrid": False, "tickformat": "%b %Y", "ticklabelstandoff": 6} | ticks


def names_axis(names: Sequence[str], every: int = 1) -> dict[str, object]:
    """An axis of named places 0, 1, 2 …: names alike stay apart, and one like a number or a date stays a name."""
    places = range(0, len(names), every)
    return {"tickmode": "array", "tickvals": list(places), "ticktext": [names[place] for place in places]}


def downwards(names: Sequence[str], every: int = 1) -> dict[str, object]:
    """A vertical axis of names whose first is on top."""
    return names_axis(names, every) | {
        "range": [len(names) - 0.5, -0.5],
        "showgrid": False,
        "zeroline": False,
        "ticklabelstandoff": 6,
    }


def with_room(values: Sequence[object]) -> dict[str, object]:
    """The range of an axis that bars begin on at 0, with room for what is written beside the longest."""
    sizes = [size for size in map(number, values) if size is not None]
    low, high = min([0.0, *sizes]), max([0.0, *sizes])
    if low == high:
        return {"range": [0, 1], "tickvals": [0]}
    beside = 0.18 * (high - low)
    return {"range": [low - beside if low < 0 else 0, high + beside]}


def level_bars(values: Sequence[object], said: Sequence[str], hover: Sequence[str], colour: object) -> go.Bar:
    """Horizontal bars from the first, on top, to the last, with what is said beside each."""
    return go.Bar(
        x=[number(value) for value in values],
        y=list(range(len(values))),
        orientation="h",
        marker={"color": colour},
        text=list(said),
        textposition="outside",
        cliponaxis=False,
        hovertext=list(hover),
        hoverinfo="text",
    )


def bars_height(count: int) -> int:
    """Pixels for so many horizontal bars."""
    return FRAME_HEIGHT + BAR_HEIGHT * max(count, 2)


def figure(*traces: object, height: int = HEIGHT, **layout: object) -> go.Figure:
    """A figure in the house's frame: nothing behind it, nothing that moves, no template of its own."""
    axes = {name: {"automargin": True, **layout.pop(name, {})} for name in ("xaxis", "yaxis")}
    frame = {
        "template": {},
        "paper_bgcolor": CLEAR,
        "plot_bgcolor": CLEAR,
        "height": height,
        "margin": {"l": 8, "r": 8, "t": 36 if layout.get("showlegend") else 12, "b": BELOW},
        "showlegend": False,
        "legend": LEGEND,
        "hovermode": "closest",
        "dragmode": False,
        "bargap": 0.3,
        "uniformtext": {"mode": "hide", "minsize": 9},
    }
    return go.Figure(data=list(traces), layout=frame | axes | layout)


def nothing(why: str) -> go.Figure:
    """A figure that says in words that there is nothing to show."""
    hidden = {"visible": False}
    note = {
        "text": wrapped(why, 70, limit=600),
        "showarrow": False,
        "x": 0.5,
        "y": 0.5,
        "xref": "paper",
        "yref": "paper",
    }
    return figure(height=140, xaxis=hidden, yaxis=hidden, annotations=[note])


def noted(drawn: go.Figure, note: str) -> go.Figure:
    """The figure with a note below it; as it is without one."""
    if not note:
        return drawn
    text = wrapped(note, NOTE_WIDTH, limit=600)
    title = TITLE_LINE if drawn.layout.xaxis.title.text else 0
    room = NOTE_LINE * (text.count("<br>") + 1) + title
    drawn.add_annotation(
        text=text, showarrow=False, align="left", xref="paper", yref="paper", x=0, y=0, xanchor="left", yanchor="top",
        yshift=-BELOW - title,
    )  # fmt: skip
    drawn.update_layout(height=drawn.layout.height + room, margin_b=drawn.layout.margin.b + room)
    return drawn


def left_out(names: Sequence[object]) -> str:
    """The note that names what has no value."""
    return f"Not available: {', '.join(one_line(name, NAME_LIMIT) for name in names)}." if names else ""


def shortened(rows: Sequence[Row], size: str) -> tuple[list[Row], str]:
    """The rows whose `size` is largest, in the order they have, and the note that counts the others."""
    if len(rows) <= MEMBERS_SHOWN:
        return list(rows), ""
    largest = sorted(range(len(rows)), key=lambda place: -abs(number(rows[place][size]) or 0))[:MEMBERS_SHOWN]
    return [rows[place] for place in sorted(largest)], f"{len(rows) - MEMBERS_SHOWN:,} smaller ones are not drawn."
