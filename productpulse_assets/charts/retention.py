"""How signup cohorts hold, and where new customers get stuck."""

from __future__ import annotations

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
"""Months and cohorts up to which a cell has room for its number."""

LABELLED = 36
"""Cohorts that have room for their names."""

BOTTLENECK = "bottleneck"


def cohort_heat_map(rows: Sequence[Row], measure: Measure = "retention_rate") -> go.Figure:
    """Cohorts from top to bottom, months from left to right: which share of the first month's is still there.

    `rows` are those of cohort_summary of one segment. Cells that no cohort has reached yet stay empty.
    """
    known = [row for row in rows if row[measure] is not None]
    if not known:
        return look.nothing("No cohort of paying customers to show.")
    cohorts = sorted({row["cohort_month"] for row in known})
    months = max(row["months_since_cohort"] for row in known) + 1
    cells = {(row["cohort_month"], row["months_since_cohort"]): row for row in known}
    grid = [[cells.get((cohort, number)) for number in range(months)] for cohort in cohorts]
    has_text = months <= TEXT_CELLS and len(cohorts) <= TEXT_CELLS
    rates = [row[measure] for row in known]
    map_ = go.Heatmap(
        z=[[row and row[measure] for row in line] for line in grid],
        hovertext=[[_told(row, measure) if row else "" for row in line] for line in grid],
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
        map_,
        height=90 + size * max(len(cohorts), 4),
        xaxis={"title": {"text": "Months since the first payment"}, "showgrid": False, "zeroline": False}
        | {"tickmode": "linear", "dtick": max(1, math.ceil(months / 24)), "range": [-0.5, months - 0.5]},
        yaxis=look.downwards([look.month(cohort) for cohort in cohorts], every=math.ceil(len(cohorts) / LABELLED)),
    )


def _told(row: Row, measure: Measure) -> str:
    kept = f"{row['retained_customers']:,} of {count_text(row['customers'], 'customer')}"
    share = "" if measure == "retention_rate" else " of the first month's MRR"
    place = f"{look.month(row['cohort_month'])}, month {row['months_since_cohort']}"
    return f"{place}: {percent(row[measure])}{share} ({kept})"


def funnel(rows: Sequence[Row]) -> go.Figure:
    """How many customers get to each step, out of how many that could; the bottleneck is named."""
    known = [row for row in rows if row["users"] is not None]
    if not known:
        return look.nothing("No customer has signed up.")
    said = [_step_words(row) for row in known]
    steps = go.Funnel(
        x=[row["users"] for row in known],
        y=list(range(len(known))),
        text=said,
        textinfo="text",
        textposition="auto",
        insidetextfont={"color": look.ON_COLOUR},
        constraintext="none",
        cliponaxis=False,
        hovertext=[f"{look.words(row['step'])}: {text}" for row, text in zip(known, said, strict=True)],
        hoverinfo="text",
        marker={"color": [ORANGE if row["is_bottleneck"] else TOTAL for row in known]},
        connector={"fillcolor": "rgba(128,128,128,0.15)", "line": {"width": 0}},
    )
    drawn = look.figure(
        steps,
        height=look.FRAME_HEIGHT + 52 * max(len(known), 2),
        xaxis={"visible": False},
        yaxis=look.downwards([look.words(row["step"]) for row in known]),
        bargap=0.15,
    )
    return look.noted(drawn, look.left_out([row["step"] for row in rows if row["users"] is None]))


def _step_words(row: Row) -> str:
    if row["conversion_rate"] is None:
        return f"{row['users']:,}"
    words = f"{row['users']:,} of {row['previous_step_users']:,} ({percent(row['conversion_rate'])})"
    return f"{words}, the {BOTTLENECK}" if row["is_bottleneck"] else words


def funnel_by_segment(rows: Sequence[Row]) -> go.Figure:
    """The share of each segment's signups that gets to each step; each segment's bottleneck is named.

    `rows` are those of segment_funnel. The largest segments only, as many as there are colours.
    """
    known = [row for row in rows if row["users"] is not None]
    signups = {row["segment"]: row["users"] for row in known if row["step_number"] == 1 and row["users"]}
    if not signups:
        return look.nothing("No customer has signed up.")
    steps = {row["step_number"]: row["step"] for row in sorted(known, key=lambda row: row["step_number"])}
    largest = sorted(signups, key=lambda name: (-signups[name], str(name)))[: len(SERIES)]
    places = {number: place for place, number in enumerate(steps)}
    bars = [
        _segment_bars([row for row in known if row["segment"] == name], signups[name], places, colour)
        for name, colour in zip(largest, SERIES, strict=False)
    ]
    drawn = look.figure(
        *bars,
        showlegend=True,
        barmode="group",
        xaxis=look.names_axis([look.wrapped(step, 16) for step in steps.values()]) | {"showgrid": False},
        yaxis=look.axis_of([1], "rate", "") | {"range": [0, 1.02], "title": {"text": "Share of signups"}},
    )
    lacking = dict.fromkeys(row["step"] for row in rows if row["users"] is None)
    more = len(signups) - len(largest)
    notes = [look.left_out(list(lacking)), f"{more:,} smaller segments are not drawn." if more else ""]
    return look.noted(drawn, " ".join(filter(None, notes)))


def _segment_bars(rows: Sequence[Row], signups: int, places: dict[int, int], colour: str) -> go.Bar:
    name = look.words(rows[0]["segment"])
    return go.Bar(
        x=[places[row["step_number"]] for row in rows],
        y=[row["users"] / signups for row in rows],
        name=name,
        marker={"color": colour},
        text=[BOTTLENECK if row["is_bottleneck"] else "" for row in rows],
        textposition="inside",
        textangle=-90,
        insidetextfont={"color": look.ON_COLOUR},
        hovertext=[
            f"{name}, {look.words(row['step'])}: {percent(row['users'] / signups)} of signups; {_step_words(row)}"
            for row in rows
        ],
        hoverinfo="text",
    )
