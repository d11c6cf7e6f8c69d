"""Texts with {placeholders} as expressions: filled from a row's columns, as rules/text/formats.py says numbers."""

from __future__ import annotations

import re
from functools import reduce

import ibis
import ibis.expr.types as ir

from rules.text.formats import SHARES, SMALL_AMOUNT, SYMBOLS, percent
from rules.text.templates import placeholders, split_template

UNKNOWN = "unknown"


def filled(text: str, table: ir.Table, currency: str = "USD") -> ir.StringColumn:
    """`text` with each {column} replaced by the row's value; raises TemplateError for one without a column."""
    placeholders(text, table.columns)
    pieces = []
    for words, name in split_template(text):
        if words:
            pieces.append(ibis.literal(words))
        if name is not None:
            pieces.append(said(table[name], name, currency))
    return reduce(lambda left, right: left + right, pieces)


def said(column: ir.Value, name: str, currency: str = "USD") -> ir.StringColumn:
    """A value in words: money as $1,234, shares as 3.2 %, whole numbers grouped, dates as ISO."""
    kind = column.type()
    if kind.is_decimal():
        words = money_words(column, currency)
    elif kind.is_floating():
        is_share = name.endswith(SHARES)
        words = number_words(column * 100, 1) + " %" if is_share else number_words(column, 1)
    elif kind.is_integer():
        words = number_words(column, 0)
    elif kind.is_boolean():
        words = ibis.cases((column, "yes"), (~column, "no"))
    else:
        words = column.cast("string")
    return words.fill_null(UNKNOWN)


def money_words(amount: ir.DecimalValue, currency: str = "USD") -> ir.StringColumn:
    """An amount: small ones with their cents."""
    symbol = SYMBOLS.get(currency, f"{currency} ")
    size = amount.abs()
    has_cents = (size > 0) & (size < SMALL_AMOUNT)
    words = ibis.ifelse(has_cents, _size_words(_scaled(size, 2), 2), _size_words(_scaled(size, 0), 0))
    return ibis.ifelse(amount < 0, f"-{symbol}", symbol) + words


def number_words(value: ir.NumericValue, digits: int) -> ir.StringColumn:
    """A number with so many decimals and its thousands apart."""
    scaled = _scaled(value.abs(), digits)
    return ibis.ifelse((value < 0) & (scaled > 0), "-", "") + _size_words(scaled, digits)


def _scaled(size: ir.NumericValue, digits: int) -> ir.IntegerValue:
    """How many of the last digit that is shown there are in `size`, which is not negative."""
    return _rounded(size * 10**digits if digits else size)


def _size_words(scaled: ir.IntegerValue, digits: int) -> ir.StringColumn:
    if not digits:
        return _grouped(scaled)
    return _grouped(scaled // 10**digits) + "." + _ending("0" * digits, scaled % 10**digits)


def _rounded(size: ir.NumericValue) -> ir.IntegerValue:
    """The nearest whole number; of two equally near the even one, as in formats.py: databases take the larger."""
    if size.type().is_integer():
        return size
    return size.round().cast("int64") - (size % 2 == 0.5).cast("int64")


def _grouped(number: ir.IntegerValue) -> ir.StringColumn:
    """A whole number of at most fifteen digits, not negative, with commas.

    Of functions that databases have as they are: a query says dozens of numbers, and where Ibis
    has to write one as a case its argument is in the query twice.
    """
    padded = _ending(" " * 15, number)
    threes = [padded.left(end).right(3) for end in range(3, 15, 3)] + [padded.right(3)]
    return reduce(lambda left, right: left + "," + right, threes).replace(" ,", "").strip()


def _ending(blank: str, number: ir.IntegerValue) -> ir.StringColumn:
    """`blank` with the number's digits at its end."""
    return (ibis.literal(blank) + number.cast("string")).right(len(blank))


SIGNS = "=+\\-@\uff1d\uff0b\uff0d\uff20\ufe66\ufe62\ufe63\ufe6b"
"""What a formula begins with; spreadsheets take the full-width and the small forms for the plain ones."""

SKIPPED = (
    " '\"\\x00-\\x08\\x0b\\x0c\\x0e-\\x1f\\x7f\u0085\u00a0\u1680\u2000-\u200f\u2028-\u202f\u205f-\u206f\u3000\ufeff"
)
"""What may stand before that sign and is skipped or not seen: blanks, quotes, and marks without a width."""

RUNS = f"(^|[;\t\r\n])([{SKIPPED}]*[{SIGNS}])"
"""Where a spreadsheet finds a formula in a text: where it begins, and, as many split lines at semicolons or
tabs whatever stands in quotes, after one of these and after a line's end."""

SIGNED_NUMBER = "^[-+]?[0-9]+([.,][0-9]+)*$"
"""A text that a spreadsheet takes for a number, as it should."""


def harmless(table: ir.Table) -> ir.Table:
    """Texts in which a spreadsheet finds nothing to run: an apostrophe before each formula makes it plain text.

    The text is had back by taking away one apostrophe at each place of RUNS that has any: one that was
    there before gets another.
    """
    texts = [name for name, kind in table.schema().items() if kind.is_string()]
    return table.mutate(**{name: _harmless(table[name]) for name in texts})


def _harmless(text: ir.StringColumn) -> ir.StringColumn:
    runs = text.re_search(RUNS) & ~text.re_search(SIGNED_NUMBER)
    return ibis.ifelse(runs, text.re_replace(RUNS, r"\1'\2"), text)


def harmless_text(text: str) -> str:
    """One text as `harmless` has it."""
    return text if re.fullmatch(SIGNED_NUMBER, text) else re.sub(RUNS, r"\1'\2", text)


RELATIONS = {
    "less_than": "below {}",
    "less_or_equal": "{} or less",
    "greater_than": "above {}",
    "greater_or_equal": "{} or more",
    "equals": "exactly {}",
    "not_equals": "other than {}",
    "in": "one of {}",
    "not_in": "none of {}",
    "contains": "with {} in it",
    "between": "{} to {}",
    "is_true": "yes",
    "is_missing": "not known",
}
"""How each operator asks for its threshold in words."""


def relation_words(operator: str, threshold: object, name: str) -> str:
    """What a rule asks of the column `name`, for example `-50.0 % or less`."""
    values = threshold if isinstance(threshold, list | tuple) else [threshold]
    words = [_threshold(value, name) for value in values]
    relation = RELATIONS[operator]
    return relation.format(*words) if relation.count("{}") == len(words) else relation.format(", ".join(words))


def _threshold(value: object, name: str) -> str:
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, int | float):
        return percent(value) if name.endswith(SHARES) else f"{value:,}"
    return str(value)
