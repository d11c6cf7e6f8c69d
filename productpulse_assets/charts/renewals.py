"""The calendar of renewals: what is up for renewal in each month, by account owner."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence

import plotly.graph_objects as go

from productpulse_assets.charts import look
from productpulse_assets.charts.look import Row
from productpulse_assets.charts.palette import SERIES
from rules.text.formats import count_text, value_text

OTHERS = "Other account owners"


def renewal_calendar(rows: Sequence[Row], currency: str) -> go.Figure:
    """MRR up for renewal in each month, stacked by account owner.

    `rows` have month, account_owner, mrr and terms. The owners with the most MRR have a colour of their own.
    """
    months = sorted({row["month"] for row in rows})
    totals: dict[str, float] = {}
    for row in rows:
        totals[row["account_owner"]] = totals.get(row["account_owner"], 0.0) + float(row["mrr"])
    ranked = sorted(totals, key=lambda owner: (-totals[owner], owner))
    own = ranked if len(ranked) <= len(SERIES) else ranked[: len(SERIES) - 1]
    bars = [_bar(months, rows, {owner}, owner, colour, currency) for owner, colour in zip(own, SERIES, strict=False)]
    if len(own) < len(ranked):
        bars.append(_bar(months, rows, set(ranked) - set(own), OTHERS, SERIES[-1], currency))
    return look.figure(
        *bars,
        showlegend=True,
        barmode="stack",
        xaxis={"type": "category", "showgrid": False},
        yaxis={"title": {"text": "MRR up for renewal"}} | look.value_axis(totals.values(), "money", currency),
    )


def _bar(
    months: Sequence[dt.date], rows: Sequence[Row], owners: set[str], name: str, colour: str, currency: str
) -> go.Bar:
    labels, amounts, texts = [], [], []
    for month in months:
        found = [row for row in rows if row["month"] == month and row["account_owner"] in owners]
        mrr, terms = sum(float(row["mrr"]) for row in found), sum(row["terms"] for row in found)
        label = look.month_label(month)
        labels.append(label)
        amounts.append(mrr)
        worth = value_text(mrr, "money", currency)
        texts.append(f"{look.plotly_text(name)}, {label}: {worth} in {count_text(terms, 'contract')}")
    return go.Bar(
        x=labels, y=amounts, name=look.plotly_text(name), marker={"color": colour}, hovertext=texts, hoverinfo="text"
    )
