"""A metric's present value told in a row: which days, against what, and why it may be missing."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass

import ibis

from rules.metrics.formula import measure_words
from rules.metrics.models import Derived, Metric, MetricCatalog, Ratio
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

Row = dict[str, object]


@dataclass(frozen=True)
class Availability:
    """What the sources lack: by metric the `dataset.column`s it needs, and which are absent."""

    columns: dict[str, list[str]]
    absent_datasets: set[str]
    absent_columns: set[str]


@dataclass(frozen=True)
class Months:
    """The calendar as the summary needs it."""

    starts: list[dt.date]
    as_of: dt.date
    last_complete: dt.date | None

    @classmethod
    def of(cls, calendar: list[Row]) -> Months:
        """The months of the calendar, oldest first."""
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

    def read_month(self, place: str) -> dt.date | None:
        """The month that a metric is read in: the last complete one, None if there is none, or the as-of month."""
        return self.last_complete if place == LAST_COMPLETE else self.starts[-1]

    def before(self, month: dt.date | None, count: int = 1) -> dt.date | None:
        """The month `count` earlier, if the data reaches that far."""
        if month is None or self.starts.index(month) < count:
            return None
        return self.starts[self.starts.index(month) - count]


def summarise(
    rules: Rules, history: list[Row], calendar: list[Row], availability: Availability, targets: list[Row]
) -> list[Row]:
    """One row per metric of the catalog, in its order, from the rows of the tables."""
    catalog, currency = rules.metric_catalog, rules.currency
    months = Months.of(calendar)
    values = {(row["metric_name"], row["month"]): row for row in history}
    present = {name: values.get((name, months.read_month(read_at(catalog, name))), {}) for name in catalog.metrics}
    rows = []
    for name, metric in catalog.metrics.items():
        period_start, period_end = _days(catalog, name, months)
        previous = values.get((name, months.before(months.read_month(read_at(catalog, name)))), {})
        value, before = _known(present[name]), _known(previous)
        change = None if value is None or before is None else value - before
        reason = _reason(catalog, name, present, availability, months) if value is None else None
        rows.append(
            {
                "metric_name": name,
                "label": metric.label,
                "category": metric.category,
                "value": value,
                "amount": present[name].get("amount") if metric.unit == "money" else None,
                "unit": metric.unit,
                "grain": _grain(catalog, name),
                "period_start": period_start,
                "period_end": period_end,
                "previous_value": before,
                "change": change,
                **_against_target(catalog, name, value, period_end, targets),
                "status": "Available" if value is not None else "Not available",
                "explanation": _explanation(catalog, name, present, change, currency),
                "not_available_reason": reason,
            }
        )
    return rows


def _known(row: Row) -> float | None:
    value = row.get("value")
    return None if is_unknown(value) else float(value)


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
    reach = longest_period(catalog, name) - 1
    first = months.before(months.last_complete, reach) or months.starts[0]
    return first, months.end(months.last_complete)


def _against_target(
    catalog: MetricCatalog, name: str, value: float | None, period_end: dt.date | None, targets: list[Row]
) -> Row:
    """The newest target that holds at the period's end, and how far the value is from it."""
    metric = catalog.metrics[name]
    called = catalog.names_in_targets(name)
    holding = [
        target
        for target in targets
        if target["metric_name"].casefold() in called and period_end and target["date"] <= period_end
    ]
    if not holding:
        return {"target_value": None, "target_gap": None, "target_status": "No target"}
    wanted = float(max(holding, key=lambda target: target["date"])["target_value"])
    if value is None:
        return {"target_value": wanted, "target_gap": None, "target_status": "Not available"}
    gap = value - wanted
    is_met = round(gap, DIGITS) <= 0 if metric.good_direction == "down" else round(gap, DIGITS) >= 0
    status = "Not judged" if metric.good_direction == "neutral" else "Met" if is_met else "Missed"
    return {"target_value": wanted, "target_gap": gap, "target_status": status}


