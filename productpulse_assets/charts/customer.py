"""One customer over time: payments and product usage."""

from __future__ import annotations

from collections.abc import Sequence

import plotly.graph_objects as go

from productpulse_assets.charts import look
from productpulse_assets.charts.look import Row
from productpulse_assets.charts.palette import LOSS, MAIN, SECOND, TOTAL
from rules.text.formats import money


def revenue(rows: Sequence[Row], currency: str) -> go.Figure:
    """MRR at the end of each month as a line; collected and failed payments as bars.

    `rows` are one customer's rows of customer_months, in order. A column that is NULL in every month, since its
    dataset is absent, has no line or bars.
    """
    bar_columns = {"amount_collected": ("Collected", TOTAL), "amount_failed": ("Failed", LOSS)}
    known = {column: [row for row in rows if row[column] is not None] for column in ("mrr_end", *bar_columns)}
    if not any(known.values()):
        return look.message_figure("No revenue is recorded for this customer.")
    bars = [
        go.Bar(
            x=[row["month"] for row in known[column]],
            y=[float(row[column]) for row in known[column]],
            name=name,
            marker={"color": colour},
            hovertext=[_hover_text(row, name, money(row[column], currency)) for row in known[column]],
            hoverinfo="text",
        )
        for column, (name, colour) in bar_columns.items()
        if known[column]
    ]
    line = go.Scatter(
        x=[row["month"] for row in known["mrr_end"]],
        y=[float(row["mrr_end"]) for row in known["mrr_end"]],
        name="MRR",
        mode="lines+markers",
        line={"color": MAIN, "width": 2, "shape": "hvh"},
        marker={"size": 5},
        hovertext=[_hover_text(row, "MRR", money(row["mrr_end"], currency)) for row in known["mrr_end"]],
        hoverinfo="text",
    )
    amounts = [row[column] for column, known_rows in known.items() for row in known_rows]
    return look.figure(
        *bars,
        line,
        showlegend=True,
        barmode="stack",
        xaxis=look.months_axis(len(rows)),
        yaxis=look.value_axis(amounts, "money", currency) | {"rangemode": "tozero"},
    )


def usage(rows: Sequence[Row]) -> go.Figure:
    """Logins and key actions per week.

    Rows: week (its first day), logins, key_actions (counts).
    """
    if all(row["logins"] is None and row["key_actions"] is None for row in rows):
        return look.message_figure("No product usage is recorded for this customer.")
    lines = [_usage_line(rows, "logins", "Logins", MAIN), _usage_line(rows, "key_actions", "Key actions", SECOND)]
    return look.figure(
        *lines,
        showlegend=True,
        xaxis={"type": "date", "showgrid": False},
        yaxis={"rangemode": "tozero", "tickformat": ",~f", "title": {"text": "Per week"}},
    )


def _usage_line(rows: Sequence[Row], column: str, name: str, colour: str) -> go.Scatter:
    return go.Scatter(
        x=[row["week"] for row in rows],
        y=[look.number(row[column]) for row in rows],
        name=name,
        mode="lines+markers",
        line={"color": colour, "width": 2},
        marker={"size": 5},
        hovertext=[
            ""
            if row[column] is None
            else f"Week of {row['week'].day} {look.month_label(row['week'])}: {name} {row[column]:,}"
            for row in rows
        ],
        hoverinfo="text",
    )


def _hover_text(row: Row, name: str, amount: str) -> str:
    return f"{look.month_label(row['month'])}: {name} {amount}"
