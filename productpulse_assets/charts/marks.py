"""What happened, as marks on a chart over time: a new price, a campaign, an outage."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping, Sequence

import plotly.graph_objects as go

from productpulse_assets.charts import look
from productpulse_assets.charts.look import Row
from productpulse_assets.charts.palette import GREY
from rules.text.formats import NAME_LIMIT, one_line

MARKS_SHOWN = 8
"""The largest number of marks on a chart, the newest ones."""


def add_marks(
    chart: go.Figure, events: Sequence[Row], months: Sequence[dt.date], where: Mapping[str, str] | None = None
) -> go.Figure:
    """Draw the events in a chart's months as numbered lines at their month, and list them with their days below it.

    A month's value stands at its first day and covers all of its days, so that a line on the day itself would come
    after the value that it explains. Events: date, text, dimension and member, the last two NULL for one about
    everything. With `where` (the member by dimension that the chart is about) an event about another member, or
    another dimension, is left out.
    """
    shown = _in_view(events, months, where)[-MARKS_SHOWN:] if months else []
    numbered = list(enumerate(map(_text, shown), start=1))
    for month in dict.fromkeys(event["date"].replace(day=1) for event in shown):
        here = [each for each, event in zip(numbered, shown, strict=True) if event["date"].replace(day=1) == month]
        place = {"x": month.isoformat(), "yref": "paper", "yanchor": "top"}
        line = {"color": GREY, "width": 1, "dash": "dot"}
        chart.add_shape(type="line", x0=place["x"], x1=place["x"], y0=0, y1=1, yref="paper", line=line, layer="below")
        chart.add_annotation(
            **place, y=1, text=", ".join(str(number) for number, _text in here), showarrow=False,
            hovertext="<br>".join(look.plotly_text(text) for _number, text in here),
            bordercolor=GREY, borderwidth=1, borderpad=1, font={"size": 10},
        )  # fmt: skip
    return look.add_note(chart, " ".join(f"{number}: {text}." for number, text in numbered))


def _in_view(events: Sequence[Row], months: Sequence[dt.date], where: Mapping[str, str] | None) -> list[Row]:
    """The events in the chart's months and about its members, oldest first."""
    last = max(months)
    end = dt.date(last.year + last.month // 12, last.month % 12 + 1, 1)
    found = [event for event in events if min(months) <= event["date"] < end and _is_about(event, where)]
    return sorted(found, key=lambda event: (event["date"], str(event["text"])))


def _is_about(event: Row, where: Mapping[str, str] | None) -> bool:
    return not where or event["dimension"] is None or where.get(event["dimension"]) == event["member"]


def _text(event: Row) -> str:
    """`10 Mar 2026, Campaign for the spring (Paid Search)`."""
    about = f" ({one_line(event['member'], NAME_LIMIT)})" if event["member"] else ""
    return f"{event['date']:%-d %b %Y}, {one_line(event['text'], NAME_LIMIT)}{about}"
