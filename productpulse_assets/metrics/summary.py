"""A metric's present value as a row: its days, its target, its numbers in a sentence, and why it may be missing."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import TypedDict

import ibis

from rules.metrics.formula import measure_words
from rules.metrics.models import Basis, Derived, Measure, Metric, MetricCatalog, Ratio
from rules.metrics.periods import LAST_COMPLETE, longest_period, operand_names, read_at
from rules.operators import DIGITS
from rules.rule_set import Rules
from rules.text.formats import change_text, is_unknown, value_text
from rules.units import MONEY

SUMMARY_SCHEMA = ibis.schema(
    {
        "metric_name": "string",
        "label": "string",
        "category": "string",
        "value": "float64",
        "amount": MONEY,
        "unit": "string",
        "grain": "string",
        "period_start": "date",
        "period_end": "date",
        "previous_value": "float64",
        "change": "float64",
        "target_value": "float64",
        "target_gap": "float64",
        "target_status": "string",
        "status": "string",
        "explanation": "string",
        "not_available_reason": "string",
    }
)


class HistoryRow(TypedDict):
    """A row of kpi_history, as far as the summary needs it."""

    metric_name: str
    month: dt.date
    value: float | None
    amount: Decimal | None
    numerator: float | None
    denominator: float | None


class CalendarRow(TypedDict):
    """A row of calendar, as far as the summary needs it."""

    month: dt.date
    is_complete: bool
    as_of_date: dt.date


class TargetRow(TypedDict):
    """A row of targets, as far as the summary needs it."""

    metric_name: str
    target_value: Decimal
    date: dt.date


class TargetColumns(TypedDict):
    """The columns of kpi_summary about the target."""

    target_value: float | None
    target_gap: float | None
    target_status: str


class SummaryRow(TargetColumns):
    """A row of kpi_summary."""

    metric_name: str
    label: str
    category: str
    value: float | None
    amount: Decimal | None
    unit: str
    grain: str
    period_start: dt.date | None
    period_end: dt.date | None
    previous_value: float | None
    change: float | None
    status: str
    explanation: str
    not_available_reason: str | None


Present = Mapping[str, HistoryRow | None]
"""By metric: its row of kpi_history in the month that its present value is read from; None without such a row."""


@dataclass(frozen=True)
class Availability:
    """Which `dataset.column`s each metric needs, by metric, and which datasets and columns the sources lack."""

    columns: dict[str, list[str]]
    absent_datasets: set[str]
    absent_columns: set[str]


@dataclass(frozen=True)
class Months:
    """The calendar as the summary needs it: the first days of its months, oldest first."""

    starts: list[dt.date]
    as_of: dt.date
    last_complete: dt.date | None

    @classmethod
    def of(cls, calendar: Sequence[CalendarRow]) -> Months:
        """The months of the calendar, whose rows are in order."""
        complete = [row["month"] for row in calendar if row["is_complete"]]
        return cls(
            starts=[row["month"] for row in calendar],
            as_of=calendar[-1]["as_of_date"],
            last_complete=complete[-1] if complete else None,
        )

    def end(self, month: dt.date) -> dt.date:
        """The last day of a complete month."""
        later = self.starts.index(month) + 1
        return self.starts[later] - dt.timedelta(days=1) if later < len(self.starts) else self.as_of

    def read_month(self, period: str) -> dt.date | None:
        """The month that a metric is read in: the last complete one (None if there is none) or the as-of month."""
        return self.last_complete if period == LAST_COMPLETE else self.starts[-1]

    def before(self, month: dt.date | None, count: int = 1) -> dt.date | None:
        """The month `count` earlier, if the data reaches that far."""
        if month is None or self.starts.index(month) < count:
            return None
        return self.starts[self.starts.index(month) - count]


def summary_rows(
    rules: Rules,
    history: Sequence[HistoryRow],
    calendar: Sequence[CalendarRow],
    availability: Availability,
    targets: Sequence[TargetRow],
) -> list[SummaryRow]:
    """One row per metric of the catalog, in its order, from the rows of the tables; those of calendar are in order."""
    catalog, months = rules.metric_catalog, Months.of(calendar)
    by_month = {(row["metric_name"], row["month"]): row for row in history}

    def row_of(name: str, month: dt.date | None) -> HistoryRow | None:
        return by_month.get((name, month)) if month else None

    read_months = {name: months.read_month(read_at(catalog, name)) for name in catalog.metrics}
    present = {name: row_of(name, month) for name, month in read_months.items()}
    rows = []
    for name, month in read_months.items():
        previous = _value(row_of(name, months.before(month)))
        row = _summary_row(rules, name, present, previous, months, targets, availability.absent_datasets)
        if row["value"] is None:
            row["not_available_reason"] = _reason(catalog, name, present, availability, months)
        rows.append(row)
    return rows


def _summary_row(
    rules: Rules,
    name: str,
    present: Present,
    previous: float | None,
    months: Months,
    targets: Sequence[TargetRow],
    absent: set[str],
) -> SummaryRow:
    """The row of one metric, still without the reason for a missing value."""
    catalog = rules.metric_catalog
    metric, row = catalog.metrics[name], present[name]
    value = _value(row)
    change = None if value is None or previous is None else value - previous
    period_start, period_end = _days(catalog, name, months)
    return {
        "metric_name": name,
        "label": metric.label,
        "category": metric.category,
        "value": value,
        "amount": row["amount"] if row and metric.unit == "money" else None,
        "unit": metric.unit,
        "grain": _grain(catalog, name),
        "period_start": period_start,
        "period_end": period_end,
        "previous_value": previous,
        "change": change,
        **_target_columns(metric, name, value, period_end, targets),
        "status": "Available" if value is not None else "Not available",
        "explanation": _explanation(catalog, name, present, change, rules.currency)
        + _basis_text(catalog, name, absent),
        "not_available_reason": None,
    }


def _value(row: HistoryRow | None) -> float | None:
    """The value of a row; None if it is not a number or there is no row."""
    value = row["value"] if row else None
    return None if value is None or is_unknown(value) else float(value)


def _grain(catalog: MetricCatalog, name: str) -> str:
    if read_at(catalog, name) != LAST_COMPLETE:
        return "day"
    length = longest_period(catalog, name)
    return "month" if length == 1 else f"{length} months"


def _days(catalog: MetricCatalog, name: str, months: Months) -> tuple[dt.date | None, dt.date | None]:
    """First and last day that the value covers."""
    if read_at(catalog, name) != LAST_COMPLETE:
        return months.as_of, months.as_of
    if months.last_complete is None:
        return None, None
    earlier = longest_period(catalog, name) - 1
    first = months.before(months.last_complete, earlier) or months.starts[0]
    return first, months.end(months.last_complete)


def _target_columns(
    metric: Metric, name: str, value: float | None, period_end: dt.date | None, targets: Sequence[TargetRow]
) -> TargetColumns:
    """The newest target that is valid at the period's end, and how far the value is from it."""
    names = metric.names_in_targets(name)
    valid = [
        target
        for target in targets
        if target["metric_name"].casefold() in names and period_end and target["date"] <= period_end
    ]
    if not valid:
        return {"target_value": None, "target_gap": None, "target_status": "No target"}
    target_value = float(max(valid, key=lambda target: target["date"])["target_value"])
    if value is None:
        return {"target_value": target_value, "target_gap": None, "target_status": "Not available"}
    if metric.is_target_in_percent(target_value):
        return {"target_value": target_value, "target_gap": None, "target_status": "Not judged"}
    gap = value - target_value
    is_met = round(gap, DIGITS) <= 0 if metric.good_direction == "down" else round(gap, DIGITS) >= 0
    status = "Not judged" if metric.good_direction == "neutral" else "Met" if is_met else "Missed"
    return {"target_value": target_value, "target_gap": gap, "target_status": status}