def _explanation(
    catalog: MetricCatalog, name: str, present: dict[str, Row], change: float | None, currency: str
) -> str:
    """The numbers behind the value in a sentence, such as `$284,090.00 over 710 paying customers`."""
    metric = catalog.metrics[name]
    value = _known(present[name])
    if value is None:
        return f"{metric.label} is not available."
    text = value_text(value, metric.unit, currency, exact=True)
    if parts := _parts(catalog, metric, present[name], currency):
        text = f"{text} = {parts[0]} over {parts[1]}"
    elif metric.counted_by and (count := _known(present[metric.counted_by])) is not None:
        counted = catalog.metrics[metric.counted_by]
        text = f"{text} over {value_text(count, counted.unit)} {_lowered(counted.label)}"
    if change is not None:
        text += f" ({change_text(change, metric.unit, currency)} on the month before)"
    return f"{text}."


def _parts(catalog: MetricCatalog, metric: Metric, row: Row, currency: str) -> tuple[str, str] | None:
    """Numerator and denominator with what they are, where the metric is a quotient."""
    named = _part_names(catalog, metric)
    if named is None:
        return None
    numbers = (row["numerator"], row["denominator"])
    top, bottom = (
        f"{value_text(number, unit, currency, exact=True)} {words}".strip()
        for number, (words, unit) in zip(numbers, named, strict=True)
    )
    return top, bottom


def _part_names(catalog: MetricCatalog, metric: Metric) -> list[tuple[str, str]] | None:
    """(words, unit) of a quotient's two parts."""
    formula = metric.formula
    if isinstance(formula, Ratio):
        return [(item.label or measure_words(item), item.unit) for item in (formula.numerator, formula.denominator)]
    if isinstance(formula, Derived) and formula.combination == "divide":
        return [_operand_name(catalog, operand) for operand in formula.operands]
    return None


def _operand_name(catalog: MetricCatalog, operand: object) -> tuple[str, str]:
    if isinstance(operand, str):
        metric = catalog.metrics[operand]
        return _lowered(metric.label), metric.unit
    units = {catalog.metrics[name].unit for name in operand_names(operand)} if isinstance(operand, Derived) else set()
    return "", units.pop() if len(units) == 1 else "number"


def _lowered(label: str) -> str:
    """A label inside a sentence; abbreviations such as MRR stay as they are."""
    return label if label[:2].isupper() else label[0].lower() + label[1:]


def _reason(
    catalog: MetricCatalog, name: str, present: dict[str, Row], availability: Availability, months: Months
) -> str:
    """Why there is no value, the cause first: absent data, then time, then a zero denominator."""
    needed = availability.columns.get(name, [])
    datasets = sorted({column.split(".")[0] for column in needed} & availability.absent_datasets)
    if datasets:
        return f"Needs the {_listed('dataset', datasets)}."
    columns = sorted(set(needed) & availability.absent_columns)
    if columns:
        return f"Needs the {_listed('column', columns)}."
    if read_at(catalog, name) == LAST_COMPLETE and months.last_complete is None:
        return "The data does not cover a complete month yet."
    if zero := _zero_divisor(catalog, name, present):
        return f"{zero[0].upper()}{zero[1:]} is 0, so there is nothing to divide by."
    formula = catalog.metrics[name].formula
    for operand in operand_names(formula) if isinstance(formula, Derived) else ():
        if _known(present[operand]) is None:
            return f"Needs {_lowered(catalog.metrics[operand].label)}, which is not available."
    names = ", ".join(sorted({column.split(".")[0] for column in needed}))
    return f"There are no rows of {names} to compute it from."


def _listed(noun: str, names: Sequence[str]) -> str:
    """`dataset targets, which is absent`, or `columns a, b and c, which are absent`."""
    if len(names) == 1:
        return f"{noun} {names[0]}, which is absent"
    return f"{noun}s {', '.join(names[:-1])} and {names[-1]}, which are absent"


def _zero_divisor(catalog: MetricCatalog, name: str, present: dict[str, Row]) -> str | None:
    """What the metric divides by, in words, where that is 0."""
    if present[name].get("denominator") == 0:
        return _part_names(catalog, catalog.metrics[name])[1][0] or "the denominator"
    zeros = [each for each in _divisors(catalog.metrics[name].formula) if _known(present[each]) == 0]
    return catalog.metrics[zeros[0]].label if zeros else None


def _divisors(formula: object) -> list[str]:
    """The metrics that are divided by anywhere in a formula."""
    if not isinstance(formula, Derived):
        return []
    below = formula.operands[1:] if formula.combination == "divide" else ()
    deeper = [name for operand in formula.operands for name in _divisors(operand)]
    return [name for name in below if isinstance(name, str)] + deeper
