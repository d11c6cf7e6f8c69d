"""The value of a metric for the period and the filters of a page, beside the period before and a year ago."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

import ibis
import ibis.expr.types as ir
from ibis import _

from dashboard.asked_rows import Asked
from dashboard.periods import (
    chosen_range,
    complete_months,
    data_months,
    latest_range,
    period_names,
    range_named,
    single_months,
)
from dashboard.reading import Reading
from dashboard.rows_behind import Behind
from dashboard.view_filters import Where, chosen, rows_of_members, view_key, where_text
from resources.published_snapshot import Row
from rules.literals import literal_rows
from rules.metrics.compile import metric_history
from rules.metrics.models import Derived, MetricCatalog
from rules.metrics.parts import is_present_only, metric_parts, sides_that_add_up
from rules.metrics.periods import AS_OF, operand_names, read_at
from rules.metrics.rows import metric_rows
from rules.metrics.slices import check_slice, models_of, slices_of
from rules.metrics.time_range import TimeRange
from rules.metrics.values import BEFORE, YEAR_AGO, check_range, metric_comparison, metric_values
from rules.text.errors import ProductPulseError
from rules.text.formats import change_text, value_text

RANGES = ibis.schema({"first": "date", "month": "date", "is_complete": "boolean"})


@dataclass(frozen=True)
class Compared:
    """The change of a value from another period; None with a reason if there is nothing to compare with."""

    label: str
    change: float | None
    why_not: str | None


@dataclass(frozen=True)
class Value:
    """A metric's value in a period and slice; None with a reason if it has none there."""

    period: str
    value: float | None
    why_not: str | None = None
    before: Compared | None = None
    year_ago: Compared | None = None


def metric_range(reading: Reading, name: str, period: str = "") -> TimeRange | None:
    """The range that a metric is read in: `period`, or that of the page, or the month of its current value."""
    return range_named(reading, period) if period else chosen_range(reading) or latest_range(reading, name)


def latest_name(reading: Reading, name: str) -> str:
    """The name of the month that has the metric's current value; empty if no month is over yet."""
    found = latest_range(reading, name)
    return found.name if found else ""


def models_for(
    reading: Reading, name: str, time_range: TimeRange, where: Where, by: Sequence[str] = ()
) -> dict[str, ir.Table]:
    """The models with the rows of the slice; raises ProductPulseError if the metric has no such slice or period."""
    columns = list(dict.fromkeys((*where, *by)))
    models = reading.models(columns)
    check_asked(reading, name, models, columns, time_range)
    return rows_of_members(models, where)


def check_asked(
    reading: Reading, name: str, models: Mapping[str, ir.Table], columns: Sequence[str], time_range: TimeRange
) -> None:
    """Raise ProductPulseError if the metric cannot be sliced by the columns, or is not known in the range."""
    catalog = reading.rules.metric_catalog
    check_slice(catalog, name, models, columns, reading.rules.dimensions)
    check_range(catalog, name, time_range, data_months(reading))


def why_not_text(problem: ProductPulseError) -> str:
    """Why a metric has no value in a slice or period, in the words of a page."""
    texts = {"metric.present_only": "Known for the present only.", "metric.not_sliced": "Not known by these filters."}
    return texts.get(problem.code, str(problem))


def latest_values(reading: Reading, names: Sequence[str]) -> dict[str, Value]:
    """The current values of metrics for all customers, from kpi_history."""
    history = reading.table("kpi_history").filter(_.metric_name.isin(list(names)))
    known = {(row["metric_name"], row["month"]): row["value"] for row in reading.rows(history)}
    rows = {row["metric_name"]: row for row in reading.rows(reading.table("kpi_summary"))}
    found = {}
    for name in names:
        now = latest_range(reading, name)
        if now is None or rows[name]["value"] is None:
            found[name] = Value(now.label if now else "", None, rows[name]["not_available_reason"])
            continue
        pairs = [(each, known.get((name, each.last))) for each in (now.previous(), now.year_ago())]
        value = rows[name]["value"]
        before, year_ago = (Compared(each.label, None if then is None else value - then, None) for each, then in pairs)
        found[name] = Value(now.label, value, None, before, year_ago)
    return found


