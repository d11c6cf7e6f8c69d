"""What the business would gain if an assumption came true."""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal
from typing import TypedDict

import plotly.graph_objects as go

from productpulse_assets.charts import look
from productpulse_assets.charts.palette import MAIN, SECOND, TOTAL
from rules.text.formats import money


class ScenarioImpact(TypedDict):
    """A scenario's impact in twelve months, as money.

    default: by the assumption in the rules, None if the scenario is not available; low, high: its range;
    chosen: by the user's assumption, None if there is none.
    """

    label: str
    default: Decimal | None
    low: Decimal | None
    high: Decimal | None
    chosen: Decimal | None


def impact(rows: Sequence[ScenarioImpact], currency: str) -> go.Figure:
    """The impact of each scenario in twelve months with its range, and that of the user's assumption next to it."""
    known = [row for row in rows if row["default"] is not None]
    not_available = look.not_available_note([row["label"] for row in rows if row["default"] is None])
    if not known:
        return look.message_figure(not_available or "There is no scenario to show.")
    has_choice = any(row["chosen"] is not None for row in known)
    names = [look.plotly_text(row["label"]) for row in known]
    bars = [_default_bars(known, names, currency)]
    if has_choice:
        bars.append(_chosen_bars(known, names, currency))
    amounts = [amount for row in known for amount in (row["default"], row["chosen"], row["low"], row["high"])]
    chart = look.figure(
        *bars,
        barmode="group",
        showlegend=has_choice,
        height=look.bars_height(len(known) * (2 if has_choice else 1)) + 30,
        xaxis=look.value_axis(amounts, "money", currency)
        | look.bar_range(amounts)
        | {"title": {"text": "In twelve months"}},
        yaxis=look.top_down_axis(
            [f"{name}<br>{_range_text(row, currency)}" for name, row in zip(names, known, strict=True)]
        ),
    )
    return look.add_note(chart, not_available)


def _default_bars(rows: Sequence[ScenarioImpact], names: Sequence[str], currency: str) -> go.Bar:
    bars = look.horizontal_bars(
        [row["default"] for row in rows],
        [""] * len(rows),  # the amount is next to the name: at the bar, the error bar would cross it
        [f"{name}: {_range_text(row, currency)}" for name, row in zip(names, rows, strict=True)],
        TOTAL,
    )
    return bars.update(
        name="Default assumption",
        error_x={
            "type": "data",
            "array": [_difference(row["high"], row["default"]) for row in rows],
            "arrayminus": [_difference(row["default"], row["low"]) for row in rows],
            "color": MAIN,
            "thickness": 2,
            "width": 6,
        },
    )


def _chosen_bars(rows: Sequence[ScenarioImpact], names: Sequence[str], currency: str) -> go.Bar:
    chosen = {place: row["chosen"] for place, row in enumerate(rows) if row["chosen"] is not None}
    texts = [money(amount, currency) for amount in chosen.values()]
    hover = [f"{names[place]}, your assumption: {text}" for place, text in zip(chosen, texts, strict=True)]
    return look.horizontal_bars(list(chosen.values()), texts, hover, SECOND).update(
        name="Your assumption", y=list(chosen)
    )


def _range_text(row: ScenarioImpact, currency: str) -> str:
    default, low, high = (row["default"], row["low"], row["high"])
    text = "" if default is None else money(default, currency)
    return text if low is None or high is None else f"{text} ({money(low, currency)} to {money(high, currency)})"


def _difference(larger: Decimal | None, smaller: Decimal | None) -> float:
    """The length of an error bar; 0 if an end of the range is not known."""
    return 0.0 if larger is None or smaller is None else max(0.0, float(larger - smaller))
