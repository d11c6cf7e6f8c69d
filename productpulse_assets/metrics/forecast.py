"""The forecast of MRR and customers, and how well the same forecast did in the past."""

from __future__ import annotations

import datetime as dt
import math
from collections.abc import Sequence
from typing import NamedTuple

import ibis
import ibis.expr.types as ir
from ibis import _

from productpulse_assets.metrics.forecasting import (
    LARGEST_ERROR,
    LEAST_MONTHS,
    YEAR,
    Flow,
    Method,
    Outlook,
    mean_error,
    no_change,
    outlook,
    past_errors,
    straight_line,
    waterfall,
)
from productpulse_assets.tables import Rows, table
from resources.tables import rows_of
from rules.text.formats import count_text, percent
from rules.units import month_start

FORECAST_SCHEMA = ibis.schema(
    {
        "measure": "string",
        "month": "date",
        "months_ahead": "int64",
        "value": "float64",
        "low": "float64",
        "high": "float64",
        "past_error": "float64",
        "not_available_reason": "string",
    }
)
BACKTEST_SCHEMA = ibis.schema(
    {
        "measure": "string",
        "months_ahead": "int64",
        "origins": "int64",
        "forecast_error": "float64",
        "no_change_error": "float64",
        "straight_line_error": "float64",
        "best_method": "string",
        "last_error": "float64",
        "is_last_largest": "boolean",
    }
)
MEASURES = {
    "mrr": ("mrr_start", ("mrr_new", "mrr_reactivation"), "mrr_end"),
    "customers": ("paying_start", ("is_new", "is_reactivated"), "paying_end"),
}
"""What is forecast: the columns of customer_months with its start, what is added, and its end."""

HORIZONS = (1, 3, 6, 12)
NOTABLE_ERROR = 0.01
"""A smaller error is not called large, even if it is the largest."""

METHODS: dict[str, Method] = {"forecast": waterfall, "no_change": no_change, "straight_line": straight_line}


class _Past(NamedTuple):
    """The complete months of a company: the first day of the last one, and the flows of each measure."""

    last: dt.date | None
    flows: dict[str, list[Flow]]


@table(group="metrics", owner="team:finance", key=("measure", "month"), schema=FORECAST_SCHEMA)
def revenue_forecast(customer_months: ir.Table) -> Rows:
    """One row per measure (mrr, customers) and month, 1 to 12 months after the last complete month.

    value is expected at the month's end: what is there decays at the retention of the last 12 months, and
    customers and MRR are added as in these months. low and high contain the outcome in 80 % of the cases, by the
    errors of the same forecast at earlier months; past_error is their mean, as a share. All three are NULL with
    fewer than 5 such months. value is NULL where it cannot be forecast, with the reason. mrr is money in the
    reporting currency.
    """
    past = past_flows(customer_months)
    return [row for measure, flows in past.flows.items() for row in forecast_rows(measure, flows, past.last)]


@table(group="metrics", owner="team:finance", key=("measure", "months_ahead"), schema=BACKTEST_SCHEMA)
def forecast_backtest(customer_months: ir.Table) -> Rows:
    """One row per measure and horizon of 1, 3, 6 and 12 months: the forecast's error in the past, beside simpler ones.

    The forecast is repeated at each earlier month with what was before it, and compared with what came: origins is the
    number of these months, an error the mean of the relative differences, in [0, inf). no_change is the last value,
    straight_line the trend of the last 12 months continued. best_method has the smallest error. last_error is that of
    the forecast for the last complete month, as a share of what was forecast: negative where less came.
    is_last_largest: it is 1 % or more and larger than every error before, so that the interval may be too narrow.
    Errors are NULL with fewer than 5 origins.
    """
    past = past_flows(customer_months)
    return [row for measure, flows in past.flows.items() for row in backtest_rows(measure, flows)]


def past_flows(customer_months: ir.Table) -> _Past:
    """What came and went in each complete month."""
    needed = {name for start, added, end in MEASURES.values() for name in (start, *added, end)}
    totals = {name: _[name].sum().cast("float64" if name.startswith("mrr") else "int64") for name in sorted(needed)}
    months = customer_months.filter(_.is_complete).group_by("month").aggregate(**totals)
    rows = rows_of(months.order_by("month"))
    flows = {
        measure: [Flow(row[start], sum(row[name] for name in added), row[end]) for row in rows]
        for measure, (start, added, end) in MEASURES.items()
    }
    return _Past(rows[-1]["month"] if rows else None, flows)


def forecast_rows(measure: str, flows: Sequence[Flow], last: dt.date | None) -> Rows:
    """The rows of one measure; none where no month is complete."""
    if last is None:
        return []
    found = outlook(flows)
    return [_forecast_row(measure, month_start(last, ahead), ahead, found, flows) for ahead in range(1, YEAR + 1)]


def _forecast_row(
    measure: str, month: dt.date, ahead: int, found: Outlook | None, flows: Sequence[Flow]
) -> dict[str, object]:
    row: dict[str, object] = dict.fromkeys(FORECAST_SCHEMA) | {
        "measure": measure, "month": month, "months_ahead": ahead
    }  # fmt: skip
    if found is None:
        return row | {"not_available_reason": _too_little(flows)}
    error = mean_error(found.errors[ahead - 1])
    if error is not None and error > LARGEST_ERROR:
        return row | {"past_error": error, "not_available_reason": _too_uncertain(error, ahead)}
    digits = 2 if measure == "mrr" else 1
    numbers = {"value": found.values[ahead - 1], "low": found.low[ahead - 1], "high": found.high[ahead - 1]}
    rounded = {name: None if number is None else round(number, digits) for name, number in numbers.items()}
    return row | rounded | {"past_error": error}


def _too_little(flows: Sequence[Flow]) -> str:
    if flows[-1].end <= 0:
        return "There is no paying customer at the end of the last complete month."
    return (
        f"The data has {count_text(len(flows), 'complete month')}; a forecast needs {LEAST_MONTHS + 1}, so that it "
        "shows what came and went."
    )


def _too_uncertain(error: float, ahead: int) -> str:
    months = count_text(ahead, "month")
    return f"Not forecastable: forecasts of {months} made at earlier months were wrong by {percent(error)} on average."


def backtest_rows(measure: str, flows: Sequence[Flow]) -> Rows:
    """The rows of one measure."""
    errors = {name: past_errors(flows, method) for name, method in METHODS.items()}
    return [_backtest_row(measure, ahead, errors) for ahead in HORIZONS]


def _backtest_row(measure: str, ahead: int, errors: dict[str, list[tuple[float, ...]]]) -> dict[str, object]:
    means = {name: mean_error(found[ahead - 1]) for name, found in errors.items()}
    known = {name: error for name, error in means.items() if error is not None}
    *before, last = errors["forecast"][ahead - 1] or (0.0,)
    is_known = means["forecast"] is not None
    return {
        "measure": measure,
        "months_ahead": ahead,
        "origins": len(errors["forecast"][ahead - 1]),
        **{f"{name}_error": error for name, error in means.items()},
        "best_method": min(known, key=lambda name: known[name]) if known else None,
        "last_error": math.expm1(last) if is_known else None,
        "is_last_largest": abs(last) > max(NOTABLE_ERROR, *map(abs, before)) if is_known else None,
    }
