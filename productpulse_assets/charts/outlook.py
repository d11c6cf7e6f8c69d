"""What is expected: MRR and customers of the coming months, and for how long customers stay."""

from __future__ import annotations

from collections.abc import Sequence

import plotly.graph_objects as go

from productpulse_assets.charts import look
from productpulse_assets.charts.look import Row
from productpulse_assets.charts.palette import MAIN, SECOND, SERIES
from rules.text.formats import count_text, percent, value_text

MRR = "mrr"
MEASURES = {
    MRR: ("MRR", "monthly_recurring_revenue", "money"),
    "customers": ("Paying customers", "paying_customers", "count"),
}
"""What revenue_forecast forecasts: the label, the metric with its past, and the unit."""

MONTHS_AHEAD, MONTHS_BEFORE = 6, 24
"""The horizon that sentences are about, and the complete months of the past in a chart."""

NO_CURVE = "No customer has paid for a month yet."


def forecast(past: Sequence[Row], coming: Sequence[Row], measure: str, currency: str) -> go.Figure:
    """The complete months of the past as a line, and the coming ones as a dashed one within their interval.

    `past` has month and value, `coming` are the rows of revenue_forecast of the measure that have a value.
    """
    label, _metric, unit = MEASURES[measure]
    if not past or not coming:
        return look.message_figure("There are too few months to look ahead.")
    months = [row["month"] for row in coming]
    last = past[-1]
    actual = go.Scatter(
        x=[row["month"] for row in past],
        y=[look.number(row["value"]) for row in past],
        name=label,
        mode="lines",
        line={"color": MAIN, "width": 2},
        hovertext=[f"{look.month_label(row['month'])}: {value_text(row['value'], unit, currency)}" for row in past],
        hoverinfo="text",
    )
    expected = go.Scatter(
        x=[last["month"], *months],
        y=[look.number(last["value"]), *(look.number(row["value"]) for row in coming)],
        name="Expected",
        mode="lines",
        line={"color": SECOND, "width": 2, "dash": "dash"},
        hovertext=["", *(_expected_hover(row, unit, currency) for row in coming)],
        hoverinfo="text",
    )
    shown = [*past, *coming]
    return look.figure(
        *_interval(last, [row for row in coming if row["low"] is not None]),
        actual,
        expected,
        showlegend=True,
        xaxis=look.months_axis(len(shown)),
        yaxis=look.value_axis([row["value"] for row in shown], unit, currency) | {"rangemode": "tozero"},
    )


def _expected_hover(row: Row, unit: str, currency: str) -> str:
    text = f"{look.month_label(row['month'])}: {value_text(row['value'], unit, currency)} expected"
    if row["low"] is None:
        return text
    return f"{text}, 80 %: {value_text(row['low'], unit, currency)} to {value_text(row['high'], unit, currency)}"


def _interval(last: Row, coming: Sequence[Row]) -> list[go.Scatter]:
    """The area between low and high, from the last actual month on; nothing where no interval is known."""
    if not coming:
        return []
    months = [last["month"], *(row["month"] for row in coming)]
    edges = {
        side: [look.number(last["value"]), *(look.number(row[side]) for row in coming)] for side in ("low", "high")
    }
    return [
        go.Scatter(x=months, y=edges["low"], mode="lines", line={"width": 0}, hoverinfo="skip", showlegend=False),
        go.Scatter(
            x=months, y=edges["high"], mode="lines", line={"width": 0}, hoverinfo="skip", fill="tonexty",
            fillcolor=look.translucent(SECOND), name="80 % of cases",
        ),
    ]  # fmt: skip


def expected_text(row: Row, currency: str) -> str:
    """A row of revenue_forecast as a sentence: what is expected, and between what in 80 % of cases."""
    label, _metric, unit = MEASURES[row["measure"]]
    name = label if label.isupper() else label.lower()
    month = f"{row['month']:%B %Y}"
    if row["value"] is None:
        return f"{label} in {month}: not available. {row['not_available_reason']}"
    verb = "is" if unit == "money" else "are"
    value = value_text(row["value"], unit, currency)
    text = (
        f"At the end of {month}, {count_text(row['months_ahead'], 'month')} ahead, {name} {verb} expected to be {value}"
    )
    if row["low"] is None:
        return f"{text}. There are too few earlier months to say how sure that is."
    low, high = (value_text(row[side], unit, currency) for side in ("low", "high"))
    return f"{text}, in 80 % of cases between {low} and {high}."


SIMPLER = {"no_change": "no change", "straight_line": "a straight line"}
"""The simpler ways of forecast_backtest in words."""


def past_errors_text(row: Row) -> str:
    """A row of forecast_backtest as sentences: by how much earlier forecasts were off, beside two simpler ways."""
    ahead = count_text(row["months_ahead"], "month")
    if row["forecast_error"] is None:
        return f"There are too few earlier months to check a forecast {ahead} ahead."
    errors = {words: row[f"{name}_error"] for name, words in SIMPLER.items()}
    known = ", ".join(f"{words} by {percent(error)}" for words, error in errors.items() if error is not None)
    text = f"{row['origins']:,} earlier forecasts {ahead} ahead were off by {percent(row['forecast_error'])} on average"
    text += f"; {known}." if known else "."
    if best := SIMPLER.get(row["best_method"]):
        text += f" In the past, {best} was nearer."
    if row["is_last_largest"]:
        side = "less" if row["last_error"] < 0 else "more"
        text += f" The last one was off by more than all before: {percent(abs(row['last_error']))} {side} came. "
        text += "The interval may be too narrow."
    return text


def survival(rows: Sequence[Row], *, largest: Sequence[str] = ()) -> go.Figure:
    """The share of customers who still pay by months since the first payment, a line per member; projected ages dashed.

    `rows` are those of survival_projection of one dimension. `largest` are the members to show, the largest first.
    """
    if not rows:
        return look.message_figure(NO_CURVE)
    members = list(largest)[: len(SERIES)]
    lines = []
    for member, colour in zip(members, SERIES, strict=False):
        curve = sorted((row for row in rows if row["member"] == member), key=lambda row: row["age_months"])
        seen = [row for row in curve if not row["is_projected"]]
        ahead = [*seen[-1:], *(row for row in curve if row["is_projected"])]
        lines.append(_curve(member, seen, colour))
        if len(ahead) > 1:
            lines.append(_curve(member, ahead, colour, is_projected=True))
    chart = look.figure(
        *lines,
        showlegend=True,
        xaxis={"title": {"text": "Months since the first payment"}, "showgrid": False, "zeroline": False},
        yaxis={"tickformat": ".0%", "range": [0, 1.02]},
    )
    hidden = len(largest) - len(members)
    return look.add_note(chart, f"{hidden:,} smaller ones are not shown." if hidden > 0 else "")


def _curve(member: str, rows: Sequence[Row], colour: str, *, is_projected: bool = False) -> go.Scatter:
    name, kind = look.plotly_text(member), " (projected)" if is_projected else ""
    return go.Scatter(
        x=[row["age_months"] for row in rows],
        y=[row["survival"] for row in rows],
        name=name,
        mode="lines",
        line={"color": colour, "width": 2, "dash": "dot" if is_projected else "solid"},
        showlegend=not is_projected,
        hovertext=[
            f"{name}, {count_text(row['age_months'], 'month')}: {percent(row['survival'])} still pay{kind}"
            for row in rows
        ],
        hoverinfo="text",
    )
