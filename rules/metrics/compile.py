"""The catalog as Ibis expressions: all metrics by month, and by a dimension, in one query."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from decimal import Decimal
from functools import reduce
from typing import NamedTuple

import ibis
import ibis.expr.types as ir

from rules.literals import literal_rows
from rules.metrics.models import Condition, Derived, Measure, Metric, MetricCatalog, Ratio
from rules.metrics.periods import CURRENT, Reading, months_covered, operand_names, reading_of
from rules.operators import comparison, round_for_comparison
from rules.units import months_between

UNKNOWN_MEMBER = "Unknown"


class Use(NamedTuple):
    """A measure over the rows of a model in `months` months; a snapshot model has rows of the as-of date only.

    reading: in a range of several months, those of its months that are read.
    """

    model: str
    measure: Measure
    months: int
    is_snapshot: bool
    reading: Reading


def condition(table: ir.Table, rule: Condition) -> ir.BooleanColumn:
    """Whether a row satisfies a condition; false where the value is NULL, except for `is_missing`."""
    return comparison(rule.operator, table[rule.column], rule.value).fill_null(False)


def band(value: ir.NumericValue, floors: Mapping[str, Decimal | float]) -> ir.StringValue:
    """The first band, from the highest floor to the lowest, whose floor is at most `value`; otherwise the last band.

    Decimals are compared exactly, and floating-point numbers as in rules, so that a sum equal to a floor is in
    that band.
    """
    *upper, (lowest, _floor) = floors.items()
    if not upper:
        return ibis.literal(lowest)
    value = round_for_comparison(value)
    kind = value.type() if value.type().is_decimal() else "float64"
    exact = {name: ibis.literal(floor, kind) if isinstance(floor, Decimal) else floor for name, floor in upper}
    return ibis.cases(*((value >= floor, name) for name, floor in exact.items()), else_=lowest)


def measure(table: ir.Table, wanted: Measure) -> ir.Scalar:
    """The aggregation of one column over the rows that satisfy the filter of the measure."""
    conditions = [condition(table, rule) for rule in wanted.where]
    where = reduce(lambda left, right: left & right, conditions) if conditions else None
    column = table[wanted.column]
    aggregation = {"count_distinct": "nunique"}.get(wanted.aggregation, wanted.aggregation)
    return getattr(column, aggregation)(where=where)


def own_measures(metric: Metric) -> list[Use]:
    """The measures in a metric's formula; none for a derived metric, which has those of its operands."""
    if isinstance(metric.formula, Derived) or metric.model is None:
        return []
    measures = (
        [metric.formula.numerator, metric.formula.denominator]
        if isinstance(metric.formula, Ratio)
        else [metric.formula]
    )
    months, is_snapshot = months_covered(metric), metric.period == CURRENT
    return [Use(metric.model, item, months, is_snapshot, reading_of(metric, item)) for item in measures]


def metric_history(
    catalog: MetricCatalog,
    models: Mapping[str, ir.Table],
    calendar: ir.Table,
    by: Sequence[str] = (),
    ranges: ir.Table | None = None,
) -> ir.Table:
    """One row per metric, month and member of `by`: value, numerator and denominator.

    A metric of a snapshot model has a value in the as-of month only. `models` must have every model that the
    catalog names; with `by`, only metrics whose models have these columns are computed. With `ranges` there is a row
    per range instead of one per month of the calendar: month is its last month, `first` its first one. Of a single
    month both give the same.
    """
    names, wide, columns = _measured_months(catalog, models, calendar, list(by), ranges)
    return _one_row_per_metric(catalog, names, wide, columns, list(by))


def metric_columns(catalog: MetricCatalog, models: Mapping[str, ir.Table], calendar: ir.Table) -> ir.Table:
    """One row per month and one column per metric, so that each column has the lineage of its metric."""
    names, wide, columns = _measured_months(catalog, models, calendar, [], None)
    return wide.select(**{name: metric_value(catalog, name, wide, columns) for name in names})


