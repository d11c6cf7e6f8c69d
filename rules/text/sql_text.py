"""Texts as Ibis expressions: templates filled from a row, and numbers written as in rules/text/formats.py."""

from __future__ import annotations

import re
from functools import reduce

import ibis
import ibis.expr.types as ir

from rules.text.formats import SHARES, SMALL_AMOUNT, SYMBOLS, percent
from rules.text.templates import placeholders, split_template

UNKNOWN = "unknown"


def fill_template(text: str, table: ir.Table, currency: str = "USD") -> ir.StringColumn:
    """`text` with each {column} replaced by the row's value; raises TemplateError for one without a column."""
    placeholders(text, table.columns)
    pieces = []
    for words, name in split_template(text):
        if words:
            pieces.append(ibis.literal(words))
        if name is not None:
            pieces.append(value_words(table[name], name, currency))
    return reduce(lambda left, right: left + right, pieces)


def value_words(column: ir.Value, name: str, currency: str = "USD") -> ir.StringColumn:
    """A column's values as text: money as $1,234, shares as 3.2 %, whole numbers as 1,234, dates as ISO."""
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
    """Amounts as text, small ones with cents."""
    symbol = SYMBOLS.get(currency, f"{currency} ")
    size = amount.abs()
    has_cents = (size > 0) & (size < SMALL_AMOUNT)
    words = ibis.ifelse(has_cents, _size_words(_scaled(size, 2), 2), _size_words(_scaled(size, 0), 0))
    return ibis.ifelse(amount < 0, f"-{symbol}", symbol) + words


def number_words(value: ir.NumericValue, digits: int) -> ir.StringColumn:
    """Numbers as text, with this number of decimals and a comma between thousands."""
    scaled = _scaled(value.abs(), digits)
    return ibis.ifelse((value < 0) & (scaled > 0), "-", "") + _size_words(scaled, digits)


def _scaled(size: ir.NumericValue, digits: int) -> ir.IntegerValue:
    """`size`, which is not negative, as a whole number of its last digit that is shown."""
    return _rounded(size * 10**digits if digits else size)


def _size_words(scaled: ir.IntegerValue, digits: int) -> ir.StringColumn:
    if not digits:
        return _grouped(scaled)
    return _grouped(scaled // 10**digits) + "." + _ending("0" * digits, scaled % 10**digits)


def _rounded(size: ir.NumericValue) -> ir.IntegerValue:
    """The nearest whole number; half rounds to even, as in formats.py, where databases round half up."""
    if size.type().is_integer():
        return size
    return size.round().cast("int64") - (size % 2 == 0.5).cast("int64")


def _grouped(number: ir.IntegerValue) -> ir.StringColumn:
    """A whole number of at most fifteen digits, not negative, with a comma between thousands.

    Only functions that every database has: a query has dozens of numbers, and where Ibis writes a function
    as a CASE, its argument is in the query twice.
    """
    padded = _ending(" " * 15, number)
    threes = [padded.left(end).right(3) for end in range(3, 15, 3)] + [padded.right(3)]
    return reduce(lambda left, right: left + "," + right, threes).replace(" ,", "").strip()


def _ending(blank: str, number: ir.IntegerValue) -> ir.StringColumn:
    """`blank` with its end replaced by the number's digits."""
    return (ibis.literal(blank) + number.cast("string")).right(len(blank))


SIGNS = "=+\\-@\uff1d\uff0b\uff0d\uff20\ufe66\ufe62\ufe63\ufe6b"
"""The characters that begin a formula; spreadsheets accept their full-width and small forms too."""

SKIPPED = (
    " '\"\\x00-\\x08\\x0b\\x0c\\x0e-\\x1f\\x7f\u0085\u00a0\u1680\u2000-\u200f\u2028-\u202f\u205f-\u206f\u3000\ufeff"
)
"""Characters that spreadsheets skip before that sign: blanks, quotes, and characters without a width."""

FORMULA_START = f"(^|[;\t\r\n])([{SKIPPED}]*[{SIGNS}])"
"""Where a spreadsheet finds a formula in a text: at the start, after a line's end, and after a semicolon or a tab,
since many programs split lines at these even inside quotes."""

SIGNED_NUMBER = "^[-+]?[0-9]+([.,][0-9]+)*$"
"""A text that a spreadsheet reads as a number; it needs no escape."""


def escape_formulas(table: ir.Table) -> ir.Table:
    """The table with an apostrophe before each formula in its texts, so that a spreadsheet runs none of them.

    Removing one apostrophe at each place of FORMULA_START that has one gives the original text: a text that had an
    apostrophe there gets a second one.
    """
    texts = [name for name, kind in table.schema().items() if kind.is_string()]
    return table.mutate(**{name: _escape_formula(table[name]) for name in texts})


def _escape_formula(text: ir.StringColumn) -> ir.StringColumn:
    has_formula = text.re_search(FORMULA_START) & ~text.re_search(SIGNED_NUMBER)
    return ibis.ifelse(has_formula, text.re_replace(FORMULA_START, r"\1'\2"), text)


def escape_formula_text(text: str) -> str:
    """One text, escaped as by `escape_formulas`."""
    return text if re.fullmatch(SIGNED_NUMBER, text) else re.sub(FORMULA_START, r"\1'\2", text)


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
"""Each operator with its threshold, in words."""


def relation_words(operator: str, threshold: object, name: str) -> str:
    """The condition of a rule on the column `name`, for example `-50.0 % or less`."""
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
