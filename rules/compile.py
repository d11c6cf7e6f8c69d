"""The catalog as Ibis: every metric of a grain in one query, whatever YAML says it is."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import reduce

import ibis
import ibis.expr.types as ir

from rules.models import Condition, Derived, Measure, Metric, MetricCatalog, Ratio
from rules.operators import OPERATORS
from rules.periods import CURRENT, months_covered, operand_names

MONEY = "decimal(18, 2)"
UNKNOWN_MEMBER = "Unknown"

Use = tuple[str, Measure, int, bool]
"""(model, measure, months covered, is the model a snapshot)"""


def condition(table: ir.Table, rule: Condition) -> ir.BooleanColumn:
    """The rows that a condition of the rules holds for; unknown values hold for none."""
    return OPERATORS[rule.operator](table[rule.column], rule.value).fill_null(False)


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
    wide = _members(wanted, models, calendar, by)
    for group in _alike(wanted):
        part = _measured(group, columns, models, calendar, by)
        keys = ["month", *by]
        wide = wide.left_join(part, keys).drop(*(f"{key}_right" for key in keys))
    return names, wide, columns


def _has(catalog: MetricCatalog, name: str, models: Mapping[str, ir.Table], by: list[str]) -> bool:
    metric = catalog.metrics[name]
    if isinstance(metric.formula, Derived):
        return all(_has(catalog, operand, models, by) for operand in operand_names(metric.formula))
    return metric.model in models and set(by) <= set(models[metric.model].columns)


def _members(wanted: list[Use], models: Mapping[str, ir.Table], calendar: ir.Table, by: list[str]) -> ir.Table:
    """Every month with every member of `by` that a model has."""
    months = calendar.select("month", "is_complete")
    if not by:
        return months
    members = [_named(models[model], by).select(by) for model in dict.fromkeys(use[0] for use in wanted)]
    return months.cross_join(ibis.union(*members, distinct=True) if len(members) > 1 else members[0].distinct())


def _named(model: ir.Table, by: list[str]) -> ir.Table:
    return model.mutate(**{name: model[name].cast("string").fill_null(UNKNOWN_MEMBER) for name in by})


def _alike(wanted: list[Use]) -> list[list[Use]]:
    """Uses that one aggregation can serve: the same model, period and way to combine months."""
    groups: dict[tuple, list[Use]] = {}
    for use in wanted:
        model, item, months, is_snapshot = use
        adds_up = months == 1 or item.aggregation != "count_distinct"
        groups.setdefault((model, months, is_snapshot, adds_up), []).append(use)
    return list(groups.values())


def _measured(
    group: list[Use], columns: dict[Use, str], models: Mapping[str, ir.Table], calendar: ir.Table, by: list[str]
) -> ir.Table:
    """The measures of one group, one column each, by month and member."""
    name, first, months, is_snapshot = group[0]
    keys = ["month", *by]
    model = _named(models[name], by)
    if is_snapshot:
        model = model.mutate(month=calendar.month.max().as_scalar())
    if months == 1:
        model = model.semi_join(calendar, "month")
        return model.group_by(keys).aggregate(**{columns[use]: measure(model, use[1]) for use in group})
    if first.aggregation == "count_distinct":
        spread = _spread(model, calendar, months)
        return spread.group_by(keys).aggregate(**{columns[use]: measure(spread, use[1]) for use in group})
    parts = {part: value for use in group for part, value in _parts(model, use[1], columns[use]).items()}
    spread = _spread(model.group_by(keys).aggregate(**parts), calendar, months)
    return spread.group_by(keys).aggregate(**{columns[use]: _combined(spread, use[1], columns[use]) for use in group})


def _spread(table: ir.Table, calendar: ir.Table, months: int) -> ir.Table:
    """Each row once for every month whose window of `months` months it falls into."""
    ends = calendar.select(end="month")
    distance = (ends.end.year() - table.month.year()) * 12 + ends.end.month() - table.month.month()
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
    return getattr(parts[column], {"min": "min", "max": "max"}.get(wanted.aggregation, "sum"))()


def _one_row_per_metric(
    catalog: MetricCatalog, able: list[str], wide: ir.Table, columns: dict[Use, str], by: list[str]
) -> ir.Table:
    names = ibis.memtable({"metric_name": able}, schema={"metric_name": "string"})
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