def _measured_months(
    catalog: MetricCatalog, models: Mapping[str, ir.Table], calendar: ir.Table, by: list[str], ranges: ir.Table | None
) -> tuple[list[str], ir.Table, dict[Use, str]]:
    """The metrics that can be computed, a table of their measures by month, and the column of each measure in it."""
    names = [name for name in catalog.metrics if _is_computable(catalog, name, models, by)]
    wanted = list(dict.fromkeys(use for name in names for use in own_measures(catalog.metrics[name])))
    columns = {use: f"m{number}" for number, use in enumerate(wanted)}
    keys = ["month", *by]
    used = dict.fromkeys(use.model for use in wanted)  # another model may not have the columns of `by`
    parts = [part for name in used for part in _by_month(name, models[name], columns, calendar, by, ranges)]
    wide = _members(parts, calendar if ranges is None else ranges, by)
    for part in parts:
        measures = [name for name in part.columns if name not in keys]
        wide = wide.left_join(part, keys).select(*wide.columns, *measures)
    return names, wide, columns


def _is_computable(catalog: MetricCatalog, name: str, models: Mapping[str, ir.Table], by: list[str]) -> bool:
    metric = catalog.metrics[name]
    if isinstance(metric.formula, Derived):
        return all(_is_computable(catalog, operand, models, by) for operand in operand_names(metric.formula))
    return metric.model is not None and metric.model in models and set(by) <= set(models[metric.model].columns)


def _members(parts: list[ir.Table], calendar: ir.Table, by: list[str]) -> ir.Table:
    """One row per month and member of `by`, with every member that occurs in one of the parts."""
    months = calendar.select("month", "is_complete")
    if not by:
        return months
    members = [part.select(by) for part in parts]
    return months.cross_join(ibis.union(*members, distinct=True) if len(members) > 1 else members[0].distinct())


def _by_month(
    name: str, model: ir.Table, columns: dict[Use, str], calendar: ir.Table, by: list[str], ranges: ir.Table | None
) -> Iterator[ir.Table]:
    """The measures of a model by month and member, one table per kind of period.

    The model's rows are aggregated by month once, and longer periods add up months. Only a count of distinct
    values cannot be added up: it reads the rows of each period.
    """
    uses = [use for use in columns if use.model == name]
    keys = ["month", *by]
    if any(use.is_snapshot for use in uses):
        model = model.mutate(month=calendar.month.max().as_scalar())
    model = model.mutate(**{key: model[key].cast("string").fill_null(UNKNOWN_MEMBER) for key in by})
    windows = {use: Window(use.months, "closing" if ranges is None else use.reading) for use in uses}
    additive = [use for use in uses if windows[use].is_one_month or use.measure.aggregation != "count_distinct"]
    ends = calendar if ranges is None else ranges
    if additive:
        parts = {part: value for use in additive for part, value in _parts(model, use.measure, columns[use]).items()}
        by_month = model.group_by(keys).aggregate(**parts)
        for window in dict.fromkeys(windows[use] for use in additive):
            periods = _repeat_by_period(by_month, ends, window)
            of_length = [use for use in additive if windows[use] == window]
            combined = {columns[use]: _combined(periods, use.measure, columns[use]) for use in of_length}
            yield periods.group_by(keys).aggregate(**combined)
    for use in uses:
        if use not in additive:
            periods = _repeat_by_period(model, ends, windows[use])
            yield periods.group_by(keys).aggregate(**{columns[use]: measure(periods, use.measure)})


class Window(NamedTuple):
    """The months that a measure reads for a month or a range: `months` up to its last one, its first one, or all."""

    months: int
    reading: Reading

    @property
    def is_one_month(self) -> bool:
        """Whether it is one month of any range."""
        return self.months == 1 and self.reading != "flow"


def _repeat_by_period(table: ir.Table, ends: ir.Table, window: Window) -> ir.Table:
    """Each row once for every month or range of `ends` that reads the row's month."""
    if window.reading == "closing":
        ends = ends.select(end="month")
        distance = months_between(table.month, ends.end)
        inside = table.join(ends, [distance >= 0, distance < window.months])
    else:
        ends = ends.select(end="month", first="first")
        last = ends["first" if window.reading == "opening" else "end"]
        inside = table.join(ends, [table.month >= ends["first"], table.month <= last])
    return inside.select(*(name for name in table.columns if name != "month"), month="end")