def _explanation(catalog: MetricCatalog, name: str, present: Present, change: float | None, currency: str) -> str:
    """The numbers behind the value in a sentence, such as `$284,090.00 from 710 paying customers`."""
    metric = catalog.metrics[name]
    value = _value(present[name])
    if value is None:
        return f"{metric.label} is not available."
    text = value_text(value, metric.unit, currency, exact=True)
    if parts := _parts(catalog, metric, present[name], currency):
        text = f"{text} = {parts[0]} divided by {parts[1]}"
    elif metric.counted_by and (count := _value(present[metric.counted_by])) is not None:
        counted = catalog.metrics[metric.counted_by]
        text = f"{text} from {value_text(count, counted.unit)} {_lowered(counted.label)}"
    if change is not None:
        text += f" ({change_text(change, metric.unit, currency)} compared with the month before)"
    return f"{text}."


def _bases(catalog: MetricCatalog, name: str) -> list[tuple[Basis, ...]]:
    """The datasets of which one is enough, of the metric and of those that it is computed from."""
    metric = catalog.metrics[name]
    operands = operand_names(metric.formula) if isinstance(metric.formula, Derived) else []
    found = [group for operand in operands for group in _bases(catalog, operand)]
    return list(dict.fromkeys([metric.basis, *found] if metric.basis else found))


