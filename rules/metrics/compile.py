"""The catalog as Ibis: every metric of a grain in one query, whatever YAML says it is."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from decimal import Decimal
from functools import reduce

import ibis
import ibis.expr.types as ir

from rules.literals import literal_rows
from rules.metrics.models import Condition, Derived, Measure, Metric, MetricCatalog, Ratio
from rules.metrics.periods import CURRENT, months_covered, operand_names
from rules.operators import as_compared, holds
from rules.units import months_between

UNKNOWN_MEMBER = "Unknown"

Use = tuple[str, Measure, int, bool]
"""(model, measure, months covered, is the model a snapshot)"""


def condition(table: ir.Table, rule: Condition) -> ir.BooleanColumn:
    """The rows that a condition of the rules holds for; unknown values hold for none."""
    return holds(rule.operator, table[rule.column], rule.value).fill_null(False)


def band(value: ir.NumericValue, floors: Mapping[str, Decimal | float]) -> ir.StringValue:
    """The first band, from the highest floor to the lowest, whose floor `value` reaches; the last for all others.

    Decimals are compared as such, and binary numbers as rules compare them, so that a sum that is exactly
    a floor reaches it.
    """
    *upper, (lowest, _floor) = floors.items()
    if not upper:
        return ibis.literal(lowest)
    value = as_compared(value)
    kind = value.type() if value.type().is_decimal() else "float64"
    exact = {name: ibis.literal(floor, kind) if isinstance(floor, Decimal) else floor for name, floor in upper}
    return ibis.cases(*((value >= floor, name) for name, floor in exact.items()), else_=lowest)


def measure(table: ir.Table, wanted: Measure) -> ir.Scalar:
    """A measure over `table`: an aggregation of one column over the rows that meet its filter."""
    rows = [condition(table, rule) for rule in wanted.where]
    where = reduce(lambda left, right: left & right, rows) if rows else None
    column = table[wanted.column]
    aggregation = {"count_distinct": "nunique"}.get(wanted.aggregation, wanted.aggregation)
    return getattr(column, aggregation)(where=where)


def uses(metric: Metric) -> list[Use]:
    """The measures that a metric itself takes from its model."""
    if isinstance(metric.formula, Derived):
        return []
    measures = (
        [metric.formula.numerator, metric.formula.denominator]
        if isinstance(metric.formula, Ratio)
        else [metric.formula]
    )
    return [(metric.model, item, months_covered(metric), metric.period == CURRENT) for item in measures]


def metric_history(
    catalog: MetricCatalog, models: Mapping[str, ir.Table], calendar: ir.Table, by: Sequence[str] = ()
) -> ir.Table:
    """One row per metric, month and member of `by`: value, numerator and denominator.

    A snapshot model has a value in the as-of month alone. `models` must hold every model that the
    catalog names; with `by`, the metrics whose models have those columns are computed.
    """
    names, wide, columns = _measured_months(catalog, models, calendar, list(by))
    return _one_row_per_metric(catalog, names, wide, columns, list(by))


def metric_columns(catalog: MetricCatalog, models: Mapping[str, ir.Table], calendar: ir.Table) -> ir.Table:
    """One row per month with a column per metric: each column's provenance is that metric's own."""
    names, wide, columns = _measured_months(catalog, models, calendar, [])
    return wide.select(**{name: metric_value(catalog, name, wide, columns) for name in names})


def _measured_months(
    catalog: MetricCatalog, models: Mapping[str, ir.Table], calendar: ir.Table, by: list[str]
) -> tuple[list[str], ir.Table, dict[Use, str]]:
    """The metrics that can be computed, their measures by month, and the column of each measure."""
    names = [name for name in catalog.metrics if _has(catalog, name, models, by)]
    wanted = list(dict.fromkeys(use for name in names for use in uses(catalog.metrics[name])))
    columns = {use: f"m{number}" for number, use in enumerate(wanted)}
    keys = ["month", *by]
    used = dict.fromkeys(use[0] for use in wanted)  # another model may lack the columns of `by`
    parts = [part for name in used for part in _by_month(name, models[name], columns, calendar, by)]
    wide = _members(parts, calendar, by)
    for part in parts:
        measures = [name for name in part.columns if name not in keys]
        wide = wide.left_join(part, keys).select(*wide.columns, *measures)
    return names, wide, columns


def _has(catalog: MetricCatalog, name: str, models: Mapping[str, ir.Table], by: list[str]) -> bool:
    metric = catalog.metrics[name]
    if isinstance(metric.formula, Derived):
        return all(_has(catalog, operand, models, by) for operand in operand_names(metric.formula))
    return metric.model in models and set(by) <= set(models[metric.model].columns)


def _members(parts: list[ir.Table], calendar: ir.Table, by: list[str]) -> ir.Table:
    """Every month with every member of `by` that a part has."""
    months = calendar.select("month", "is_complete")
    if not by:
        return months
    members = [part.select(by) for part in parts]
    return months.cross_join(ibis.union(*members, distinct=True) if len(members) > 1 else members[0].distinct())


def _by_month(
    name: str, model: ir.Table, columns: dict[Use, str], calendar: ir.Table, by: list[str]
) -> Iterator[ir.Table]:
    """The measures of a model by month and member, one table per length of the period.

    The model's rows are read once, into months; longer periods add those up. Only a count of
    different values cannot be added up and reads the rows of each period.
    """
    mine = [use for use in columns if use[0] == name]
    keys = ["month", *by]
    if any(is_snapshot for _model, _item, _months, is_snapshot in mine):
        model = model.mutate(month=calendar.month.max().as_scalar())
    model = model.mutate(**{key: model[key].cast("string").fill_null(UNKNOWN_MEMBER) for key in by})
    adding = [use for use in mine if use[2] == 1 or use[1].aggregation != "count_distinct"]
    if adding:
        kept = {part: value for use in adding for part, value in _parts(model, use[1], columns[use]).items()}
        by_month = model.group_by(keys).aggregate(**kept)
        for months in dict.fromkeys(use[2] for use in adding):
            spread = _spread(by_month, calendar, months)
            combined = {columns[use]: _combined(spread, use[1], columns[use]) for use in adding if use[2] == months}
            yield spread.group_by(keys).aggregate(**combined)
    for use in mine:
        if use not in adding:
            spread = _spread(model, calendar, use[2])
            yield spread.group_by(keys).aggregate(**{columns[use]: measure(spread, use[1])})


def _spread(table: ir.Table, calendar: ir.Table, months: int) -> ir.Table:
    """Each row once for every month whose window of `months` months it falls into."""
    ends = calendar.select(end="month")
    distance = months_between(table.month, ends.end)
    inside = table.join(ends, [distance >= 0, distance < months])
    return inside.drop("month").rename(month="end")


def _parts(model: ir.Table, wanted: Measure, column: str) -> dict[str, ir.Scalar]:
    """What to keep of each month so that months can be combined: a mean needs sum and count."""
    if wanted.aggregation != "mean":
        return {column: measure(model, wanted)}
    return {
        f"{column}_{part}": measure(model, wanted.model_copy(update={"aggregation": part})) for part in ("sum", "count")
    }


def _combined(parts: ir.Table, wanted: Measure, column: str) -> ir.Scalar:
    if wanted.aggregation == "mean":
        total = parts[f"{column}_sum"].sum().cast("float64")
        return total / parts[f"{column}_count"].sum().nullif(0)
    # A count of different values is only ever of one month here, so its largest is itself.
    combine = {"min": "min", "max": "max", "count_distinct": "max"}.get(wanted.aggregation, "sum")
    return getattr(parts[column], combine)()


def _one_row_per_metric(
    catalog: MetricCatalog, able: list[str], wide: ir.Table, columns: dict[Use, str], by: list[str]
) -> ir.Table:
    names = literal_rows([{"metric_name": name} for name in able], ibis.schema({"metric_name": "string"}))
    rows = wide.cross_join(names)

    def per_metric(of) -> ir.Column:
        branches = [(rows.metric_name == name, part) for name in able if (part := of(name)) is not None]
        return ibis.cases(*branches, else_=ibis.null("float64")) if branches else ibis.null("float64")

    def value_of(name: str) -> ir.Column:
        return metric_value(catalog, name, rows, columns).cast("float64")

    def part_of(position: int):
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
    """The metric's value from the columns of its measures; NULL for a zero denominator."""
    metric = catalog.metrics[name]
    if isinstance(metric.formula, Derived):
        return _derived(catalog, metric.formula, rows, columns)
    if parts := _fraction(catalog, name, rows, columns):
        return _quotient(*parts)
    return rows[columns[uses(metric)[0]]]


def _fraction(
    catalog: MetricCatalog, name: str, rows: ir.Table, columns: dict[Use, str]
) -> tuple[ir.Column, ir.Column] | None:
    """Numerator and denominator, where the metric is one over the other."""
    metric = catalog.metrics[name]
    if isinstance(metric.formula, Ratio):
        top, bottom = (rows[columns[use]] for use in uses(metric))
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
