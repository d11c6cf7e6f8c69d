"""A metric in a month: its value in any slice, and the rows that it is computed from."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from fractions import Fraction
from functools import reduce

import ibis
import ibis.expr.types as ir
from ibis import _

from rules.metrics.compile import UNKNOWN_MEMBER, Use, condition, metric_history, own_measures
from rules.metrics.models import Derived, Measure, MetricCatalog, Ratio
from rules.metrics.periods import operand_names
from rules.text.errors import ProductPulseError
from rules.units import MONEY, months_between

AMOUNT = "decimal(28, 8)"
"""Money, counts and days alike: sums of it are exact."""

VALUE, NUMERATOR, DENOMINATOR = "value", "numerator", "denominator"
ROWS = ibis.schema(
    {
        "side": "string",
        "part": "string",
        "customer_id": "string",
        "source_row": "string",
        "month": "date",
        "unit": "string",
        "amount": AMOUNT,
        "contribution": AMOUNT,
        "mrr_start": MONEY,
        "mrr_end": MONEY,
    }
)
OWN_COLUMNS = ("customer_id", "month")
PRESENT = ("risk_band", "cohort_quarter")
"""Slices beside the dimensions of segments.yaml. In every month a customer counts in the one that it has today."""


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
    return Fraction(1) if measure.aggregation in ("sum", "count") else None


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


def sliced_models(catalog: MetricCatalog, table: Callable[[str], ir.Table]) -> dict[str, ir.Table]:
    """The tables that metrics are computed from, by name; those about customers with the columns of PRESENT.

    `table` returns a published table.
    """
    named = [metric.model for metric in catalog.metrics.values() if metric.model]
    models = {name: table(name) for name in ("customer_months", "churn_risk_profiles", *named)}
    months, profiles = models["customer_months"], models["churn_risk_profiles"]
    first = months.group_by("customer_id").aggregate(cohort_month=_.cohort_month.max())
    quarter = _.cohort_month.year().cast("string") + "-Q" + _.cohort_month.quarter().cast("string")
    slices = first.select("customer_id", cohort_quarter=quarter)
    bands = profiles.select("customer_id", present_band="risk_band")
    slices = slices.left_join(bands, "customer_id").select("customer_id", "cohort_quarter", risk_band="present_band")
    return {name: _with_slices(table, slices) for name, table in models.items()}


def _with_slices(table: ir.Table, slices: ir.Table) -> ir.Table:
    if "customer_id" not in table.columns:
        return table
    own = table.drop(*(name for name in PRESENT if name in table.columns))
    return own.left_join(slices, "customer_id").select(*own.columns, *PRESENT)


def in_slice(models: Mapping[str, ir.Table], where: Mapping[str, str]) -> dict[str, ir.Table]:
    """The models that have every column of `where`, with the rows of these members only."""
    found = {name: table for name, table in models.items() if set(where) <= set(table.columns)}
    return {name: reduce(_member_rows, where.items(), table) for name, table in found.items()}


def _member_rows(table: ir.Table, member: tuple[str, str]) -> ir.Table:
    column, value = member
    return table.filter(_member(table, column) == value)


def _member(table: ir.Table, column: str) -> ir.StringValue:
    return table[column].cast("string").fill_null(UNKNOWN_MEMBER)


def slices_of(
    catalog: MetricCatalog, name: str, models: Mapping[str, ir.Table], dimensions: Sequence[str]
) -> list[str]:
    """The slices that all rows behind a metric have, of the dimensions of segments.yaml and PRESENT."""
    tables = [models[part.use.model] for part in metric_parts(catalog, name)]
    return [column for column in (*dimensions, *PRESENT) if all(column in table.columns for table in tables)]


def members_of(catalog: MetricCatalog, name: str, models: Mapping[str, ir.Table], column: str) -> ir.Table:
    """One row per member of a slice that the rows of a metric have, in any month: the column `member`."""
    tables = {part.use.model: models[part.use.model] for part in metric_parts(catalog, name)}
    members = [table.select(member=_member(table, column)).distinct() for table in tables.values()]
    return (ibis.union(*members, distinct=True) if len(members) > 1 else members[0]).order_by("member")


def check_slice(
    catalog: MetricCatalog, name: str, models: Mapping[str, ir.Table], columns: Sequence[str], dimensions: Sequence[str]
) -> None:
    """Raise ProductPulseError for a column that is no slice, or that rows behind the metric do not have."""
    accepted, possible = (*dimensions, *PRESENT), slices_of(catalog, name, models, dimensions)
    for column in columns:
        if column not in accepted:
            raise ProductPulseError(
                "metric.unknown_slice",
                f"'{column}' is not a slice. The slices are: {', '.join(accepted)}.",
                column=column,
            )
        if column not in possible:
            tables = dict.fromkeys(part.use.model for part in metric_parts(catalog, name))
            raise ProductPulseError(
                "metric.not_sliced",
                f"{name} cannot be sliced by {column}: it is computed from {' and '.join(tables)}, whose rows have no "
                f"{column}. Ask for it without this slice.",
                metric=name,
                column=column,
            )


def is_present_only(catalog: MetricCatalog, name: str) -> bool:
    """Whether the metric is computed from tables that have the present state alone."""
    return any(part.use.is_snapshot for part in metric_parts(catalog, name))


def check_month(catalog: MetricCatalog, name: str, month: dt.date, months: Sequence[dt.date]) -> None:
    """Raise ProductPulseError for a month that the data does not have, or in which the metric is not known."""
    if month not in months:
        raise ProductPulseError(
            "metric.unknown_month",
            f"There is no {month:%Y-%m} in the data, which has {months[0]:%Y-%m} to {months[-1]:%Y-%m}.",
            month=month,
        )
    if month != months[-1] and is_present_only(catalog, name):
        raise ProductPulseError(
            "metric.present_only",
            f"{name} is known for the present only: ask for it without a month, or in {months[-1]:%Y-%m}.",
            metric=name,
        )


def metric_values(
    catalog: MetricCatalog,
    name: str,
    models: Mapping[str, ir.Table],
    calendar: ir.Table,
    months: Sequence[dt.date],
    by: str | None = None,
) -> ir.Table:
    """One row per month of `months`, and per member of `by`: value, numerator and denominator as in kpi_history."""
    needed = catalog.model_copy(update={"metrics": {each: catalog.metrics[each] for each in _needed(catalog, name)}})
    history = metric_history(needed, models, calendar, [by] if by else [])
    return history.filter(_.metric_name == name, _.month.isin(list(months))).drop("metric_name", "is_complete")


def _needed(catalog: MetricCatalog, name: str) -> list[str]:
    """The metric and every metric that it is computed from."""
    metric = catalog.metrics[name]
    operands = operand_names(metric.formula) if isinstance(metric.formula, Derived) else []
    return list(dict.fromkeys([each for operand in operands for each in _needed(catalog, operand)] + [name]))


def metric_rows(catalog: MetricCatalog, name: str, models: Mapping[str, ir.Table], month: dt.date) -> ir.Table:
    """One row per measure of a metric and row of its model that is not 0, in the month and those that it covers.

    side is value, numerator or denominator; part the metric whose measure it is; unit that of the amount.
    source_row has the key of a row that is of no customer. amount is the row's part of the measure, contribution
    that of the side: contributions of a side add up to it, and are NULL where it is no sum (`sides_that_add_up`).
    mrr_start and mrr_end are the customer's MRR at both ends of that month, if the row has them. A metric of the
    present is asked for in the last month only (`check_month`).
    """
    tables = [_part_rows(part, models[part.use.model], month) for part in _merged(metric_parts(catalog, name))]
    return ibis.union(*tables) if len(tables) > 1 else tables[0]


def _merged(parts: Sequence[Part]) -> Iterator[Part]:
    """Each measure once a side: a metric that is an operand twice has its rows once, with both weights."""
    groups: dict[tuple[str, str, str, Use], list[Part]] = {}
    for part in parts:
        groups.setdefault((part.side, part.metric_name, part.own_side, part.use), []).append(part)
    for same in groups.values():
        weights = [part.weight for part in same]
        known = [weight for weight in weights if weight is not None]
        yield replace(same[0], weight=sum(known, Fraction(0)) if len(known) == len(weights) else None)


def _part_rows(part: Part, model: ir.Table, month: dt.date) -> ir.Table:
    measure, table = part.use.measure, model
    if part.use.is_snapshot:
        table = table.mutate(month=ibis.literal(month))
    distance = months_between(table.month, ibis.literal(month))
    table = table.filter(distance >= 0, distance < part.use.months, *(condition(table, rule) for rule in measure.where))
    column = table[measure.column]
    is_counted = measure.aggregation in ("count", "count_distinct")
    amount = column.notnull().cast("int64").cast(AMOUNT) if is_counted else column.cast(AMOUNT)
    rows = table.mutate(amount=amount).filter(_.amount.notnull())
    if measure.aggregation in ("sum", "count"):
        rows = rows.filter(_.amount != 0)
    values = {
        "side": ibis.literal(part.side),
        "part": ibis.literal(part.metric_name),
        "unit": ibis.literal(part.unit),
        "source_row": _source_row(rows),
        "amount": rows.amount,
        "contribution": _weighted(rows.amount, part.weight),
    }
    present = {name: rows[name] for name in rows.columns if name in ROWS}
    return rows.select(
        **{name: values.get(name, present.get(name, ibis.null(kind))).cast(kind) for name, kind in ROWS.items()}
    )


def _weighted(amount: ir.DecimalValue, weight: Fraction | None) -> ir.Value:
    """The amount times its weight: exact for a whole number, otherwise to the digits of AMOUNT."""
    if weight is None:
        return ibis.null(AMOUNT)
    return amount * int(weight) if weight.denominator == 1 else amount.cast("float64") * float(weight)


def _source_row(rows: ir.Table) -> ir.StringValue:
    """The words that name a row which is of no customer: its first text."""
    texts = [rows[name] for name, kind in rows.schema().items() if kind.is_string() and name not in OWN_COLUMNS]
    if not texts:
        return ibis.null("string")
    named = ibis.coalesce(*texts)
    return (
        ibis.ifelse(rows.customer_id.isnull(), named, ibis.null("string")) if "customer_id" in rows.columns else named
    )
