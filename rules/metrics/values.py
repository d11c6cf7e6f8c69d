"""A metric's value in any range of months and slice, and beside the range before and a year ago."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping, Sequence

import ibis
import ibis.expr.types as ir
from ibis import _

from rules.literals import literal_rows
from rules.metrics.compile import metric_history
from rules.metrics.models import Derived, MetricCatalog
from rules.metrics.parts import is_present_only
from rules.metrics.periods import AS_OF, longest_period, operand_names, read_at
from rules.metrics.slices import models_of
from rules.metrics.time_range import THIS_MONTH, TimeRange
from rules.text.errors import ProductPulseError
from rules.units import month_start

BEFORE, YEAR_AGO = "before", "year_ago"
RANGES = ibis.schema({"period": "string", "first": "date", "month": "date", "is_complete": "boolean"})
COMPARED = ibis.schema(
    {
        "comparison": "string",
        "month": "date",
        "compared_period": "string",
        "compared_label": "string",
        "why_not": "string",
    }
)


def check_range(catalog: MetricCatalog, name: str, time_range: TimeRange, months: Sequence[dt.date]) -> None:
    """Raise ProductPulseError for a range in which the metric is not known, because the present alone is."""
    if time_range.last != months[-1] and is_present_only(catalog, name):
        raise ProductPulseError(
            "metric.present_only",
            f"{name} is known for the present only: ask for it without a period, or with the period {THIS_MONTH}. "
            "`productpulse backfill` computes its values at past month ends, for all customers.",
            metric=name,
        )


def metric_values(
    catalog: MetricCatalog,
    name: str,
    models: Mapping[str, ir.Table],
    calendar: ir.Table,
    ranges: Sequence[TimeRange],
    by: str | None = None,
) -> ir.Table:
    """One row per range, and per member of `by`: period, month, `by`, value, numerator and denominator.

    period is the name of the range, month its last month. Ranges end in different months. Flows add up over the
    months of the range, columns about the start of a month are those of its first one, and columns about the end,
    stocks and trailing periods those of its last one (rules/metrics/periods.py). Rates and means are computed from
    such parts. In a range of one month everything is as in kpi_history.
    """
    needed = catalog.model_copy(update={"metrics": {each: catalog.metrics[each] for each in _needed(catalog, name)}})
    known = range_rows(ranges)
    first = month_start(min(each.first for each in ranges), 1 - longest_period(catalog, name))
    read = {each: _from_month(table, first) for each, table in models_of(catalog, name, models).items()}
    history = metric_history(needed, read, calendar, [by] if by else [], known.drop("period"))
    dated = history.filter(_.metric_name == name).join(known.select("month", "period"), "month")
    return dated.select("period", "month", *([by] if by else []), "value", "numerator", "denominator")


def range_rows(ranges: Sequence[TimeRange]) -> ir.Table:
    """One row per range: period, its name; first and month, its first and its last month; is_complete."""
    columns = {"period": "name", "first": "first", "month": "last", "is_complete": "is_complete"}
    return literal_rows([{column: getattr(each, name) for column, name in columns.items()} for each in ranges], RANGES)


def _from_month(table: ir.Table, first: dt.date) -> ir.Table:
    """The rows of this month and later, so that a query does not read all others."""
    return table.filter(table.month >= ibis.literal(first)) if "month" in table.columns else table


def _needed(catalog: MetricCatalog, name: str) -> list[str]:
    """The metric and every metric that it is computed from."""
    metric = catalog.metrics[name]
    operands = operand_names(metric.formula) if isinstance(metric.formula, Derived) else []
    return list(dict.fromkeys([each for operand in operands for each in _needed(catalog, operand)] + [name]))


def metric_comparison(
    catalog: MetricCatalog,
    name: str,
    models: Mapping[str, ir.Table],
    calendar: ir.Table,
    time_range: TimeRange,
    months: Sequence[dt.date],
    by: str | None = None,
) -> ir.Table:
    """Two rows, and two per member of `by`: the value beside that of the range before, and of a year ago.

    comparison is `before` or `year_ago`, compared_period and compared_label the range compared with, compared_value
    its value. change is value less compared_value; change_rate is change divided by the size of compared_value. Both
    are NULL with a reason, why_not, where there is nothing to compare with. `months` are those of the data.
    """
    pairs = {BEFORE: time_range.previous(), YEAR_AGO: time_range.year_ago()}
    reasons = {each: _why_not(catalog, name, time_range, other, months) for each, other in pairs.items()}
    known = {other.last: other for other in pairs.values() if _is_known(catalog, name, other, months)}
    found = metric_values(catalog, name, models, calendar, [time_range, *known.values()], by)
    rows = [
        {"comparison": each, "month": other.last, "compared_period": other.name, "compared_label": other.label,
         "why_not": reasons[each]}
        for each, other in pairs.items()
    ]  # fmt: skip
    keys = [by] if by else []
    values = found.filter(_.month == ibis.literal(time_range.last)).select("period", *keys, "value")
    earlier = found.select("month", *keys, compared_value="value")
    asked = values.cross_join(literal_rows(rows, COMPARED))
    both = asked.left_join(earlier, ["month", *keys]).select(*asked.columns, "compared_value")
    reason = both.why_not.coalesce(
        _no_value(both.value, time_range.label), _no_value(both.compared_value, both.compared_label)
    )
    change = ibis.ifelse(reason.isnull(), both.value - both.compared_value, ibis.null("float64"))
    both = both.drop("month").mutate(why_not=reason, change=change)
    return both.mutate(change_rate=both.change / both.compared_value.abs().nullif(0)).order_by(*keys, "comparison")


def _no_value(value: ir.Value, label: str | ir.StringValue) -> ir.StringValue:
    """Why there is no change, where there is no value."""
    return ibis.ifelse(value.isnull(), ibis.literal("There is no value in ") + label + ".", ibis.null("string"))


def _is_known(catalog: MetricCatalog, name: str, other: TimeRange, months: Sequence[dt.date]) -> bool:
    """Whether the metric can be computed in all months of the range."""
    return other.first >= months[0] and not is_present_only(catalog, name)


def _why_not(
    catalog: MetricCatalog, name: str, time_range: TimeRange, other: TimeRange, months: Sequence[dt.date]
) -> str | None:
    """Why a value cannot be compared with that of another range; None where it can."""
    if is_present_only(catalog, name):
        return "It is known for the present only."
    if other.first < months[0]:
        return f"The data begins in {months[0]:%B %Y}."
    if time_range.is_so_far and read_at(catalog, name) != AS_OF:
        return f"{time_range.last:%B %Y} is not over, and {other.label} has all its days."
    return None
