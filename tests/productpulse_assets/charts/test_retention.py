"""The charts of cohorts and funnels."""

import datetime as dt

import pytest

from productpulse_assets.charts import retention
from productpulse_assets.charts.palette import ORANGE, TOTAL

STEPS = ("Signup", "First Key Action", "Activated", "Paid", "Retained Month 1")


def cell(month, after, retained, customers, mrr_rate=1.0):
    return {
        "cohort_month": dt.date(2026, month, 1), "months_since_cohort": after, "customers": customers,
        "retained_customers": retained, "retention_rate": retained / customers, "mrr_retention_rate": mrr_rate,
    }  # fmt: skip


COHORTS = [cell(5, 0, 10, 10), cell(4, 1, 15, 20, 1.2), cell(4, 0, 20, 20)]


def test_cells_of_months_after_the_as_of_date_are_empty():
    figure = retention.cohort_heat_map(COHORTS)
    cells, marks = figure.data
    assert [list(line) for line in cells.z] == [[1.0, 0.75], [1.0, None]]
    assert list(figure.layout.yaxis.ticktext) == ["Apr 2026", "May 2026"]
    assert cells.hovertext[0][1] == "Apr 2026, month 1: 75.0 % (15 of 20 customers)"
    assert cells.hovertext[1][1] == "" and cells.text[1][1] == ""
    opened = [list(keys) for keys in marks.customdata]  # by a click on the mark in a cell
    assert opened == [["2026-05", "0"], ["2026-04", "1"], ["2026-04", "0"]]
    assert (list(marks.x), list(marks.y), marks.marker.opacity) == ([0, 1, 0], [1, 0, 0], 0)


def test_the_second_measure_is_mrr_retention():
    cells, _marks = retention.cohort_heat_map(COHORTS, "mrr_retention_rate").data
    assert cells.z[0][1] == 1.2
    assert "120.0 % of the first month's MRR" in cells.hovertext[0][1]


def test_a_heat_map_of_many_months_has_no_numbers_in_its_cells():
    cells, _marks = retention.cohort_heat_map([cell(1, after, 5, 10) for after in range(30)]).data
    assert cells.text is None and len(cells.hovertext[0]) == 30


def steps(*users, segment="SMB", bottleneck=3):
    before = [None, *users]
    return [
        {
            "segment": segment, "step_number": place, "step": STEPS[place - 1], "users": count,
            "previous_step_users": previous, "is_bottleneck": place == bottleneck,
            "conversion_rate": count / previous if count is not None and previous else None,
        }
        for place, (count, previous) in enumerate(zip(users, before, strict=False), start=1)
    ]  # fmt: skip


def test_the_funnel_shows_counts_conversion_and_the_bottleneck():
    figure = retention.funnel(steps(1000, 900, 300, 290))
    (bars,) = figure.data
    assert list(bars.x) == [1000, 900, 300, 290]
    assert list(bars.text[:3]) == ["1,000", "900 of 1,000 (90.0 %)", "300 of 900 (33.3 %), the bottleneck"]
    assert list(bars.marker.color) == [TOTAL, TOTAL, ORANGE, TOTAL]


def test_steps_that_are_not_available_are_listed_and_not_shown_as_0():
    figure = retention.funnel(steps(1000, None, None, bottleneck=0))
    assert list(figure.data[0].x) == [1000]
    assert figure.layout.annotations[0].text == "Not available: First Key Action, Activated."


def test_segments_are_compared_by_share_of_signups():
    rows = steps(10, 8, 2) + steps(100, 90, 80, segment="<b>Big</b>", bottleneck=2)
    figure = retention.funnel_by_segment(rows)
    assert [bars.name for bars in figure.data] == ["&lt;b&gt;Big&lt;/b&gt;", "SMB"]
    assert list(figure.data[1].y) == pytest.approx([1, 0.8, 0.2])
    assert list(figure.data[1].text) == ["", "", "bottleneck"]
    assert figure.data[0].hovertext[2] == "&lt;b&gt;Big&lt;/b&gt;, Activated: 80.0 % of signups; 80 of 90 (88.9 %)"
