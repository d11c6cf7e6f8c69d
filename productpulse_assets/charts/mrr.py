"""How MRR moves: within the last month, over the months, and by which parts of the business."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import accumulate

import ibis.expr.types as ir
import plotly.graph_objects as go
from ibis import _

from productpulse_assets.charts import look
from productpulse_assets.charts.look import Row
from productpulse_assets.charts.palette import GAIN, GREY, LOSS, MAIN, SECOND, TOTAL
from rules.text.formats import change_text, money, value_text

BRIDGE = {
    "opening_revenue": "",
    "new_revenue": "+",
    "reactivation_revenue": "+",
    "expansion_revenue": "+",
    "contraction_revenue": "-",
    "churned_revenue": "-",
}
"""The metrics that the closing MRR is made of, and which way each goes."""

STEPS = ("Opening", "New", "Reactivation", "Expansion", "Contraction", "Churned", "Closing")
MRR, CHURN = "monthly_recurring_revenue", "customer_churn_rate"
NO_MONTH = "No complete month with MRR to show yet."


def bridge(kpi_rows: Mapping[str, Row]) -> dict[str, object] | None:
    """Opening MRR, the month's movements and the closing MRR they add up to; None without a month.

    `kpi_rows` is kpi_summary by metric. `lines` are (its row, '+' or '-'), `closing` is money,
    `month` the month's first day.
    """
    lines = [(kpi_rows[name], sign) for name, sign in BRIDGE.items() if name in kpi_rows]
    if len(lines) < len(BRIDGE) or any(row["value"] is None for row, _sign in lines):
        return None
    closing = sum(row["amount"] * (-1 if sign == "-" else 1) for row, sign in lines)
    return {"lines": lines, "closing": closing, "month": lines[0][0]["period_start"]}


def waterfall(bridge: Mapping[str, object] | None, currency: str) -> go.Figure:
    """From the month's opening MRR through its movements to the closing one."""
    if bridge is None:
        return look.nothing(NO_MONTH)
    moves = [row["amount"] * (-1 if sign == "-" else 1) for row, sign in bridge["lines"]]
    opening, *changes = moves
    said = [money(opening, currency), *(change_text(change, "money", currency) for change in changes)]
    said.append(money(bridge["closing"], currency))
    labels = [look.words(row["label"]) for row, _sign in bridge["lines"]] + ["MRR at the end of the month"]
    bars = go.Waterfall(
        x=list(range(len(STEPS))),
        y=[*map(float, moves), 0],
        measure=["absolute", *["relative"] * len(changes), "total"],
        text=said,
        textposition="outside",
        cliponaxis=False,
        hovertext=[f"{label}: {value}" for label, value in zip(labels, said, strict=True)],
        hoverinfo="text",
        increasing={"marker": {"color": GAIN}},
        decreasing={"marker": {"color": LOSS}},
        totals={"marker": {"color": TOTAL}},
        connector={"line": {"color": GREY, "width": 1}},
    )
    low, high = _window([float(level) for level in accumulate(moves)])
    title = {"text": "MRR (the axis does not begin at 0)" if low > 0 else "MRR"}
    return look.figure(
        bars,
        xaxis=look.names_axis(STEPS) | {"showgrid": False},
        yaxis=look.axis_of(moves, "money", currency) | {"range": [low, high], "title": title},
    )


def _window(levels: Sequence[float]) -> tuple[float, float]:
    """The part of the axis in which the movements can be seen: they are small beside what they move."""
    low, high = min(levels), max(levels)
    spread = (high - low) or abs(high) or 1
    return max(0.0, low - spread), high + 0.3 * spread


def monthly(kpi_history: ir.Table) -> ir.Table:
    """One row per month: mrr at its end (money), and churn, the share of customers lost, of complete months."""
    both = kpi_history.filter(_.metric_name.isin([MRR, CHURN]))
    return (
        both.group_by("month")
        .aggregate(
            mrr=_.amount.max(where=_.metric_name == MRR),
            churn=_.value.max(where=(_.metric_name == CHURN) & _.is_complete),
        )
        .order_by("month")
    )


def mrr_and_churn(rows: Sequence[Row], currency: str) -> go.Figure:
    """MRR as an area, and the share of customers lost each month as a line on an axis of its own."""
    if all(row["mrr"] is None for row in rows):
        return look.nothing("No month with MRR to show.")
    lines = [_mrr_area(rows, currency)]
    if any(row["churn"] is not None for row in rows):
        lines.append(_churn_line(rows))
    right = {"overlaying": "y", "side": "right", "showgrid": False, "rangemode": "tozero", "automargin": True}
    return look.figure(
        *lines,
        showlegend=True,
        xaxis=look.months_axis(len(rows)),
        yaxis=look.axis_of([row["mrr"] for row in rows], "money", currency) | {"rangemode": "tozero"},
        yaxis2=right | look.axis_of([row["churn"] for row in rows], "rate", currency),
    )


def _mrr_area(rows: Sequence[Row], currency: str) -> go.Scatter:
    return go.Scatter(
        x=[row["month"] for row in rows],
        y=[look.number(row["mrr"]) for row in rows],
        name="MRR",
        mode="lines",
        fill="tozeroy",
        fillcolor=look.faint(MAIN),
        line={"color": MAIN, "width": 2},
        hovertext=[f"{look.month(row['month'])}: MRR {value_text(row['mrr'], 'money', currency)}" for row in rows],
        hoverinfo="text",
    )


def _churn_line(rows: Sequence[Row]) -> go.Scatter:
    return go.Scatter(
        x=[row["month"] for row in rows],
        y=[look.number(row["churn"]) for row in rows],
        name="Customer churn (right)",
        mode="lines",
        line={"color": SECOND, "width": 2},
        yaxis="y2",
        hovertext=[f"{look.month(row['month'])}: customer churn {value_text(row['churn'], 'rate')}" for row in rows],
        hoverinfo="text",
    )


def drivers(rows: Sequence[Row], currency: str) -> go.Figure:
    """What each member of one dimension added to the month's change of MRR, or took from it; gains on top."""
    if not rows:
        return look.nothing("No part of the business to compare yet.")
    shown, note = look.shortened(sorted(rows, key=lambda row: (-row["change"], str(row["member"]))), "change")
    changes = [row["change"] for row in shown]
    names = [look.words(row["member"]) for row in shown]
    said = [change_text(change, "money", currency) for change in changes]
    hover = [
        f"{name}: {change}, from {money(row['mrr_before'], currency)} to {money(row['mrr_after'], currency)}"
        for name, change, row in zip(names, said, shown, strict=True)
    ]
    colours = [GAIN if change > 0 else LOSS if change < 0 else GREY for change in changes]
    drawn = look.figure(
        look.level_bars(changes, said, hover, colours),
        height=look.bars_height(len(shown)),
        xaxis=look.axis_of(changes, "money", currency) | look.with_room(changes),
        yaxis=look.downwards(names),
    )
    return look.noted(drawn, note)
