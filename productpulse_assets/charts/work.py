"""How much each owner has to do, week by week."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence

import plotly.graph_objects as go

from productpulse_assets.charts import look
from productpulse_assets.charts.look import Row
from productpulse_assets.charts.palette import GREY, SECOND, TOTAL

BACKLOG = "backlog"
LINES = "rgba(128,128,128,0.4)"
"""Between the owners; seen on a light page as on a dark one."""


def workload(rows: Sequence[Row]) -> go.Figure:
    """Each owner's interventions week by week beside what a week has room for; the backlog apart.

    `rows` are those of owner_workload.
    """
    if not rows:
        return look.nothing("No owner has a capacity, so that nothing is planned.")
    planned = [row for row in rows if row["week"] != BACKLOG]
    waiting = [row for row in rows if row["week"] == BACKLOG]
    room = [row for row in planned if row["capacity"] is not None]
    dash = {"symbol": "line-ew", "size": 16, "line": {"color": GREY, "width": 3}}
    capacity = go.Scatter(
        x=_places(room),
        y=[row["capacity"] for row in room],
        name="Capacity",
        mode="markers",
        marker=dash,
        hovertext=[f"{look.words(row['owner'])}: {row['capacity']:,} a week" for row in room],
        hoverinfo="text",
    )
    # The order in which places first come is that of the axis: a trace without marks names them all.
    order = go.Scatter(x=_places(rows), y=[0] * len(rows), mode="none", hoverinfo="skip", showlegend=False)
    return look.figure(
        order,
        _bars(planned, "Planned", TOTAL),
        _bars(waiting, "Backlog", SECOND),
        capacity,
        showlegend=True,
        barmode="overlay",
        xaxis={"type": "multicategory", "showgrid": False, "dividercolor": LINES, "dividerwidth": 1},
        yaxis={"title": {"text": "Interventions"}, "rangemode": "tozero", "tickformat": ",~f"},
    )


def _bars(rows: Sequence[Row], name: str, colour: str) -> go.Bar:
    return go.Bar(
        x=_places(rows),
        y=[row["interventions"] for row in rows],
        name=name,
        marker={"color": colour},
        text=[f"{row['interventions']:,}" if row["interventions"] else "" for row in rows],
        textposition="inside",
        textangle=0,
        insidetextfont={"color": look.ON_COLOUR},
        hovertext=[_told(row) for row in rows],
        hoverinfo="text",
    )


def _places(rows: Sequence[Row]) -> list[list[str]]:
    return [[look.wrapped(row["owner"], 18) for row in rows], [_week(row["week"]) for row in rows]]


def _week(week: str) -> str:
    """`29 Jun` for the week of 2026-06-29."""
    if week == BACKLOG:
        return BACKLOG
    day = dt.date.fromisoformat(week)
    return f"{day.day} {day:%b}"


def _told(row: Row) -> str:
    count = f"{row['interventions']:,} intervention{'' if row['interventions'] == 1 else 's'}"
    owner = look.words(row["owner"])
    if row["week"] == BACKLOG:
        return f"{owner}: {count} in the backlog"
    room = "" if row["capacity"] is None else f", room for {row['capacity']:,}"
    return f"{owner}, week of {_week(row['week'])}: {count}{room}"
