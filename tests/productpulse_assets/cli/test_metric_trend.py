"""A trend by slice: the worst member first, and since when it is the worst."""

from __future__ import annotations

import datetime as dt

from productpulse_assets.cli.metric_trend import trend_lines
from rules.metrics.time_range import range_of_months
from tests.graph import RULES

RANGES = range_of_months(dt.date(2026, 3, 1), dt.date(2026, 3, 1)).trend(3)
VALUES = {"Pro": [0.9, 0.7, 0.6], "Free": [0.8, 0.8, 0.9], "New": [None, None, 0.95], "None": [None, None, None]}
ROWS = [
    {"plan": plan, "period": each.name, "value": value}
    for plan, values in VALUES.items()
    for each, value in zip(RANGES, values, strict=True)
]


def test_the_worst_member_is_first_and_says_since_when():
    metric = RULES.metric_catalog.metrics["net_revenue_retention"]
    assert list(trend_lines(RANGES, ROWS, "plan", metric, "USD")) == [
        "  plan  2026-01  2026-02  2026-03",
        "  Pro    90.0 %   70.0 %   60.0 %",
        "  Free   80.0 %   80.0 %   90.0 %",
        "  New         –        –   95.0 %",
        "  Worst in March 2026: Pro, since February 2026.",
    ]
    churn = RULES.metric_catalog.metrics["customer_churn_rate"]
    assert list(trend_lines(RANGES, ROWS, "plan", churn, "USD"))[-1] == "  Worst in March 2026: New, since March 2026."
