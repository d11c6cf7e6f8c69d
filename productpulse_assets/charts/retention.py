"""Cohort retention, and the funnel from signup to a paying customer."""

from __future__ import annotations

import datetime as dt
import math
from collections.abc import Sequence
from typing import Literal

import plotly.graph_objects as go

from productpulse_assets.charts import look
from productpulse_assets.charts.look import Row
from productpulse_assets.charts.palette import ORANGE, SEQUENCE, SERIES, TOTAL
from rules.text.formats import count_text, percent

Measure = Literal["retention_rate", "mrr_retention_rate"]
TEXT_CELLS = 26
"""Up to this number of months and of cohorts, each cell shows its number."""

LABELS = 36
"""The largest number of cohort labels that can be read."""

BOTTLENECK = "bottleneck"


def cohort_heat_map(rows: Sequence[Row], measure: Measure = "retention_rate") -> go.Figure:
    """The retention of each cohort, month by month; cells after the as-of date are empty.

    `rows` are those of cohort_summary of one segment.
    """
    known = [row for row in rows if row[measure] is not None]
    if not known:
        return look.message_figure("There is no cohort of paying customers yet.")
    cohorts = sorted({row["cohort_month"] for row in known})
    months = max(row["months_since_cohort"] for row in known) + 1
    cells = {(row["cohort_month"], row["months_since_cohort"]): row for row in known}
    grid = [[cells.get((cohort, number)) for number in range(months)] for cohort in cohorts]
    has_text = months <= TEXT_CELLS and len(cohorts) <= TEXT_CELLS
    rates = [row[measure] for row in known]
    heat_map = go.Heatmap(
        z=[[row and row[measure] for row in line] for line in grid],
        hovertext=[[_hover_text(row, measure) if row else "" for row in line] for line in grid],
        hoverinfo="text",
        hoverongaps=False,
        text=[[f"{row[measure] * 100:.0f}" if row else "" for row in line] for line in grid] if has_text else None,
        texttemplate="%{text}" if has_text else None,
        colorscale=list(SEQUENCE),
        zmin=math.floor(min(rates) * 10) / 10 if min(rates) < 1 else 0,
        zmax=math.ceil(max(rates) * 10) / 10 if max(rates) > 0 else 1,
        xgap=1,
        ygap=1,
        colorbar={"tickformat": ".0%", "thickness": 12, "outlinewidth": 0},
    )
    size = max(13, min(26, 900 // len(cohorts)))
    return look.figure(
        heat_map,
        _cell_marks(cohorts, known, measure, size),
        height=90 + size * max(len(cohorts), 4),
        xaxis={"title": {"text": "Months since the first payment"}, "showgrid": False, "zeroline": False}
        | {"tickmode": "linear", "dtick": max(1, math.ceil(months / 24)), "range": [-0.5, months - 0.5]},
        yaxis=look.top_down_axis(
            [look.month_label(cohort) for cohort in cohorts], every=math.ceil(len(cohorts) / LABELS)
        ),
    )


def _cell_marks(cohorts: Sequence[dt.date], known: Sequence[Row], measure: Measure, size: int) -> go.Scatter:
    """An invisible mark in each cell: plotly reports a click on a mark, but none on a heat map."""
    places = {cohort: place for place, cohort in enumerate(cohorts)}
    return go.Scatter(
        x=[row["months_since_cohort"] for row in known],
        y=[places[row["cohort_month"]] for row in known],
        mode="markers",
        marker={"symbol": "square", "size": size, "opacity": 0},
        hovertext=[_hover_text(row, measure) for row in known],
        hoverinfo="text",
        customdata=[[f"{row['cohort_month']:%Y-%m}", str(row["months_since_cohort"])] for row in known],
    )


def _hover_text(row: Row, measure: Measure) -> str:
    retained = f"{row['retained_customers']:,} of {count_text(row['customers'], 'customer')}"
    share = "" if measure == "retention_rate" else " of the first month's MRR"
    place = f"{look.month_label(row['cohort_month'])}, month {row['months_since_cohort']}"
    return f"{place}: {percent(row[measure])}{share} ({retained})"


def funnel(rows: Sequence[Row]) -> go.Figure:
    """Customers in each step, and their share of the step before; the bottleneck has its own colour.

    `rows` are those of funnel_summary, in order; steps that are not available are listed below.
    """
    known = [row for row in rows if row["users"] is not None]
    if not known:
        return look.message_figure("No customer has signed up yet.")
    texts = [_step_text(row) for row in known]
    steps = go.Funnel(
        x=[row["users"] for row in known],
        y=list(range(len(known))),
        text=texts,
        textinfo="text",
        textposition="auto",
        insidetextfont={"color": look.TEXT_ON_COLOUR},
        constraintext="none",
        cliponaxis=False,
        hovertext=[f"{look.plotly_text(row['step'])}: {text}" for row, text in zip(known, texts, strict=True)],
        hoverinfo="text",
        customdata=[[row["step"]] for row in known],
        marker={"color": [ORANGE if row["is_bottleneck"] else TOTAL for row in known]},
        connector={"fillcolor": "rgba(128,128,128,0.15)", "line": {"width": 0}},
    )
    chart = look.figure(
        steps,
        height=look.FRAME_HEIGHT + 52 * max(len(known), 2),
        xaxis={"visible": False},
        yaxis=look.top_down_axis([look.plotly_text(row["step"]) for row in known]),
        bargap=0.15,
    )
    return look.add_note(chart, look.not_available_note([row["step"] for row in rows if row["users"] is None]))


def _step_text(row: Row) -> str:
    if row["conversion_rate"] is None:
        return f"{row['users']:,}"
    text = f"{row['users']:,} of {row['previous_step_users']:,} ({percent(row['conversion_rate'])})"
    return f"{text}, the {BOTTLENECK}" if row["is_bottleneck"] else text


def funnel_by_segment(rows: Sequence[Row]) -> go.Figure:
    """The share of each segment's signups in each step; the bottleneck of each segment is labelled.

    `rows` are those of segment_funnel. Only the largest segments are shown, one per colour of the palette.
    """
    known = [row for row in rows if row["users"] is not None]
    signups = {row["segment"]: row["users"] for row in known if row["step_number"] == 1 and row["users"]}
    if not signups:
        return look.message_figure("No customer has signed up yet.")
    steps = {row["step_number"]: row["step"] for row in sorted(known, key=lambda row: row["step_number"])}
    largest = sorted(signups, key=lambda name: (-signups[name], str(name)))[: len(SERIES)]
    places = {number: place for place, number in enumerate(steps)}
    bars = [
        _segment_bars([row for row in known if row["segment"] == name], signups[name], places, colour)
        for name, colour in zip(largest, SERIES, strict=False)
    ]
    chart = look.figure(
        *bars,
        showlegend=True,
        barmode="group",
        xaxis=look.names_axis([look.wrapped_text(step, 16) for step in steps.values()]) | {"showgrid": False},
        yaxis=look.value_axis([1], "rate", "") | {"range": [0, 1.02], "title": {"text": "Share of signups"}},
    )
    missing_steps = dict.fromkeys(row["step"] for row in rows if row["users"] is None)
    more = len(signups) - len(largest)
    notes = [look.not_available_note(list(missing_steps)), f"{more:,} smaller segments are not shown." if more else ""]
    return look.add_note(chart, " ".join(filter(None, notes)))


def _segment_bars(rows: Sequence[Row], signups: int, places: dict[int, int], colour: str) -> go.Bar:
    name = look.plotly_text(rows[0]["segment"])
    return go.Bar(
        x=[places[row["step_number"]] for row in rows],
        y=[row["users"] / signups for row in rows],
        name=name,
        marker={"color": colour},
        text=[BOTTLENECK if row["is_bottleneck"] else "" for row in rows],
        textposition="inside",
        textangle=-90,
        insidetextfont={"color": look.TEXT_ON_COLOUR},
        hovertext=[
            f"{name}, {look.plotly_text(row['step'])}: {percent(row['users'] / signups)} of signups; {_step_text(row)}"
            for row in rows
        ],
        hoverinfo="text",
        customdata=[[row["step"], str(row["segment"])] for row in rows],
    )
