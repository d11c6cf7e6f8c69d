"""How MRR moves: in the last complete month, over the months, and by segment, plan, country or channel."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal
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
"""The metrics whose sum is the closing MRR, and the sign of each; the opening MRR has none."""

STEPS = dict(zip(BRIDGE, ("Opening", "New", "Reactivation", "Expansion", "Contraction", "Churned"), strict=True))
"""The short names of the metrics in the chart; a step besides has its label."""

FX, FX_STEP = "fx_revenue", "Exchange rates"
"""A movement of either sign, which is shown where it is not 0, and its short name."""

CAUSES = {
    f"{whole}_revenue": [f"{whole}_from_{cause}" for cause in ("quantity", "price", "plan", "addon", "discount")]
    for whole in ("expansion", "contraction")
}
"""The metrics that a movement is the sum of."""

MRR, CHURN = "monthly_recurring_revenue", "customer_churn_rate"
NO_MONTH = "There is no complete month with MRR yet."


@dataclass(frozen=True)
class Bridge:
    """Opening MRR and the month's movements, and the closing MRR that they add up to.

    lines: rows of kpi_summary with their signs: '' for the opening MRR, '+' or '-' for a movement. causes: by the
    metric of a movement, the rows of its causes that are not 0.
    """

    lines: Sequence[tuple[Row, str]]
    causes: Mapping[str, Sequence[Row]] = field(default_factory=dict)

    @property
    def all_lines(self) -> list[tuple[Row, str, bool]]:
        """The lines, each with its causes after it: row, sign, and whether it is a cause."""
        return [
            line
            for row, sign in self.lines
            for line in [
                (row, sign, False),
                *(_signed_line(cause, sign) for cause in self.causes.get(row.get("metric_name", ""), ())),
            ]
        ]

    @property
    def month(self) -> date:
        """The first day of the month."""
        day: date = self.lines[0][0]["period_start"]
        return day

    @property
    def closing(self) -> Decimal:
        """MRR at the end of the month."""
        return sum(self.amounts, Decimal(0))

    @property
    def amounts(self) -> list[Decimal]:
        """The opening MRR and the movements, with their signs."""
        return [row["amount"] * (-1 if sign == "-" else 1) for row, sign in self.lines]


def bridge(kpi_rows: Mapping[str, Row]) -> Bridge | None:
    """The bridge of the last complete month; None if one of its metrics has no value.

    `kpi_rows` is kpi_summary by metric.
    """
    lines = [(kpi_rows[name], sign) for name, sign in BRIDGE.items() if name in kpi_rows]
    if len(lines) < len(BRIDGE) or any(row["value"] is None for row, _sign in lines):
        return None
    fx = kpi_rows.get(FX)
    if fx is not None and fx["amount"]:
        lines.append(({**fx, "amount": abs(fx["amount"])}, "+" if fx["amount"] > 0 else "-"))
    known = {whole: [kpi_rows[name] for name in names if name in kpi_rows] for whole, names in CAUSES.items()}
    return Bridge(lines, {whole: [row for row in rows if row["amount"]] for whole, rows in known.items()})


def _signed_line(row: Row, sign: str) -> tuple[Row, str, bool]:
    """A cause with its own sign: one that goes against its movement has the other one."""
    if row["amount"] >= 0:
        return row, sign, True
    return {**row, "amount": -row["amount"]}, "+" if sign == "-" else "-", True


def waterfall(bridge: Bridge | None, currency: str) -> go.Figure:
    """The bridge as a waterfall: opening MRR, each movement, closing MRR."""
    if bridge is None:
        return look.message_figure(NO_MONTH)
    opening, *changes = bridge.amounts
    texts = [money(opening, currency), *(change_text(change, "money", currency) for change in changes)]
    texts.append(money(bridge.closing, currency))
    labels = [look.plotly_text(row["label"]) for row, _sign in bridge.lines] + ["MRR at the end of the month"]
    steps = [_step_name(row) for row, _sign in bridge.lines]
    steps.append("Closing")
    bars = go.Waterfall(
        x=list(range(len(labels))),
        y=[*map(float, bridge.amounts), 0],
        measure=["absolute", *["relative"] * len(changes), "total"],
        text=texts,
        textposition="outside",
        cliponaxis=False,
        hovertext=[
            f"{label}: {text}{more}" for label, text, more in zip(labels, texts, _causes(bridge, currency), strict=True)
        ],
        hoverinfo="text",
        customdata=[[row["metric_name"]] for row, _sign in bridge.lines] + [[MRR]],
        increasing={"marker": {"color": GAIN}},
        decreasing={"marker": {"color": LOSS}},
        totals={"marker": {"color": TOTAL}},
        connector={"line": {"color": GREY, "width": 1}},
    )
    low, high = _window([float(level) for level in accumulate(bridge.amounts)])
    title = {"text": "MRR (the axis does not begin at 0)" if low > 0 else "MRR"}
    return look.figure(
        bars,
        xaxis=look.names_axis(steps) | {"showgrid": False},
        yaxis=look.value_axis(bridge.amounts, "money", currency) | {"range": [low, high], "title": title},
    )


def _step_name(row: Row) -> str:
    """The short name of a movement; its label, in lines, where it has none."""
    return FX_STEP if row["metric_name"] == FX else STEPS.get(row["metric_name"], look.wrapped_text(row["label"], 12))


def _causes(bridge: Bridge, currency: str) -> list[str]:
    """The causes of each bar as lines of its hover text."""
    texts = [""]
    for row, sign, is_cause in bridge.all_lines[1:]:
        if is_cause:
            amount = change_text(row["amount"] * (-1 if sign == "-" else 1), "money", currency)
            texts[-1] += f"<br>{look.plotly_text(row['label'])}: {amount}"
        else:
            texts.append("")
    return [*texts, ""]


def _window(levels: Sequence[float]) -> tuple[float, float]:
    """The part of the axis that shows the movements, which are small compared with the total MRR."""
    low, high = min(levels), max(levels)
    spread = (high - low) or abs(high) or 1
    return max(0.0, low - spread), high + 0.3 * spread


def monthly(kpi_history: ir.Table) -> ir.Table:
    """One row per month: mrr at its end (money), and churn, the churn rate of customers, NULL if it is not complete."""
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
    """MRR as an area, and the rate of customer churn per month as a line with its own axis on the right."""
    if all(row["mrr"] is None for row in rows):
        return look.message_figure("There is no month with MRR yet.")
    lines = [_mrr_area(rows, currency)]
    if any(row["churn"] is not None for row in rows):
        lines.append(_churn_line(rows))
    right = {"overlaying": "y", "side": "right", "showgrid": False, "rangemode": "tozero", "automargin": True}
    return look.figure(
        *lines,
        showlegend=True,
        xaxis=look.months_axis(len(rows)),
        yaxis=look.value_axis([row["mrr"] for row in rows], "money", currency) | {"rangemode": "tozero"},
        yaxis2=right | look.value_axis([row["churn"] for row in rows], "rate", currency),
    )


def _mrr_area(rows: Sequence[Row], currency: str) -> go.Scatter:
    return go.Scatter(
        x=[row["month"] for row in rows],
        y=[look.number(row["mrr"]) for row in rows],
        name="MRR",
        mode="lines",
        fill="tozeroy",
        fillcolor=look.translucent(MAIN),
        line={"color": MAIN, "width": 2},
        hovertext=[
            f"{look.month_label(row['month'])}: MRR {value_text(row['mrr'], 'money', currency)}" for row in rows
        ],
        hoverinfo="text",
        customdata=[[MRR, f"{row['month']:%Y-%m}"] for row in rows],
    )


def _churn_line(rows: Sequence[Row]) -> go.Scatter:
    return go.Scatter(
        x=[row["month"] for row in rows],
        y=[look.number(row["churn"]) for row in rows],
        name="Customer churn (right)",
        mode="lines",
        line={"color": SECOND, "width": 2},
        yaxis="y2",
        hovertext=[
            f"{look.month_label(row['month'])}: customer churn {value_text(row['churn'], 'rate')}" for row in rows
        ],
        hoverinfo="text",
        customdata=[[CHURN, f"{row['month']:%Y-%m}"] for row in rows],
    )


def drivers(rows: Sequence[Row], currency: str) -> go.Figure:
    """The change of MRR of each member of one dimension in the month, the largest gain on top."""
    if not rows:
        return look.message_figure("There is nothing to compare yet.")
    shown, note = look.keep_largest(sorted(rows, key=lambda row: (-row["change"], str(row["member"]))), "change")
    changes = [row["change"] for row in shown]
    names = [look.plotly_text(row["member"]) for row in shown]
    texts = [change_text(change, "money", currency) for change in changes]
    hover = [
        f"{name}: {text}, from {money(row['mrr_before'], currency)} to {money(row['mrr_after'], currency)}"
        for name, text, row in zip(names, texts, shown, strict=True)
    ]
    colours = [GAIN if change > 0 else LOSS if change < 0 else GREY for change in changes]
    chart = look.figure(
        look.horizontal_bars(changes, texts, hover, colours, [[str(row["member"])] for row in shown]),
        height=look.bars_height(len(shown)),
        xaxis=look.value_axis(changes, "money", currency) | look.bar_range(changes),
        yaxis=look.top_down_axis(names),
    )
    return look.add_note(chart, note)
