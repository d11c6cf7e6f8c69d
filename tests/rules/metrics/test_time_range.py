"""Periods as they are written: their months, their words, the ones to compare with, and what the data has of them."""

from __future__ import annotations

import datetime as dt

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rules.metrics.time_range import TimeRange, parse_time_range, range_of_months
from rules.units import month_start
from tests.errors import raises

MONTHS = [month_start(dt.date(2024, 7, 1), later) for later in range(25)]
COMPLETE = MONTHS[:-1]  # July 2026 is not over


def parse(text: str, complete: list[dt.date] = COMPLETE) -> TimeRange:
    return parse_time_range(text, MONTHS, complete, fiscal_start=2)


WHOLE = [
    ("2026-06", "2026-06", "2026-06", "June 2026", "2026-05", "2025-06"),
    ("2026-Q2", "2026-04", "2026-06", "Q2 2026", "2026-Q1", "2025-Q2"),
    ("2025", "2025-01", "2025-12", "2025", "2024", "2024"),
    ("FY2026", "2025-02", "2026-01", "FY2026 (Feb 2025 to Jan 2026)", "FY2025", "FY2025"),
    ("2025-12..2026-02", "2025-12", "2026-02", "December 2025 to February 2026", "2025-09..2025-11",
     "2024-12..2025-02"),
    ("last-3-months", "2026-04", "2026-06", "last 3 months to June 2026", "2026-Q1", "2025-Q2"),
    ("last-1-months", "2026-06", "2026-06", "last complete month, June 2026", "2026-05", "2025-06"),
]  # fmt: skip
PARTS = [
    ("2026-07", "2026-07", "2026-07", "July 2026 so far", True),
    ("this-month", "2026-07", "2026-07", "July 2026 so far", True),
    ("2026-Q3", "2026-07", "2026-07", "Q3 2026 so far (July 2026)", True),
    ("2026", "2026-01", "2026-06", "2026 so far (January to June 2026)", False),
    ("2024", "2024-07", "2024-12", "2024 (July to December 2024; the data begins in July 2024)", False),
    ("last-30-months", "2024-07", "2026-06",
     "last 30 months to June 2026 (July 2024 to June 2026; the data begins in July 2024)", False),
]  # fmt: skip


@pytest.mark.parametrize(("text", "first", "last", "label", "before", "year_ago"), WHOLE)
def test_a_whole_period_has_its_months_and_those_to_compare_with(text, first, last, label, before, year_ago):
    found = parse(text.lower())
    assert (found.name, f"{found.first:%Y-%m}", f"{found.last:%Y-%m}", found.label) == (text, first, last, label)
    assert (found.is_complete, found.is_so_far) == (True, False)
    assert (found.previous().name, found.year_ago().name) == (before, year_ago)


@pytest.mark.parametrize(("text", "first", "last", "label", "is_so_far"), PARTS)
def test_a_period_that_the_data_has_in_part_says_so(text, first, last, label, is_so_far):
    found = parse(text)
    assert (found.name, f"{found.first:%Y-%m}", f"{found.last:%Y-%m}", found.label) == (text, first, last, label)
    assert (found.is_complete, found.is_so_far) == (False, is_so_far)
    assert not found.previous().is_so_far


def test_a_month_that_ends_with_the_data_is_over():
    assert parse("this-month", MONTHS).label == "July 2026" and parse("this-month", MONTHS).is_complete
    assert parse("last-2-months", MONTHS).label == "last 2 months to July 2026"


@pytest.mark.parametrize("text", ["June", "2026-13", "2026-Q5", "0000", "last-0-months", "2026-05..2026-04", "FY26"])
def test_another_text_is_refused(text):
    with raises("metric.period_format"):
        parse(text)


def test_a_period_without_data_is_refused():
    with raises("metric.unknown_period"):
        parse("2020")
    with raises("metric.no_complete_month"):
        parse("last-3-months", [])


@given(st.integers(1, 36), st.integers(0, 600), st.integers(1, 12))
def test_a_range_of_months_is_read_back_from_its_name_and_touches_the_one_before(length, later, fiscal_start):
    first = month_start(dt.date(1990, 1, 1), later)
    found = range_of_months(first, month_start(first, length - 1))
    months = [month_start(found.first, each) for each in range(length)]
    assert parse_time_range(found.name, months, months, fiscal_start) == found
    before, year_ago = found.previous(), found.year_ago()
    assert (before.length, month_start(before.last, 1)) == (length, found.first)
    assert (year_ago.length, month_start(year_ago.first, 12)) == (length, found.first)
    assert [month for each in found.trend(3) for month in each.months] == [
        month_start(found.last, -back) for back in reversed(range(3 * length))
    ]
