"""Months and billing periods, by the calendar."""

import ibis
import pytest

from productpulse_assets.facts.billing import whole_months, with_billed_period
from resources.tables import table_of
from rules.units import months_later
from tests.builders import day, rows


def dates(**values):
    return table_of([{name: day(value) for name, value in values.items()}], ibis.schema(dict.fromkeys(values, "date")))


@pytest.mark.parametrize(
    ("first", "months", "later"),
    [
        ("2026-01-31", 1, "2026-02-28"),
        ("2024-01-31", 1, "2024-02-29"),
        ("2026-01-31", 2, "2026-03-31"),
        ("2026-03-15", 0, "2026-03-15"),
        ("2026-11-30", 3, "2027-02-28"),
        ("2024-02-29", 12, "2025-02-28"),
    ],
)
def test_months_later_keeps_the_day_or_takes_the_months_last(first, months, later):
    table = dates(first=first)
    assert rows(table.select(later=months_later(table.first, ibis.literal(months))), "later") == [(later,)]


@pytest.mark.parametrize(
    ("first", "last", "months"),
    [
        ("2026-01-31", "2026-01-31", 0),
        ("2026-01-31", "2026-02-27", 0),
        ("2026-01-31", "2026-02-28", 1),
        ("2026-01-31", "2026-03-30", 1),
        ("2026-01-31", "2026-03-31", 2),
        ("2025-12-15", "2026-01-14", 0),
        ("2025-12-15", "2026-12-15", 12),
    ],
)
def test_whole_months_are_those_gone_by_in_full(first, last, months):
    table = dates(first=first, last=last)
    assert rows(table.select(months=whole_months(table["first"], table["last"])), "months") == [(months,)]


@pytest.mark.parametrize(
    ("cycle", "start", "end", "event", "period"),
    [
        ("Monthly", "2026-01-10", None, "2026-03-09", ("2026-02-10", "2026-03-10")),
        ("Monthly", "2026-01-10", None, "2026-03-10", ("2026-03-10", "2026-04-10")),
        ("Monthly", "2026-01-31", None, "2026-02-28", ("2026-02-28", "2026-03-31")),
        ("Quarterly", "2026-01-10", None, "2026-06-30", ("2026-04-10", "2026-07-10")),
        ("Annual", "2024-01-10", None, "2026-01-09", ("2025-01-10", "2026-01-10")),
        (None, "2026-01-10", None, "2026-06-30", ("2026-06-10", "2026-07-10")),
        ("Monthly", "2026-01-10", None, "2026-01-03", ("2026-01-10", "2026-02-10")),  # before the start
        ("Monthly", "2026-01-10", "2026-04-10", "2026-04-12", ("2026-03-10", "2026-04-10")),  # after the end
        ("Monthly", "2026-01-10", "2026-04-10", "2026-04-10", ("2026-03-10", "2026-04-10")),
        ("Monthly", "2026-01-10", "2026-01-10", "2026-01-10", ("2026-01-10", "2026-02-10")),  # ended as it began
    ],
)
def test_an_event_belongs_to_the_billing_period_of_its_day(cycle, start, end, event, period):
    events = dates(start_date=start, end_date=end, paid_on=event).mutate(billing_cycle=ibis.literal(cycle, "string"))
    placed = with_billed_period(events, "paid_on")
    assert rows(placed, "period_start", "period_end") == [period]
    assert placed.columns == (*events.columns, "period_start", "period_end")