def _parts(model: ir.Table, wanted: Measure, column: str) -> dict[str, ir.Scalar]:
    """The aggregates of a month from which a longer period can be combined: for a mean, sum and count."""
    if wanted.aggregation != "mean":
        return {column: measure(model, wanted)}
    return {
        f"{column}_{part}": measure(model, wanted.model_copy(update={"aggregation": part})) for part in ("sum", "count")
    }


def _combined(parts: ir.Table, wanted: Measure, column: str) -> ir.Scalar:
    if wanted.aggregation == "mean":
        total = parts[f"{column}_sum"].sum().cast("float64")
        return total / parts[f"{column}_count"].sum().nullif(0)
    # A count of distinct values has one month here, so that its maximum is the count itself.
    combine = {"min": "min", "max": "max", "count_distinct": "max"}.get(wanted.aggregation, "sum")
    return getattr(parts[column], combine)()


def _one_row_per_metric(
    catalog: MetricCatalog, metrics: list[str], wide: ir.Table, columns: dict[Use, str], by: list[str]
) -> ir.Table:
    names = literal_rows([{"metric_name": name} for name in metrics], ibis.schema({"metric_name": "string"}))
    rows = wide.cross_join(names)

    def per_metric(of: Callable[[str], ir.Column | None]) -> ir.Column:
        branches = [(rows.metric_name == name, part) for name in metrics if (part := of(name)) is not None]
        return ibis.cases(*branches, else_=ibis.null("float64")) if branches else ibis.null("float64")

    def value_of(name: str) -> ir.Column:
        return metric_value(catalog, name, rows, columns).cast("float64")

    def part_of(position: int) -> Callable[[str], ir.Column | None]:
        def part(name: str) -> ir.Column | None:
            parts = _fraction(catalog, name, rows, columns)
            return parts[position].cast("float64") if parts else None

        return part

    return rows.select(
        "metric_name",
        "month",
        *by,
        "is_complete",
        value=per_metric(value_of),
        numerator=per_metric(part_of(0)),
        denominator=per_metric(part_of(1)),
    )


def metric_value(catalog: MetricCatalog, name: str, rows: ir.Table, columns: dict[Use, str]) -> ir.Column:
    """The metric's value from the columns of its measures; NULL where a denominator is 0."""
    metric = catalog.metrics[name]
    if isinstance(metric.formula, Derived):
        return _derived(catalog, metric.formula, rows, columns)
    if parts := _fraction(catalog, name, rows, columns):
        return _quotient(*parts)
    return rows[columns[own_measures(metric)[0]]]


def _fraction(
    catalog: MetricCatalog, name: str, rows: ir.Table, columns: dict[Use, str]
) -> tuple[ir.Column, ir.Column] | None:
    """Numerator and denominator of a ratio or a division; None for other formulas."""
    metric = catalog.metrics[name]
    if isinstance(metric.formula, Ratio):
        top, bottom = (rows[columns[use]] for use in own_measures(metric))
        return top, bottom
    if isinstance(metric.formula, Derived) and metric.formula.combination == "divide":
        top, bottom = (_operand(catalog, operand, rows, columns) for operand in metric.formula.operands)
        return top, bottom
    return None


def _derived(catalog: MetricCatalog, formula: Derived, rows: ir.Table, columns: dict[Use, str]) -> ir.Column:
    operands = [_operand(catalog, operand, rows, columns) for operand in formula.operands]
    if formula.combination == "complement":
        return 1 - operands[0]
    if formula.combination == "divide":
        return _quotient(*operands)
    combine = {
        "add": lambda left, right: left + right,
        "subtract": lambda left, right: left - right,
        "multiply": lambda left, right: left * right,
    }[formula.combination]
    return reduce(combine, operands)


def _operand(
    catalog: MetricCatalog, operand: str | float | int | Derived, rows: ir.Table, columns: dict[Use, str]
) -> ir.Value:
    if isinstance(operand, Derived):
        return _derived(catalog, operand, rows, columns)
    if isinstance(operand, str):
        return metric_value(catalog, operand, rows, columns)
    return ibis.literal(operand)


def _quotient(top: ir.Value, bottom: ir.Value) -> ir.FloatingColumn:
    return top.cast("float64") / bottom.cast("float64").nullif(0)
