"""At which month a metric is read, and over how many."""

from __future__ import annotations

from rules.metrics.models import Derived, Metric, MetricCatalog, Trailing

AS_OF, LAST_COMPLETE, CURRENT = "as_of", "last_complete_month", "current"


def months_covered(metric: Metric) -> int:
    """How many months a measured metric adds up, the month it is read at included."""
    return metric.period.trailing_complete_months if isinstance(metric.period, Trailing) else 1


def operand_names(formula: Derived) -> list[str]:
    """The metrics that a derived formula refers to, in the order they stand."""
    names: list[str] = []
    for operand in formula.operands:
        if isinstance(operand, str):
            names.append(operand)
        elif isinstance(operand, Derived):
            names += operand_names(operand)
    return names


def read_at(catalog: MetricCatalog, name: str) -> str:
    """Which month gives the metric's present value.

    A derived metric is read where its most demanding operand is: one flow among them, and all
    are read at the last complete month, so that a month that is half over never divides a whole one.
    """
    metric = catalog.metrics[name]
    if isinstance(metric.formula, Derived):
        places = {read_at(catalog, operand) for operand in operand_names(metric.formula)}
        return LAST_COMPLETE if LAST_COMPLETE in places else AS_OF if AS_OF in places else CURRENT
    return LAST_COMPLETE if isinstance(metric.period, Trailing) else metric.period


def longest_period(catalog: MetricCatalog, name: str) -> int:
    """The most months that the metric or an operand of it covers."""
    metric = catalog.metrics[name]
    if isinstance(metric.formula, Derived):
        return max((longest_period(catalog, operand) for operand in operand_names(metric.formula)), default=1)
    return months_covered(metric)
