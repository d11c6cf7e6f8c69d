"""The month at which a metric is read, and the number of months that it covers."""

from __future__ import annotations

from rules.metrics.models import Derived, Metric, MetricCatalog, Trailing

AS_OF, LAST_COMPLETE, CURRENT = "as_of", "last_complete_month", "current"


def months_covered(metric: Metric) -> int:
    """The number of months that a measure or ratio covers, with the month at which it is read."""
    return metric.period.trailing_complete_months if isinstance(metric.period, Trailing) else 1


def operand_names(formula: Derived) -> list[str]:
    """The metrics that a derived formula refers to, in the order of the formula."""
    names: list[str] = []
    for operand in formula.operands:
        if isinstance(operand, str):
            names.append(operand)
        elif isinstance(operand, Derived):
            names += operand_names(operand)
    return names


def read_at(catalog: MetricCatalog, name: str) -> str:
    """The month that has the metric's current value: AS_OF, LAST_COMPLETE or CURRENT.

    If one operand of a derived metric is read at the last complete month, all of them are, so that a value of an
    incomplete month is never divided by one of a complete month.
    """
    metric = catalog.metrics[name]
    if isinstance(metric.formula, Derived):
        places = {read_at(catalog, operand) for operand in operand_names(metric.formula)}
        return LAST_COMPLETE if LAST_COMPLETE in places else AS_OF if AS_OF in places else CURRENT
    if metric.period is None or isinstance(metric.period, Trailing):  # only derived metrics have no period
        return LAST_COMPLETE
    return metric.period


def longest_period(catalog: MetricCatalog, name: str) -> int:
    """The largest number of months that the metric or one of its operands covers."""
    metric = catalog.metrics[name]
    if isinstance(metric.formula, Derived):
        return max((longest_period(catalog, operand) for operand in operand_names(metric.formula)), default=1)
    return months_covered(metric)
