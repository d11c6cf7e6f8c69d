"""Numbers as exports write them: thousands separators, decimal signs, and the currency around an amount.

Without a number_format in sources.yaml, a number has a decimal point and nothing else. A format states how 1234.5 is
written; only then separators and currencies are accepted, because 1.234 is one number in one country and another in the
next.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import NamedTuple

import ibis
import ibis.expr.datatypes as dt
import ibis.expr.types as ir

from asset_checks.row_rules import is_among

EXPONENT = r"(?:[eE][+-]?\d{1,2})?"
PLAIN = r"(?:\d+\.?\d*|\.\d+)"
SPACE = r"[ \x{a0}\x{2009}\x{202f}]"
SIGN = r"[-+\x{2212}]?"


@dataclass(frozen=True)
class NumberFormat:
    """How numbers are written. separator: between thousands, as a character class; decimal: the decimal sign."""

    separator: str
    decimal: str
    number: str

    def plain(self, text: ir.StringColumn) -> ir.StringColumn:
        """The text of a number in this format with a decimal point and no separators."""
        digits = text.re_replace(self.separator, "") if self.separator else text
        return digits.replace(self.decimal, ".")


def _grouped(separator: str, decimal: str, groups: str = "") -> NumberFormat:
    """Thousands with or without separators, which must have three digits after them: 12,50 is not 1,250."""
    whole = rf"(?:[1-9]\d{{0,2}}(?:{separator}\d{{3}})+{groups}|\d+)"
    return NumberFormat(
        separator, decimal, rf"(?:{whole}(?:{re.escape(decimal)}\d*)?|{re.escape(decimal)}\d+){EXPONENT}"
    )


FORMATS: dict[str, NumberFormat] = {
    "1234.50": NumberFormat("", ".", PLAIN + EXPONENT),
    "1,234.50": _grouped(",", ".", r"|[1-9]\d?(?:,\d{2})+,\d{3}"),  # 12,34,567 in India
    "1.234,50": _grouped(r"\.", ","),
    "1 234,50": _grouped(SPACE, ","),
    "1'234.50": _grouped(r"['\x{2019}]", "."),
}
"""By the text of 1234.5 in each format."""

DOLLARS = (
    "USD", "ARS", "AUD", "BBD", "BMD", "BND", "BSD", "BZD", "CAD", "CLP", "COP", "DOP", "FJD", "GYD", "HKD", "JMD",
    "KYD", "MXN", "NAD", "NZD", "SGD", "SRD", "TTD", "TWD", "UYU", "XCD",
)  # fmt: skip
CURRENCY_SIGNS: dict[str, tuple[str, ...]] = {
    "US$": ("USD",), "CA$": ("CAD",), "C$": ("CAD", "NIO"), "AU$": ("AUD",), "A$": ("AUD",), "NZ$": ("NZD",),
    "HK$": ("HKD",), "NT$": ("TWD",), "MX$": ("MXN",), "R$": ("BRL",), "S$": ("SGD",), "$": DOLLARS, "€": ("EUR",),
    "£": ("GBP",), "¥": ("JPY", "CNY"), "₹": ("INR",), "₩": ("KRW",), "₪": ("ILS",), "₺": ("TRY",), "₽": ("RUB",),
    "₴": ("UAH",), "₫": ("VND",), "₦": ("NGN",), "₱": ("PHP", "CUP"), "฿": ("THB",), "ZŁ": ("PLN",), "KČ": ("CZK",),
    "FT": ("HUF",), "KR.": ("DKK", "SEK", "NOK", "ISK"), "KR": ("SEK", "NOK", "DKK", "ISK"), "FR.": ("CHF",),
}  # fmt: skip
"""The codes that a sign can stand for, in capitals; a longer sign comes before one that it contains."""

MARK = rf"(?:[A-Za-z]{{3}}|(?i:{'|'.join(re.escape(sign) for sign in CURRENCY_SIGNS)}))"


class Amount(NamedTuple):
    """An amount and the currencies that are written before and after it, in capitals; empty where there is none."""

    number: ir.DecimalColumn
    marks: tuple[ir.StringColumn, ...]


def cast_number(text: ir.StringColumn, kind: dt.DataType, number_format: NumberFormat) -> ir.NumericColumn:
    """A text in the format as `kind`; NULL for any other text, and for a whole number with a fraction."""
    is_number = text.re_search(rf"^{SIGN}{number_format.number}$")
    return _cast(ibis.ifelse(is_number, number_format.plain(text), ibis.null("string")), kind)


def cast_amount(text: ir.StringColumn, kind: dt.DataType, number_format: NumberFormat) -> Amount:
    """A text in the format as `kind`, with or without a currency before or after it."""
    pattern = rf"^({SIGN})({MARK}?){SPACE}*({SIGN})({number_format.number}){SPACE}*({MARK}?)$"
    minus, before, inner_minus, digits, after = (text.re_extract(pattern, part) for part in range(1, 6))
    number = _cast((minus + inner_minus + number_format.plain(digits)).nullif(""), kind)
    return Amount(number, (before.upper(), after.upper()))


def _cast(text: ir.StringColumn, kind: dt.DataType) -> ir.NumericColumn:
    plain = text.re_replace(r"^\x{2212}", "-")
    if not kind.is_integer():
        return plain.try_cast(kind)
    return ibis.ifelse(plain.re_search(r"^[+-]?\d+(\.0*)?$"), plain.try_cast(kind), ibis.null(kind))


def currency_of(marks: Iterable[ir.StringColumn]) -> ir.StringColumn:
    """The code that the currencies around an amount give; NULL where there is none, or a sign of several currencies."""
    single = {sign: codes[0] for sign, codes in CURRENCY_SIGNS.items() if len(codes) == 1}
    found = [
        ibis.cases(
            *((mark == sign, code) for sign, code in single.items()),
            (mark.re_search("^[A-Z]{3}$"), mark),
            else_=ibis.null("string"),
        )
        for mark in marks
    ]
    return ibis.coalesce(*found)


def agrees(marks: Iterable[ir.StringColumn], currency: ir.StringValue) -> ir.BooleanValue:
    """Whether the currencies around an amount can be `currency`."""
    return ibis.and_(
        *(
            ibis.cases(
                (mark == "", True),
                *((mark == sign, is_among(currency, codes)) for sign, codes in CURRENCY_SIGNS.items()),
                else_=mark == currency,
            ).fill_null(True)
            for mark in marks
        )
    )


# --- a point that may be one for thousands --------------------------------------------------------

THREE_DIGITS = r"^[+-]?[1-9]\d{0,2}\.\d{3}$"
"""1.234 is 1234 where the point is for thousands."""

DECIMAL_POINT = r"^[+-]?(?:\d*\.(?:\d{1,2}|\d{4,})|0*\.\d+|\d{4,}\.\d*)(?:[eE][+-]?\d{1,2})?$"
"""No point for thousands has one, two, or more than three digits after it, or a zero, nothing or more than three digits
before it."""


def has_long_fractions(raw: ir.Table, columns: Mapping[str, ir.StringColumn]) -> ir.Table:
    """One row: for each column, whether a value has three characters or more after a point. It is cheap to compute,
    and most exports have none."""
    return raw.aggregate(**{name: text.like("%.___%").any().fill_null(False) for name, text in columns.items()})


def point_forms(raw: ir.Table, columns: Mapping[str, ir.StringColumn]) -> ir.Table:
    """One row per file with a value such as 1.234: for each column, whether no value shows what its points are."""
    forms = {
        name: text.re_search(THREE_DIGITS).any().fill_null(False)
        & ~text.re_search(DECIMAL_POINT).any().fill_null(False)
        for name, text in columns.items()
    }
    found = raw.group_by("source_file").aggregate(**forms)
    return found.filter(ibis.or_(*(found[name] for name in columns)))


def is_unclear(text: ir.StringColumn, source_file: ir.StringColumn, files: Iterable[str]) -> ir.BooleanValue:
    """Whether the text may be a thousand times the number that it looks like: it is from one of `files`."""
    return is_among(source_file, tuple(files)) & text.re_search(THREE_DIGITS)
