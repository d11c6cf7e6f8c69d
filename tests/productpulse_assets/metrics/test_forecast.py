"""The forecast: by hand for a constant company, its errors at earlier months, and companies with too little data."""

from __future__ import annotations

import datetime as dt

import numpy as np
import pytest

from productpulse_assets.metrics.forecast import backtest_rows, forecast_rows
from productpulse_assets.metrics.forecasting import LEAST_ORIGINS, Flow, half_width, outlook, past_errors, waterfall

JUNE = dt.date(2026, 6, 1)


def history(months: int, *, start: float = 1000, retention: float = 0.9, added: float = 150) -> list[Flow]:
    """A company that keeps and adds the same every month."""
    flows, level = [Flow(0, start, start)], start
    for _month in range(months - 1):
        flows.append(Flow(level, added, level * retention + added))
        level = flows[-1].end
    return flows


def test_a_company_that_changes_steadily_goes_on_so():
    past = history(22)
    ahead = history(22 + 12)[22:]
    assert waterfall(past) == pytest.approx([month.end for month in ahead])
    found = outlook(past)
    assert found.low == pytest.approx(found.values) and found.high == pytest.approx(found.values)


def test_without_churn_and_without_anything_new_it_is_flat():
    rows = forecast_rows("mrr", history(22, retention=1, added=0), JUNE)
    assert {(row["value"], row["low"], row["high"]) for row in rows} == {(1000.0, 1000.0, 1000.0)}
    assert [row["month"] for row in rows][::11] == [dt.date(2026, 7, 1), dt.date(2027, 6, 1)]


def test_half_of_the_growth_of_what_is_added_goes_on():
    flows, level = [Flow(0, 100, 100)], 100.0
    for month in range(24):
        flows.append(Flow(level, 10 if month < 12 else 20, level + (10 if month < 12 else 20)))
        level = flows[-1].end
    # Twice as much as the year before: it grows by the square root of 2 a year from the middle of this year on.
    first = waterfall(flows)[0] - level
    assert first == pytest.approx(20 * 2 ** (0.5 * 6.5 / 12))


def test_a_forecast_made_earlier_sees_nothing_of_what_came_later():
    past = history(12)
    changed = [*past[:9], *(Flow(month.start, 0, 1.0) for month in past[9:])]
    assert past_errors(changed, waterfall)[0][: 9 - 5] == past_errors(past[:9], waterfall)[0]


def test_the_interval_needs_five_earlier_forecasts_and_does_not_shrink():
    random = np.random.default_rng(3)
    flows = [Flow(0, 1000, 1000.0)]
    for _month in range(30):
        end = flows[-1].end * random.normal(0.97, 0.02) + 40
        flows.append(Flow(flows[-1].end, 40, end))
    rows = forecast_rows("mrr", flows, JUNE)
    widths = [round(row["high"] / row["low"], 4) for row in rows]
    assert widths == sorted(widths)
    few = forecast_rows("mrr", flows[:12], JUNE)
    assert [row["low"] is None for row in few] == [False, False, False, *[True] * 9]
    assert half_width([0.1, -0.2, 0.3, 0.1]) is None and half_width([0.1, -0.2, 0.3, 0.1, 0.0]) == 0.3


@pytest.mark.parametrize(
    ("flows", "reason"),
    [
        (history(4), "The data has 4 complete months; a forecast needs 5, so that it shows what came and went."),
        ([*history(8), Flow(1000, 0, 0)], "There is no paying customer at the end of the last complete month."),
    ],
)
def test_too_little_to_say(flows, reason):
    rows = forecast_rows("customers", flows, JUNE)
    assert {(row["value"], row["low"], row["not_available_reason"]) for row in rows} == {(None, None, reason)}


def test_what_was_never_foreseen_is_not_forecast():
    flows = [Flow(0, 10, 10.0)]
    for month in range(20):
        end = 10.0 if month % 2 else 100.0
        flows.append(Flow(flows[-1].end, 0, end))
    row = forecast_rows("mrr", flows, JUNE)[0]
    assert row["value"] is None and row["past_error"] > 0.5
    assert row["not_available_reason"].startswith("Not forecastable: forecasts of 1 month made at earlier months were")


def test_no_complete_month_has_no_rows():
    assert forecast_rows("mrr", [], None) == []


def test_the_backtest_says_which_method_was_best():
    line = [Flow(0, 1000, 1000.0)]
    for _month in range(20):
        line.append(Flow(line[-1].end, 50, line[-1].end + 50))
    rows = backtest_rows("mrr", line)
    assert [(row["months_ahead"], row["origins"]) for row in rows] == [(1, 16), (3, 14), (6, 11), (12, 5)]
    assert all(row["forecast_error"] == pytest.approx(0, abs=1e-12) for row in rows)
    # The value before the first of 3 months was 150 less than what it came to, 1,350 at the first origin.
    errors = [150 / (1000 + 50 * (origin + 2)) for origin in range(5, 19)]
    assert rows[1]["no_change_error"] == pytest.approx(sum(errors) / len(errors))
    assert {row["best_method"] for row in backtest_rows("mrr", line[: 5 + LEAST_ORIGINS - 1])} == {None}


def test_a_last_month_like_none_before_is_marked():
    past = history(22)
    assert {row["is_last_largest"] for row in backtest_rows("mrr", past)[:3]} == {False}
    expected = waterfall(past)[0]
    fallen = [*past, Flow(past[-1].end, 150, 0.7 * expected)]
    first = backtest_rows("mrr", fallen)[0]
    assert first["is_last_largest"] and first["last_error"] == pytest.approx(-0.3)
    few = backtest_rows("mrr", history(LEAST_ORIGINS + 4))[0]
    assert (few["last_error"], few["is_last_largest"]) == (None, None)
