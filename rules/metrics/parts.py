"""The measures that a metric is computed from, and how each enters its value, through all arithmetic on metrics."""

from __future__ import annotations

from dataclasses import dataclass, replace
from fractions import Fraction
from functools import reduce

from rules.metrics.compile import Use, own_measures
from rules.metrics.models import Derived, Measure, MetricCatalog, Ratio

VALUE, NUMERATOR, DENOMINATOR = "value", "numerator", "denominator"


@dataclass(frozen=True)
class Part:
    """A measure of a metric, and how it enters the value.

    side: the value itself, or the numerator or denominator of a fraction. own_side: the same within its own metric.
    unit: that of an amount. weight: what an amount is multiplied by to add up to that side; None where the side is no
    sum of it, such as a mean or a fraction of fractions.
    """

    side: str
    metric_name: str
    own_side: str
    use: Use
    unit: str
    weight: Fraction | None


def metric_parts(catalog: MetricCatalog, name: str) -> list[Part]:
    """The measures that a metric is computed from, through all arithmetic on other metrics."""
    metric = catalog.metrics[name]
    if isinstance(metric.formula, Derived):
        return _of_arithmetic(catalog, metric.formula)
    uses = own_measures(metric)
    if isinstance(metric.formula, Ratio):
        sides = (NUMERATOR, DENOMINATOR)
        return [
            Part(side, name, side, use, use.measure.unit, _weight(use.measure))
            for side, use in zip(sides, uses, strict=True)
        ]
    return [Part(VALUE, name, VALUE, uses[0], metric.unit, _weight(uses[0].measure))]


def _weight(measure: Measure) -> Fraction | None:
    return Fraction(1) if measure.aggregation in ("sum", "count", "count_distinct") else None


def _of_arithmetic(catalog: MetricCatalog, formula: Derived) -> list[Part]:
    """The parts of the operands, weighted by what the arithmetic makes of them."""
    if formula.combination == "divide":
        top, bottom = formula.operands
        if isinstance(bottom, int | float):
            return _scaled(_of_operand(catalog, top), 1 / _number(bottom) if bottom else None)
        return [
            *_on_side(_of_operand(catalog, top), NUMERATOR),
            *_on_side(_of_operand(catalog, bottom), DENOMINATOR),
        ]
    if formula.combination == "multiply":
        factors = [operand for operand in formula.operands if isinstance(operand, int | float)]
        others = [operand for operand in formula.operands if not isinstance(operand, int | float)]
        factor = reduce(lambda left, right: left * _number(right), factors, Fraction(1)) if len(others) == 1 else None
        return [part for operand in others for part in _scaled(_of_operand(catalog, operand), factor)]
    sign_of_others = Fraction(-1 if formula.combination == "subtract" else 1)
    signs = [Fraction(1), *[sign_of_others] * (len(formula.operands) - 1)]
    has_number = any(isinstance(operand, int | float) for operand in formula.operands)
    is_sum = formula.combination in ("add", "subtract") and not has_number
    return [
        part
        for sign, operand in zip(signs, formula.operands, strict=True)
        for part in _scaled(_of_operand(catalog, operand), sign if is_sum else None)
    ]


def _number(value: float) -> Fraction:
    """The number as it is written in the catalog."""
    return Fraction(str(value))


def _of_operand(catalog: MetricCatalog, operand: str | float | int | Derived) -> list[Part]:
    if isinstance(operand, Derived):
        return _of_arithmetic(catalog, operand)
    return metric_parts(catalog, operand) if isinstance(operand, str) else []


def _scaled(parts: list[Part], factor: Fraction | None) -> list[Part]:
    """The parts as those of `factor` times their value. A fraction as an operand is no sum of its rows."""
    return [
        replace(part, weight=part.weight * factor)
        if factor is not None and part.weight is not None and part.side == VALUE
        else replace(part, side=VALUE, weight=None)
        for part in parts
    ]


def _on_side(parts: list[Part], side: str) -> list[Part]:
    return [replace(part, side=side, weight=part.weight if part.side == VALUE else None) for part in parts]


def sides_that_add_up(catalog: MetricCatalog, name: str) -> list[str]:
    """The sides of a metric, of VALUE, NUMERATOR and DENOMINATOR, that the contributions of its rows add up to."""
    parts = metric_parts(catalog, name)
    sides = dict.fromkeys(part.side for part in parts)
    return [side for side in sides if all(part.weight is not None for part in parts if part.side == side)]


def is_present_only(catalog: MetricCatalog, name: str) -> bool:
    """Whether the metric is computed from tables that have the present state alone."""
    return any(part.use.is_snapshot for part in metric_parts(catalog, name))
