"""The operators of rules, filters and conditions: one table, so that no text from a file is run as code."""

from __future__ import annotations

import datetime
from collections.abc import Callable
from typing import Any, Literal

import ibis.expr.datatypes as dt
import ibis.expr.types as ir

Operator = Literal[
    "less_than",
    "less_or_equal",
    "greater_than",
    "greater_or_equal",
    "equals",
    "not_equals",
    "in",
    "not_in",
    "contains",
    "between",
    "is_true",
    "is_missing",
]
"""The operators by name, as the files have them."""

OPERATORS: dict[str, Callable[[ir.Column, Any], ir.BooleanColumn]] = {
    "less_than": lambda column, value: column < value,
    "less_or_equal": lambda column, value: column <= value,
    "greater_than": lambda column, value: column > value,
    "greater_or_equal": lambda column, value: column >= value,
    "equals": lambda column, value: column == value,
    "not_equals": lambda column, value: column != value,
    "in": lambda column, value: column.isin(value),
    "not_in": lambda column, value: column.notin(value),
    "contains": lambda column, value: column.contains(value),
    "between": lambda column, value: column.between(*value),
    "is_true": lambda column, value: column,
    "is_missing": lambda column, value: column.isnull(),
}
"""The expression of each operator for a column and a value. NULL satisfies only `is_missing`; `between` includes
both ends."""

DIGITS = 9
"""Decimal places to which floating-point numbers are rounded before they are compared."""

WITHOUT_VALUE = frozenset({"is_true", "is_missing"})
WITH_LIST = frozenset({"in", "not_in", "between"})


def comparison(operator: str, column: ir.Column, value: Any) -> ir.BooleanColumn:
    """Whether `column` and `value` satisfy the operator; NULL where the column is NULL, except for `is_missing`."""
    values = tuple(_rounded(each) for each in value) if isinstance(value, list | tuple) else _rounded(value)
    return OPERATORS[operator](round_for_comparison(column), values)


def round_for_comparison(value: ir.Value) -> ir.Value:
    """A floating-point number rounded to DIGITS: a change of -0.24999999999999994 must satisfy `-0.25 or less`."""
    return value.round(DIGITS) if value.type().is_floating() else value


def _rounded(value: Any) -> Any:
    return round(value, DIGITS) if isinstance(value, float) else value


def value_problem(operator: str, value: Any) -> str | None:
    """What is wrong with the value of a condition with `operator`, or None."""
    if operator in WITHOUT_VALUE:
        return None if value is None else f"{operator} takes no value"
    if value is None:
        return f"{operator} needs a value"
    if operator in WITH_LIST and not (isinstance(value, list | tuple) and value):
        return f"{operator} needs a list of at least one value"
    if operator not in WITH_LIST and isinstance(value, list | tuple | dict):
        return f"{operator} needs a single value, not a list"
    if operator == "between" and len(value) != 2:
        return "between needs a list of two: the lowest and the highest value"
    return None


def type_problem(operator: str, value: Any, column: ir.Column) -> str | None:
    """Why `column` cannot be compared with `value`, or None."""
    kind = column.type()
    if operator == "is_missing":
        return None
    if operator == "is_true":
        return None if kind.is_boolean() else f"is_true needs a true/false column; this one is {kind}"
    if operator == "contains" and not kind.is_string():
        return f"contains needs a text column; this one is {kind}"
    values = value if isinstance(value, list | tuple) else [value]
    wrong = [item for item in values if not _is_comparable(item, kind)]
    if wrong:
        return f"{wrong[0]!r} cannot be compared with a column of type {kind}; accepted: {_accepted(kind)}"
    if operator == "between" and value[0] > value[1]:
        return f"between needs the lowest value first; {value[0]!r} is above {value[1]!r}"
    return None


def _accepted(kind: dt.DataType) -> str:
    if kind.is_boolean():
        return "true or false"
    if kind.is_temporal():
        return "a date such as 2026-06-30"
    return "a number" if kind.is_numeric() else "text"


def _is_comparable(value: Any, kind: dt.DataType) -> bool:
    if isinstance(value, bool):
        return bool(kind.is_boolean())
    if isinstance(value, int | float):
        return bool(kind.is_numeric())
    if isinstance(value, datetime.date):
        return bool(kind.is_temporal())
    return isinstance(value, str) and bool(kind.is_string())
