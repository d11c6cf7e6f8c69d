"""Each owner's work, week by week."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence

import plotly.graph_objects as go

from productpulse_assets.charts import look
from productpulse_assets.charts.look import Row
from productpulse_assets.charts.palette import GREY, SECOND, TOTAL
from rules.text.formats import count_text

BACKLOG = "backlog"
DIVIDER = "rgba(128,128,128,0.4)"
"""The lines between owners, visible on a light and on a dark page."""


def workload(rows: Sequence[Row]) -> go.Figure:
    """Each owner's interventions per week, with the owner's capacity; the backlog has its own bar.

    `rows` are those of owner_workload.
    """
    if not rows:
        return look.message_figure("No owner has a capacity, so nothing is planned.")
    planned = [row for row in rows if row["week"] != BACKLOG]
    backlog = [row for row in rows if row["week"] == BACKLOG]
    limited = [row for row in planned if row["capacity"] is not None]
    dash = {"symbol": "line-ew", "size": 16, "line": {"color": GREY, "width": 3}}
    capacity = go.Scatter(
        x=_places(limited),
        y=[row["capacity"] for row in limited],
        name="Capacity",
        mode="markers",
        marker=dash,
        hovertext=[f"{look.plotly_text(row['owner'])}: capacity of {row['capacity']:,} a week" for row in limited],
        hoverinfo="text",
    )
    # The axis has its places in the order in which they first occur: an invisible trace lists all of them.
    order = go.Scatter(x=_places(rows), y=[0] * len(rows), mode="none", hoverinfo="skip", showlegend=False)
    return look.figure(
        order,
        _bars(planned, "Planned", TOTAL),
        _bars(backlog, "Backlog", SECOND),
        capacity,
        showlegend=True,
        barmode="overlay",
        xaxis={"type": "multicategory", "showgrid": False, "dividercolor": DIVIDER, "dividerwidth": 1},
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
        insidetextfont={"color": look.TEXT_ON_COLOUR},
        hovertext=[_hover_text(row) for row in rows],
        hoverinfo="text",
        customdata=[[str(row["owner"]), str(row["week"])] for row in rows],
    )


def _places(rows: Sequence[Row]) -> list[list[str]]:
    return [[look.wrapped_text(row["owner"], 18) for row in rows], [_week_label(row["week"]) for row in rows]]


def _week_label(week: str) -> str:
    """`29 Jun` for the week of 2026-06-29."""
    if week == BACKLOG:
        return BACKLOG
    day = dt.date.fromisoformat(week)
    return f"{day.day} {day:%b}"


def _hover_text(row: Row) -> str:
    count = count_text(row["interventions"], "intervention")
    owner = look.plotly_text(row["owner"])
    if row["week"] == BACKLOG:
        return f"{owner}: {count} in the backlog"
    capacity = "" if row["capacity"] is None else f" (capacity {row['capacity']:,})"
    return f"{owner}, week of {_week_label(row['week'])}: {count}{capacity}"
