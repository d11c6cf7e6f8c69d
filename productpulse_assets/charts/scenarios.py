"""What could be gained if an assumption came true."""

from __future__ import annotations

from collections.abc import Sequence

import plotly.graph_objects as go

from productpulse_assets.charts import look
from productpulse_assets.charts.look import Row
from productpulse_assets.charts.palette import MAIN, SECOND, TOTAL
from rules.text.formats import money


def impact(rows: Sequence[Row], currency: str) -> go.Figure:
    """What each scenario brings in twelve months, with its low and high; beside it what the chosen assumption brings.

    Rows: label, default, low and high (money; default None if the scenario is not available), chosen
    (money or None).
    """
    known = [row for row in rows if row["default"] is not None]
    unknown = look.left_out([row["label"] for row in rows if row["default"] is None])
    if not known:
        return look.nothing(unknown or "There is no scenario to show.")
    chosen = [row for row in known if row["chosen"] is not None]
    names = [look.words(row["label"]) for row in known]
    bars = [_default_bars(known, names, currency)]
    if chosen:
        places = [place for place, row in enumerate(known) if row["chosen"] is not None]
        bars.append(_chosen_bars(chosen, places, currency))
    amounts = [row[column] for row in known for column in ("default", "chosen", "low", "high")]
    drawn = look.figure(
        *bars,
        barmode="group",
        showlegend=bool(chosen),
        height=look.bars_height(len(known) * (2 if chosen else 1)) + 30,
        xaxis=look.axis_of(amounts, "money", currency)
        | look.with_room(amounts)
        | {"title": {"text": "In twelve months"}},
        yaxis=look.downwards(
            [f"{name}<br>{_range_words(row, currency)}" for name, row in zip(names, known, strict=True)]
        ),
    )
    return look.noted(drawn, unknown)


def _default_bars(rows: Sequence[Row], names: Sequence[str], currency: str) -> go.Bar:
    bars = look.level_bars(
        [row["default"] for row in rows],
        [""] * len(rows),  # said beside the name: here it would lie under the range
        [f"{name}: {_range_words(row, currency)}" for name, row in zip(names, rows, strict=True)],
        TOTAL,
    )
    return bars.update(
        name="As the rules assume",
        error_x={
            "type": "data",
            "array": [_beyond(row["high"], row["default"]) for row in rows],
            "arrayminus": [_beyond(row["default"], row["low"]) for row in rows],
            "color": MAIN,
            "thickness": 2,
            "width": 6,
        },
    )


def _chosen_bars(rows: Sequence[Row], places: Sequence[int], currency: str) -> go.Bar:
    said = [money(row["chosen"], currency) for row in rows]
    hover = [f"{look.words(row['label'])}, as chosen: {amount}" for row, amount in zip(rows, said, strict=True)]
    return look.level_bars([row["chosen"] for row in rows], said, hover, SECOND).update(
        name="As chosen", y=list(places)
    )


def _range_words(row: Row, currency: str) -> str:
    words = money(row["default"], currency)
    if row["low"] is None or row["high"] is None:
        return words
    return f"{words} ({money(row['low'], currency)} to {money(row['high'], currency)})"


def _beyond(larger: object, smaller: object) -> float:
    """How far one end of the range is from the bar's; 0 where it is not known."""
    return 0.0 if larger is None or smaller is None else max(0.0, float(larger - smaller))
