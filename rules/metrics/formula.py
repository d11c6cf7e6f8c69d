"""A metric's formula in words, from the definition that it is computed from."""

from __future__ import annotations

from rules.metrics.models import Condition, Derived, Formula, Measure, MetricCatalog, PeriodName, Ratio, Trailing

AGGREGATION_WORDS = {
    "sum": "sum of {}",
    "mean": "mean of {}",
    "count": "count of {}",
    "count_distinct": "number of different {}",
    "min": "smallest {}",
    "max": "largest {}",
}
SYMBOLS = {"add": " + ", "subtract": " - ", "multiply": " × ", "divide": " / "}
PERIOD_WORDS: dict[PeriodName, str] = {
    "as_of": "at the as-of date",
    "last_complete_month": "in the last complete month",
    "current": "now",
}


def formula_words(catalog: MetricCatalog, name: str) -> str:
    """The formula with its period: `sum of mrr_retained_12m / sum of mrr_12m_ago, in the last complete month`."""
    metric = catalog.metrics[name]
    words = _formula(metric.formula)
    return f"{words}, {period_words(metric.period)}" if metric.period else words


def period_words(period: PeriodName | Trailing) -> str:
    """The months that a measure or ratio covers, for example `over the last 3 complete months`."""
    if isinstance(period, Trailing):
        return f"over the last {period.trailing_complete_months} complete months"
    return PERIOD_WORDS[period]


def _formula(formula: Formula) -> str:
    if isinstance(formula, Measure):
        return measure_words(formula)
    if isinstance(formula, Ratio):
        return f"{measure_words(formula.numerator)} / {measure_words(formula.denominator)}"
    if formula.combination == "complement":
        return f"1 - {_operand(formula.operands[0])}"
    return SYMBOLS[formula.combination].join(_operand(operand) for operand in formula.operands)


def _operand(operand: str | float | int | Derived) -> str:
    return f"({_formula(operand)})" if isinstance(operand, Derived) else str(operand)


def measure_words(measure: Measure) -> str:
    """A measure with its filter, for example `sum of mrr_end where plan equals Scale`."""
    words = AGGREGATION_WORDS[measure.aggregation].format(measure.column)
    if not measure.where:
        return words
    return f"{words} where {' and '.join(_condition(condition) for condition in measure.where)}"


def _condition(condition: Condition) -> str:
    value = condition.value
    shown = "" if value is None else " " + (", ".join(map(str, value)) if isinstance(value, tuple) else str(value))
    return f"{condition.column} {condition.operator.replace('_', ' ')}{shown}"
