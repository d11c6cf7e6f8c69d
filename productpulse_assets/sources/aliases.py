"""Aliases: what a word of another system stands for, in a column of any type."""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Mapping
from decimal import ROUND_HALF_UP, Decimal

import ibis
import ibis.expr.datatypes as types
import ibis.expr.types as ir

from asset_checks.row_rules import is_among
from rules.models import IGNORE, Alias

NUMBER = re.compile(r"[+-]?(\d+\.?\d*|\.\d+)")
DAY = re.compile(r"\d{4}-\d{2}-\d{2}")
TRUE_WORDS = ("true", "t", "yes", "y", "1", "active")
FALSE_WORDS = ("false", "f", "no", "n", "0", "inactive")

Value = str | bool | int | Decimal | dt.date | None


def alias_value(kind: types.DataType, alias: Alias) -> Value:
    """The value that an alias stands for, as the column's type; None for an empty text, which means no value.

    Raises ValueError, with what is accepted, for a value that the column cannot have.
    """
    text = str(alias).strip()
    if not text:
        return None
    if kind.is_string():
        if not isinstance(alias, str):
            raise ValueError("text. In quotes it is text")
        return text
    if kind.is_boolean():
        return _boolean(text.lower())
    return _date(text) if kind.is_date() else _number(kind, text)


def _boolean(word: str) -> bool:
    if word not in TRUE_WORDS + FALSE_WORDS:
        raise ValueError("yes, no, '' for no value")
    return word in TRUE_WORDS


def _date(text: str) -> dt.date:
    try:
        if not DAY.fullmatch(text):
            raise ValueError
        return dt.date.fromisoformat(text)
    except ValueError as error:
        raise ValueError("a date such as 2026-06-30, '' for no value") from error


def _number(kind: types.DataType, text: str) -> int | Decimal:
    if not NUMBER.fullmatch(text):
        raise ValueError("a number such as 1234.50, '' for no value")
    number = Decimal(text)
    if kind.is_integer():
        if number != int(number):
            raise ValueError("a whole number, '' for no value")
        return int(number)
    return number.quantize(Decimal(1).scaleb(-kind.scale), ROUND_HALF_UP)


def replace_words(value: ir.Value, word: ir.StringColumn, kind: types.DataType, names: Mapping[str, Alias]) -> ir.Value:
    """`value`, or in rows whose `word` has an alias the value that it stands for."""
    found = word.lower()
    stands_for = [
        (found == _plain(name), ibis.literal(alias_value(kind, alias), type=kind)) for name, alias in names.items()
    ]
    return ibis.cases(*stands_for, else_=value)


def has_value(given: ir.BooleanValue, word: ir.StringColumn, names: Mapping[str, Alias]) -> ir.BooleanValue:
    """Whether there is a value: `given`, or in rows whose `word` has an alias whether that is a value."""
    found = word.lower()
    return ibis.cases(*((found == _plain(name), alias != "") for name, alias in names.items()), else_=given)


def is_ignored(word: ir.StringColumn, names: Mapping[str, Alias]) -> ir.BooleanValue:
    """Whether the alias of a status leaves its row out."""
    ignored = [_plain(name) for name, alias in names.items() if alias == IGNORE]
    return is_among(word.lower(), ignored).fill_null(False) if ignored else ibis.literal(False)


def without_ignored(names: Mapping[str, Alias]) -> dict[str, Alias]:
    """The aliases that stand for a value."""
    return {name: alias for name, alias in names.items() if alias != IGNORE}


def _plain(name: str) -> str:
    """A word of sources.yaml for comparisons: case and blanks around it do not count."""
    return name.strip().lower()
