"""Validation of the metric catalog: references between metrics, and columns of the tables that they aggregate."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path

import ibis.expr.types as ir

from rules.loading.problems import Problem, refuse
from rules.metrics.compile import own_measures
from rules.metrics.models import Derived, Measure, Metric, MetricCatalog
from rules.metrics.periods import CURRENT, operand_names
from rules.operators import type_problem

COUNTING = ("count", "count_distinct")
"""Aggregations of a column of any type; the others need a number."""


def check_references(catalog: MetricCatalog, path: Path) -> None:
    """Raise RulesError for every metric that refers to an unknown metric or to itself."""
    refuse(path, _reference_problems(catalog))


def check_models(catalog: MetricCatalog, models: Mapping[str, ir.Table], path: Path) -> None:
    """Raise RulesError for every metric that cannot be computed from the model tables."""
    metrics = catalog.metrics.items()
    refuse(path, (problem for name, metric in metrics for problem in _metric_problems(name, metric, models)))


def _reference_problems(catalog: MetricCatalog) -> Iterator[Problem]:
    known = ", ".join(catalog.metrics)
    for name, metric in catalog.metrics.items():
        if metric.counted_by and metric.counted_by not in catalog.metrics:
            yield Problem("rules.unknown_metric", f"metrics > {name} > counted_by", f"is '{metric.counted_by}'", known)
        if not isinstance(metric.formula, Derived):
            continue
        place = f"metrics > {name} > formula"
        unknown = [operand for operand in operand_names(metric.formula) if operand not in catalog.metrics]
        for operand in unknown:
            yield Problem("rules.unknown_metric", place, f"there is no metric '{operand}'", known)
        if not operand_names(metric.formula):
            yield Problem("rules.formula_without_metric", place, f"refers to no metric; name at least one of: {known}")
    # A cycle is found once for each metric that leads into it; it is one mistake.
    found = [cycle for name in catalog.metrics if (cycle := _cycle(catalog, name, ()))]
    for cycle in {frozenset(cycle): cycle for cycle in reversed(found)}.values():
        message = f"refers to itself through {' > '.join(cycle)}; name other metrics"
        yield Problem("rules.formula_cycle", f"metrics > {cycle[0]} > formula", message)
    yield from _name_problems(catalog)


def _name_problems(catalog: MetricCatalog) -> Iterator[Problem]:
    """A target may refer to a metric by its name, label or alias, so each of these must belong to one metric."""
    owners = {name: name for name in catalog.metrics}
    for name, metric in catalog.metrics.items():
        for field, texts in (("label", [metric.label]), ("aliases", metric.aliases)):
            for text in texts:
                owner = owners.setdefault(text.casefold(), name)
                if owner != name:
                    message = f"'{text}' already names {owner}"
                    yield Problem("rules.name_taken", f"metrics > {name} > {field}", message, "a different name")


def _cycle(catalog: MetricCatalog, name: str, path: tuple[str, ...]) -> tuple[str, ...] | None:
    if name in path:
        return (*path[path.index(name) :], name)
    metric = catalog.metrics.get(name)
    if metric is None or not isinstance(metric.formula, Derived):
        return None
    found = (_cycle(catalog, operand, (*path, name)) for operand in operand_names(metric.formula))
    return next((cycle for cycle in found if cycle), None)


def _metric_problems(name: str, metric: Metric, models: Mapping[str, ir.Table]) -> Iterator[Problem]:
    if metric.model is None:  # a derived metric
        return
    where = f"metrics > {name}"
    if metric.model not in models:
        yield Problem("rules.unknown_model", f"{where} > model", f"is '{metric.model}'", ", ".join(models))
        return
    model = models[metric.model]
    if metric.period != CURRENT and "month" not in model.columns:
        yield Problem("rules.wrong_period", f"{where} > period", f"{metric.model} has no months", "current")
    if metric.period == CURRENT and "month" in model.columns:
        accepted = "as_of, last_complete_month, trailing_complete_months"
        message = f"{metric.model} has a row for every month"
        yield Problem("rules.wrong_period", f"{where} > period", message, accepted)
    for use in own_measures(metric):
        yield from _measure_problems(f"{where} > formula", use.measure, metric.model, model)


def _measure_problems(place: str, item: Measure, name: str, model: ir.Table) -> Iterator[Problem]:
    accepted = ", ".join(model.columns)
    if item.column not in model.columns:
        yield Problem("rules.unknown_column", place, f"{name} has no column '{item.column}'", accepted)
    elif item.aggregation not in COUNTING and not model[item.column].type().is_numeric():
        numbers = ", ".join(column for column in model.columns if model[column].type().is_numeric())
        message = f"{item.aggregation} needs a number; '{item.column}' is {model[item.column].type()}"
        yield Problem("rules.wrong_type", place, message, numbers)
    for rule in item.where:
        if rule.column not in model.columns:
            message = f"{name} has no column '{rule.column}'"
            yield Problem("rules.unknown_column", f"{place} > where", message, accepted)
        elif problem := type_problem(rule.operator, rule.value, model[rule.column]):
            yield Problem("rules.wrong_type", f"{place} > where > {rule.column}", problem)
