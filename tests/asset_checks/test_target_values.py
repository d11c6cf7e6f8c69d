"""Targets of rates that are written in percent."""

import pytest

from asset_checks.target_values import percent_targets
from tests.builders import dataset
from tests.graph import RULES


def problems(metric_name, value):
    row = {"metric_name": metric_name, "target_value": value, "date": "2026-06-01"}
    return percent_targets(dataset("targets", row), RULES.metric_catalog)


@pytest.mark.parametrize(
    ("metric", "value", "lines"),
    [
        ("customer_churn_rate", 5, ["Customer churn 5 (1 rows)"]),
        ("Churn Rate", 1, ["Customer churn 1 (1 rows)"]),
        ("customer_churn_rate", 0.05, []),
        ("net_revenue_retention", 110, ["Net revenue retention (12 months) 110 (1 rows)"]),
        ("net_revenue_retention", 1.1, []),
        ("monthly_recurring_revenue", 300000, []),
    ],
)
def test_a_rate_of_more_than_it_can_be_is_in_percent(metric, value, lines):
    assert problems(metric, value) == lines
