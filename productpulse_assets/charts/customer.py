"""One customer over time: payments, product usage and risk."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping, Sequence

import plotly.graph_objects as go

from productpulse_assets.charts import look
from productpulse_assets.charts.look import Row
from productpulse_assets.charts.palette import GREY, LOSS, MAIN, SECOND, TOTAL, colour_of
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


def score(rows: Sequence[Row], rule_changes: Sequence[dt.date], bands: Mapping[str, float]) -> go.Figure:
    """The risk score of one customer on each as-of date, with a mark where the rules were changed.

    Rows: as_of_date, risk_score, risk_band, main_driver, in order; at least one. `bands` are the floors of the bands.
    """
    line = go.Scatter(
        x=[row["as_of_date"] for row in rows],
        y=[row["risk_score"] for row in rows],
        mode="lines+markers",
        line={"color": TOTAL, "width": 2},
        marker={"size": 8, "color": [colour_of(row["risk_band"]) for row in rows]},
        hovertext=[
            f"{row['as_of_date']}: {row['risk_score']:.2f}, {look.plotly_text(row['risk_band'])}"
            + (f"<br>{look.plotly_text(row['main_driver'])}" if row["main_driver"] else "")
            for row in rows
        ],
        hoverinfo="text",
    )
    chart = look.figure(line, xaxis={"type": "date"}, yaxis={"range": [-0.03, 1.03], "tickformat": ".1f"})
    for name, floor in bands.items():
        if floor > 0:
            chart.add_hline(
                y=floor, line={"color": colour_of(name), "width": 1, "dash": "dot"},
                annotation={"text": look.plotly_text(name), "font": {"size": 10}}, annotation_position="top left",
            )  # fmt: skip
    for day in rule_changes:
        if rows[0]["as_of_date"] < day <= rows[-1]["as_of_date"]:
            chart.add_shape(type="line", x0=day, x1=day, y0=0, y1=1, yref="paper", line={"color": GREY, "dash": "dash"})
            chart.add_annotation(x=day, y=1, yref="paper", text="rules changed", showarrow=False, yanchor="bottom")
    return chart