def is_filtered(reading: Reading) -> bool:
    """Whether the page has a period or a filter."""
    return bool(chosen(reading)) or chosen_range(reading) is not None


def values_in_view(reading: Reading, names: Sequence[str]) -> dict[str, Value]:
    """The values of metrics for the page's period and filters; without them, the current values of all customers."""
    if not is_filtered(reading):
        return latest_values(reading, names)
    return reading.keep(("values", *view_key(reading), tuple(names)), lambda: _values(reading, names))


def _values(reading: Reading, names: Sequence[str]) -> dict[str, Value]:
    """The values of metrics beside those of the period before and of a year ago, all in one query."""
    where, begin = chosen(reading), data_months(reading)[0]
    models = reading.models(list(where))
    values, ranges = {}, {}
    for name in names:
        now = metric_range(reading, name)
        try:
            if now is None:
                values[name] = Value("", None, "No month of the data is over.")
            else:
                check_asked(reading, name, models, list(where), now)
                ranges[name] = now
        except ProductPulseError as problem:
            values[name] = Value(now.label if now else "", None, why_not_text(problem))
    others = [other for now in ranges.values() for other in (now, now.previous(), now.year_ago())]
    known = measured(
        reading, list(ranges), [each for each in others if each.first >= begin], rows_of_members(models, where)
    )
    return values | {name: _beside(reading, name, now, known) for name, now in ranges.items()}


Measured = Mapping[tuple[str, dt.date], float | None]
"""Values by metric and last month of the range."""


def measured(
    reading: Reading, names: Sequence[str], ranges: Sequence[TimeRange], models: Mapping[str, ir.Table]
) -> Measured:
    """The values of metrics in ranges; of the ranges that end in the same month the last one counts."""
    catalog = reading.rules.metric_catalog
    by_month = sorted({each.last: each for each in ranges}.items())
    rows = [{"first": each.first, "month": month, "is_complete": each.is_complete} for month, each in by_month]
    known = literal_rows(rows, RANGES)
    found: dict[tuple[str, dt.date], float | None] = {}
    for read, part in _by_models(catalog, names, models):
        history = metric_history(part, read, reading.table("calendar"), [], known).filter(
            _.metric_name.isin(list(names))
        )
        found |= {(row["metric_name"], row["month"]): row["value"] for row in reading.rows(history)}
    return found


def _by_models(
    catalog: MetricCatalog, names: Sequence[str], models: Mapping[str, ir.Table]
) -> Iterator[tuple[Mapping[str, ir.Table], MetricCatalog]]:
    """The metrics by the models that they are computed from: those that only add up leakage are read from its cases."""
    for is_of_cases in (False, True):
        chosen_names = [each for each in names if is_of_cases == (models_of(catalog, each, models) is not models)]
        needed = {each: None for name in chosen_names for each in needed_metrics(catalog, name)}
        if needed:
            part = catalog.model_copy(update={"metrics": {name: catalog.metrics[name] for name in needed}})
            yield models_of(catalog, chosen_names[0], models), part


def needed_metrics(catalog: MetricCatalog, name: str) -> list[str]:
    """The metric and every metric that it is computed from."""
    metric = catalog.metrics[name]
    operands = operand_names(metric.formula) if isinstance(metric.formula, Derived) else []
    return [*(each for operand in operands for each in needed_metrics(catalog, operand)), name]


def _beside(reading: Reading, name: str, now: TimeRange, known: Measured) -> Value:
    """The value of a metric in a range beside those that it can be compared with."""
    catalog, value = reading.rules.metric_catalog, known.get((name, now.last))
    if value is None:
        return Value(now.label, None, f"There is no value in {now.label}.")
    is_comparable = not is_present_only(catalog, name) and not (now.is_so_far and read_at(catalog, name) != AS_OF)
    pairs = [
        (each, known.get((name, each.last)) if is_comparable else None) for each in (now.previous(), now.year_ago())
    ]
    before, year_ago = (Compared(each.label, None if then is None else value - then, None) for each, then in pairs)
    return Value(now.label, value, None, before, year_ago)