def _basis_text(catalog: MetricCatalog, name: str, absent: set[str]) -> str:
    """Which of several datasets the metric is computed from, as sentences after its explanation."""
    present = [[basis for basis in group if basis.dataset not in absent][:1] for group in _bases(catalog, name)]
    return "".join(f" {basis.text}" for first in present for basis in first)


def _parts(catalog: MetricCatalog, metric: Metric, row: HistoryRow | None, currency: str) -> tuple[str, str] | None:
    """Numerator and denominator, each with what it counts; None where the metric is not a quotient."""
    names = _part_names(catalog, metric)
    if names is None or row is None:
        return None
    (top, top_unit), (bottom, bottom_unit) = names
    numerator = value_text(row["numerator"], top_unit, currency, exact=True)
    denominator = value_text(row["denominator"], bottom_unit, currency, exact=True)
    return f"{numerator} {top}".strip(), f"{denominator} {bottom}".strip()


PartName = tuple[str, str]
"""What a part of a quotient counts, in words, and its unit."""


def _part_names(catalog: MetricCatalog, metric: Metric) -> tuple[PartName, PartName] | None:
    """The names of a quotient's numerator and denominator."""
    formula = metric.formula
    if isinstance(formula, Ratio):
        return _measure_name(formula.numerator), _measure_name(formula.denominator)
    if isinstance(formula, Derived) and formula.combination == "divide":
        dividend, divisor = formula.operands
        return _operand_name(catalog, dividend), _operand_name(catalog, divisor)
    return None


def _measure_name(measure: Measure) -> PartName:
    return measure.label or measure_words(measure), measure.unit


def _operand_name(catalog: MetricCatalog, operand: object) -> PartName:
    if isinstance(operand, str):
        metric = catalog.metrics[operand]
        return _lowered(metric.label), metric.unit
    units = {catalog.metrics[name].unit for name in operand_names(operand)} if isinstance(operand, Derived) else set()
    return "", units.pop() if len(units) == 1 else "number"


def _lowered(label: str) -> str:
    """A label inside a sentence; abbreviations such as MRR keep their capitals."""
    return label if label[:2].isupper() else label[0].lower() + label[1:]


def _reason(catalog: MetricCatalog, name: str, present: Present, availability: Availability, months: Months) -> str:
    """Why there is no value. The first cause that applies: absent data, no complete month, a zero denominator."""
    needed = availability.columns.get(name, [])
    missing = {column.split(".")[0] for column in needed} & availability.absent_datasets
    for group in _bases(catalog, name):
        alternatives = [basis.dataset for basis in group]
        missing -= set(alternatives)
        if availability.absent_datasets.issuperset(alternatives):
            missing.add(" or ".join(alternatives))
    datasets = sorted(missing)
    if datasets:
        return f"Needs the {_absent('dataset', datasets)}."
    columns = sorted(set(needed) & availability.absent_columns)
    if columns:
        return f"Needs the {_absent('column', columns)}."
    if read_at(catalog, name) == LAST_COMPLETE and months.last_complete is None:
        return "The data does not cover a complete month yet."
    if zero := _zero_divisor(catalog, name, present):
        return f"{zero[0].upper()}{zero[1:]} is 0, so there is nothing to divide by."
    formula = catalog.metrics[name].formula
    for operand in operand_names(formula) if isinstance(formula, Derived) else ():
        if _value(present[operand]) is None:
            return f"Needs {_lowered(catalog.metrics[operand].label)}, which is not available."
    names = ", ".join(sorted({column.split(".")[0] for column in needed}))
    return f"There are no rows of {names} to compute it from."


def _absent(noun: str, names: Sequence[str]) -> str:
    """`dataset targets, which is absent`, or `columns a, b and c, which are absent`."""
    if len(names) == 1:
        return f"{noun} {names[0]}, which is absent"
    return f"{noun}s {', '.join(names[:-1])} and {names[-1]}, which are absent"


def _zero_divisor(catalog: MetricCatalog, name: str, present: Present) -> str | None:
    """The part of the formula that the metric divides by, in words, where it is 0."""
    metric, row = catalog.metrics[name], present[name]
    if row and row["denominator"] == 0 and (names := _part_names(catalog, metric)):
        return names[1][0] or "the denominator"
    zeros = [each for each in _divisors(metric.formula) if _value(present[each]) == 0]
    return catalog.metrics[zeros[0]].label if zeros else None


def _divisors(formula: object) -> list[str]:
    """The metrics that a formula divides by, at any depth."""
    if not isinstance(formula, Derived):
        return []
    divisors = formula.operands[1:] if formula.combination == "divide" else ()
    deeper = [name for operand in formula.operands for name in _divisors(operand)]
    return [name for name in divisors if isinstance(name, str)] + deeper
