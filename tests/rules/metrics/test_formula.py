"""A formula in words says what the same definition computes."""

import pytest

from rules.metrics.formula import formula_words, measure_words, period_words
from rules.metrics.models import Measure, MetricCatalog
from tests.graph import RULES

GOVERNANCE = {
    "category": "Revenue", "unit": "money", "owner": "team:finance", "definition": "d", "purpose": "p",
    "interpretation": "i", "risk_if_misread": "r", "good_direction": "up",
}  # fmt: skip


def words(formula, period=None):
    """The words for a formula, beside two metrics that it may refer to."""
    measured = {"model": "sales", "period": "as_of", "formula": {"sum": "amount"}}
    places = {"model": "sales", "period": period} if period else {}
    metrics = {"a": measured, "b": measured, "wanted": {"formula": formula, **places}}
    labelled = {name: {**GOVERNANCE, "label": name, **content} for name, content in metrics.items()}
    return formula_words(MetricCatalog.model_validate({"activation_threshold": 5, "metrics": labelled}), "wanted")


@pytest.mark.parametrize(
    ("formula", "said"),
    [
        ({"sum": "amount"}, "sum of amount"),
        ({"mean": "amount"}, "mean of amount"),
        ({"count": "amount"}, "count of amount"),
        ({"count_distinct": "plan"}, "number of different plan"),
        ({"min": "amount"}, "smallest amount"),
        ({"max": "amount"}, "largest amount"),
    ],
)
def test_aggregations(formula, said):
    assert measure_words(Measure.model_validate(formula)) == said


@pytest.mark.parametrize(
    ("conditions", "said"),
    [
        ([("plan", "equals", "Scale")], "plan equals Scale"),
        ([("plan", "not_in", ["A", "B"])], "plan not in A, B"),
        ([("seats", "between", [1, 5])], "seats between 1, 5"),
        ([("plan", "is_missing", None)], "plan is missing"),
        ([("seats", "greater_or_equal", 3), ("is_new", "is_true", None)], "seats greater or equal 3 and is_new is true"),
    ],
)  # fmt: skip
def test_filters(conditions, said):
    where = [
        {"column": column, "operator": operator, "value": value}
        if value is not None
        else {"column": column, "operator": operator}
        for column, operator, value in conditions
    ]
    assert measure_words(Measure.model_validate({"sum": "amount", "where": where})) == f"sum of amount where {said}"


@pytest.mark.parametrize(
    ("period", "said"),
    [
        ("as_of", "at the as-of date"),
        ("last_complete_month", "in the last complete month"),
        ("current", "now"),
        ({"trailing_complete_months": 3}, "over the last 3 complete months"),
    ],
)
def test_periods(period, said):
    assert words({"sum": "amount"}, period) == f"sum of amount, {said}"


def test_a_ratio():
    ratio = {"numerator": {"sum": "amount"}, "denominator": {"count": "customer_id"}}
    assert words({"ratio": ratio}, "as_of") == "sum of amount / count of customer_id, at the as-of date"


@pytest.mark.parametrize(
    ("formula", "said"),
    [
        ({"add": ["a", "b", 1]}, "a + b + 1"),
        ({"subtract": ["a", "b"]}, "a - b"),
        ({"multiply": ["a", 12]}, "a × 12"),
        ({"divide": ["a", "b"]}, "a / b"),
        ({"complement": "a"}, "1 - a"),
        ({"divide": [{"subtract": ["a", {"add": ["b", 2]}]}, "a"]}, "(a - (b + 2)) / a"),
        ({"complement": {"divide": ["a", "b"]}}, "1 - (a / b)"),
    ],
)
def test_arithmetic_names_its_operands_and_keeps_its_brackets(formula, said):
    assert words(formula) == said


def test_the_catalogs_own_formulas():
    catalog = RULES.metric_catalog
    assert formula_words(catalog, "gross_revenue_retention") == (
        "sum of mrr_retained_12m / sum of mrr_12m_ago, in the last complete month"
    )
    assert formula_words(catalog, "quick_ratio") == (
        "(new_revenue + reactivation_revenue + expansion_revenue) / (contraction_revenue + churned_revenue)"
    )
    assert period_words(catalog.metrics["failed_payments"].period) == "over the last 3 complete months"