def value_in_view(reading: Reading, name: str, period: str = "", where: Where | None = None) -> Value:
    """The value of a metric for the page's period and filters, or for others."""
    time_range, slices = metric_range(reading, name, period), chosen(reading) if where is None else where
    if time_range is None:
        return Value("", None, "No month of the data is over.")
    members = tuple((column, tuple(values)) for column, values in slices.items())
    return reading.keep(("value", name, time_range.name, members), lambda: _value(reading, name, time_range, slices))


def _value(reading: Reading, name: str, time_range: TimeRange, slices: Where) -> Value:
    """The value of a metric for a period and members beside those that it can be compared with."""
    try:
        models = models_for(reading, name, time_range, slices)
    except ProductPulseError as problem:
        return Value(time_range.label, None, why_not_text(problem))
    compared = metric_comparison(
        reading.rules.metric_catalog, name, models, reading.table("calendar"), time_range, data_months(reading)
    )
    rows = {row["comparison"]: row for row in reading.rows(compared)}
    texts = {each: Compared(row["compared_label"], row["change"], row["why_not"]) for each, row in rows.items()}
    value = next((row["value"] for row in rows.values()), None)
    why_not = None if value is not None else f"There is no value in {time_range.label}."
    return Value(time_range.label, value, why_not, texts.get(BEFORE), texts.get(YEAR_AGO))


def values_by(reading: Reading, name: str, time_range: TimeRange, by: str) -> Sequence[Row]:
    """The value of a metric per member of `by`, for the page's filters; raises as `models_for`."""

    def read() -> Sequence[Row]:
        models = models_for(reading, name, time_range, chosen(reading), [by])
        values = metric_values(reading.rules.metric_catalog, name, models, reading.table("calendar"), [time_range], by)
        return reading.rows(values.order_by(by))

    return reading.keep(("values_by", *view_key(reading), name, time_range.name, by), read)


def monthly_values(reading: Reading, names: Sequence[str]) -> dict[str, list[Row]]:
    """The values of metrics in every month of the data, for the page's filters: month, value and is_complete.

    A metric without the slices has no values, and one of the present has that of the last month.
    """

    def read() -> dict[str, list[Row]]:
        months, over, where = single_months(reading), complete_months(reading), chosen(reading)
        models = reading.models(list(where))
        known = measured(reading, _sliceable(reading, names, models), months, rows_of_members(models, where))
        return {
            name: [
                {"month": each.last, "value": known.get((name, each.last)), "is_complete": each.last in over}
                for each in months
            ]
            for name in names
        }

    return reading.keep(("monthly_values", *view_key(reading), tuple(names)), read)


def _sliceable(reading: Reading, names: Sequence[str], models: Mapping[str, ir.Table]) -> list[str]:
    columns, catalog = list(chosen(reading)), reading.rules.metric_catalog
    return [name for name in names if set(columns) <= set(slices_of(catalog, name, models, reading.rules.dimensions))]


def comparison_text(compared: Compared, unit: str, currency: str) -> str:
    """A change with what it is compared with: `+$1,500 vs May 2026`."""
    if compared.change is None:
        return f"vs {compared.label}: {compared.why_not}"
    return f"{change_text(compared.change, unit, currency)} vs {compared.label}"


def metric_behind(reading: Reading, asked: Asked) -> Behind:
    """A metric with its rows, for the page's period and filters and for what was asked besides."""
    catalog, name, currency = reading.rules.metric_catalog, asked.name, reading.currency
    where = chosen(reading) | {column: [member] for column, member in asked.where.items()}
    time_range = metric_range(reading, name, asked.period)
    if time_range is None:
        raise ProductPulseError("metric.no_complete_month", f"{name}: no month of the data is over.")
    models, metric = models_for(reading, name, time_range, where), catalog.metrics[name]
    found = value_in_view(reading, name, time_range.name, where)
    names = [] if is_present_only(catalog, name) else period_names(reading)
    return Behind(
        metric.label,
        where_text(where),
        value_text(found.value, metric.unit, currency, exact=True),
        metric_rows(catalog, name, models, time_range),
        tuple(dict.fromkeys(part.side for part in metric_parts(catalog, name))),
        tuple(sides_that_add_up(catalog, name)),
        tuple(comparison_text(each, metric.unit, currency) for each in (found.before, found.year_ago) if each),
        time_range,
        {each: known.label for each in names if (known := range_named(reading, each))},
    )
