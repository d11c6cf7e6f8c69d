"""Marks of events on a chart over time."""

import datetime as dt

import plotly.graph_objects as go
import pytest

from productpulse_assets.charts import look
from productpulse_assets.charts.marks import MARKS_SHOWN, add_marks

MONTHS = [dt.date(2026, 5, 1), dt.date(2026, 6, 1)]


def event(day, text="New prices", dimension=None, member=None):
    return {"date": dt.date.fromisoformat(day), "text": text, "dimension": dimension, "member": member}


def marked(events, where=None, months=MONTHS):
    """The months of the lines, the texts of the marks, and the note below the chart."""
    chart = add_marks(look.figure(go.Scatter(x=months, y=[1] * len(months))), events, months, where)
    *marks, note = chart.layout.annotations or [None]
    return [shape.x0 for shape in chart.layout.shapes], [mark.hovertext for mark in marks], note.text if note else ""


def test_the_events_of_the_charts_months_are_numbered_and_listed_below():
    days = ("2026-06-15", "2026-05-01", "2026-04-30", "2026-07-01")
    events = [event("2026-06-30", "<b>Outage</b>"), *(event(day) for day in days)]
    assert marked(events) == (
        ["2026-05-01", "2026-06-01"],
        ["1 May 2026, New prices", "15 Jun 2026, New prices<br>30 Jun 2026, &lt;b&gt;Outage&lt;/b&gt;"],
        "1: 1 May 2026, New prices. 2: 15 Jun 2026, New prices. 3: 30 Jun 2026, &lt;b&gt;Outage&lt;/b&gt;.",
    )


@pytest.mark.parametrize(
    ("where", "texts"),
    [
        (None, ["All", "Growth", "SMB"]),
        ({"plan": "Growth"}, ["All", "Growth"]),
        ({"plan": "Starter", "segment": "SMB"}, ["All", "SMB"]),
    ],
)
def test_a_chart_about_one_member_has_no_mark_of_another(where, texts):
    events = [
        event("2026-05-05", "All"),
        event("2026-05-06", "Growth", "plan", "Growth"),
        event("2026-05-07", "SMB", "segment", "SMB"),
    ]
    found = [hover.split("<br>") for hover in marked(events, where)[1]]
    assert [text.split(", ")[1].split(" (")[0] for hover in found for text in hover] == texts


def test_of_many_events_the_newest_are_marked_and_without_one_the_chart_is_unchanged():
    days = [f"2026-05-{day:02}" for day in range(1, 20)]
    assert marked([event(day) for day in days])[1][0].count("May 2026") == MARKS_SHOWN
    assert marked([]) == ([], [], "")
    assert marked([event("2026-05-05")], months=[]) == ([], [], "")
