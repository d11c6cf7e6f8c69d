"""How numbers and texts are written: one way for the command line, the reports and the pages."""

from __future__ import annotations

import datetime as dt
import math
import os
import re
from collections.abc import Mapping
from decimal import Decimal
from typing import Any, cast

SYMBOLS = {"USD": "$", "EUR": "€", "GBP": "£", "JPY": "¥"}
NOT_AVAILABLE = "not available"
SMALL_AMOUNT = 1000
"""Amounts below this are written with cents."""

SHARES = ("_rate", "_change", "_error")
"""Endings of the names of columns that hold shares of 1, which are written in percent."""

ACTION_MONEY = ("monthly_revenue", "recurring_value", "one_off_cash")
"""The columns with the money of an action. Each adds up over rows; they are never added to each other."""

TEXT_LIMIT = 600
NAME_LIMIT = 80
"""Characters of a text, and of a name within one, that pages and reports show."""

_INVISIBLE = re.compile(
    "[\\x00-\\x08\\x0e-\\x1f\\x7f-\\x84\\x86-\\x9f\\u061c\\u200b\\u200e\\u200f\\u202a-\\u202e\\u2060-\\u206f\\ufeff]+"
)
"""Control characters, and marks that change the direction of the text next to them."""

_USER_IN_ADDRESS = re.compile(r"(\w:/{1,2})[^\s/'\"]+@")
"""With one slash or two: the path of a URL may have only one."""
_GIVEN_SECRET = re.compile(
    r"\b((?:password|passwd|pwd|secret|token|api_?key|access_?key)\s*=\s*)(?:'[^']*'|\"[^\"]*\"|[^\s'\"&;]+)",
    re.IGNORECASE,
)

Number = int | float | Decimal


def is_unknown(value: object) -> bool:
    """Whether a value is None or NaN, which is written as not available."""
    return value is None or (isinstance(value, float) and math.isnan(value))


def one_line(text: object, limit: int = TEXT_LIMIT) -> str:
    """Text from data on one line, without invisible characters, cut at `limit` characters."""
    line = " ".join(_INVISIBLE.sub("", str(text)).split())
    return line if len(line) <= limit else f"{line[: limit - 1].rstrip()}…"


def path_text(path: object) -> str:
    """A path on one line; invisible characters and bytes that are not UTF-8 are written as escapes."""
    text = os.fsencode(str(path)).decode("utf-8", "backslashreplace")
    return "".join(each if each.isprintable() else each.encode("unicode_escape").decode() for each in text)


def without_credentials(text: str) -> str:
    """Text without the users and passwords of its URLs, and without the values of passwords and tokens."""
    return _GIVEN_SECRET.sub(r"\1…", _USER_IN_ADDRESS.sub(r"\1…@", text))


_NO_WIDTH = frozenset("\u034f\u115f\u1160\u17b4\u17b5\u3164\uffa0") | {chr(code) for code in range(0xFE00, 0xFE10)}
"""Letters and accents that are invisible, though Unicode calls them printable."""


def printable_line(text: object, limit: int = TEXT_LIMIT) -> str:
    """Text from data in a message: on one line, cut at `limit` characters, each invisible character as its code.

    Without the codes, a value that was refused for an invisible character would look right.
    """
    line = escape_invisible(text)
    return line if len(line) <= limit else f"{line[: limit - 1].rstrip()}…"


def escape_invisible(text: object, keep: str = "") -> str:
    """Text with its invisible characters as their codes; the characters of `keep` stay."""
    return "".join(
        character
        if character in keep or (character.isprintable() and character not in _NO_WIDTH)
        else character.encode("unicode_escape").decode()
        for character in str(text)
    )


def name_with_key(name: object, key: object) -> str:
    """A name with its key: `Cedar Design LLC (C-000132)`; the key alone where there is no name."""
    shown = one_line(name, NAME_LIMIT) if name is not None else ""
    return f"{shown} ({one_line(key, NAME_LIMIT)})" if shown else one_line(key, NAME_LIMIT)


def money(value: Number, currency: str = "USD", *, cents: bool = False) -> str:
    """`$284,090`, or with `cents` `$284,090.00`; small amounts always have cents: `-$61.27`."""
    symbol = SYMBOLS.get(currency, f"{currency} ")
    size = _size(value)
    has_cents = cents or 0 < size < SMALL_AMOUNT
    digits = f"{size:,.2f}" if has_cents else f"{size:,.0f}"
    sign = "-" if value < 0 and digits.strip("0.,") else ""
    return f"{sign}{symbol}{digits}"


def _size(value: Number) -> Number:
    """The value without its sign."""
    return cast("Number", abs(value))  # mypy takes the abs of three types for an object


def percent(value: Number, digits: int = 1) -> str:
    """A share as `3.2 %`."""
    return f"{value * 100:z,.{digits}f} %"


def value_text(value: Number | None, unit: str, currency: str = "USD", *, exact: bool = False) -> str:
    """A metric's value in its unit; `exact` keeps cents, and two digits of a rate."""
    if value is None or is_unknown(value):
        return NOT_AVAILABLE
    if unit == "money":
        return money(value, currency, cents=exact)
    if unit == "rate":
        return percent(value, 2 if exact else 1)
    if unit == "count":
        return f"{value:z,.0f}"
    text = f"{value:z,.2f}" if unit in ("ratio", "number") else f"{value:z,.1f}"
    return f"{text} {unit}" if unit in ("days", "months") else text


def action_money(row: Mapping[str, Any], currency: str = "USD") -> str:
    """What an action, or several, is about: `$2,495 a month, $29,941 over 12 months, and $500.00 once`.

    `row` has the columns of ACTION_MONEY.
    """
    monthly, cash = (row[name] if not is_unknown(row[name]) else None for name in ("monthly_revenue", "one_off_cash"))
    recurring = f"{money(monthly, currency)} a month, {_over_months(row, currency)}" if monthly else ""
    if parts := [part for part in (recurring, f"{money(cash, currency)} once" if cash else "") if part]:
        return ", and ".join(parts)
    return NOT_AVAILABLE if monthly is None and cash is None else money(0, currency)


def priority_money(row: Mapping[str, Any], currency: str = "USD") -> str:
    """What the priority of a recommendation counts: `$29,941 over 12 months`, or `$500.00 once`."""
    return _over_months(row, currency) if row["monthly_revenue"] else f"{money(row['one_off_cash'], currency)} once"


def _over_months(row: Mapping[str, Any], currency: str) -> str:
    """`$29,941 over 12 months`, where monthly_revenue is not 0."""
    months = f"{float(row['recurring_value']) / float(row['monthly_revenue']):,.1f}".removesuffix(".0")
    return f"{money(row['recurring_value'], currency)} over {months} {'month' if months == '1' else 'months'}"


def change_text(change: Number | None, unit: str, currency: str = "USD") -> str:
    """A change with its sign; of a rate in percentage points. A change that rounds to 0 has no sign."""
    if change is None or is_unknown(change):
        return NOT_AVAILABLE
    size = _size(change)
    text = f"{size * 100:,.1f} pp" if unit == "rate" else value_text(size, unit, currency)
    if not any(digit in text for digit in "123456789"):
        return text
    return f"{'-' if change < 0 else '+'}{text}"


def movement_text(change: Number | None, unit: str, currency: str = "USD") -> str:
    """A change in words: `up $1,500`, `down 2.0 pp` or `unchanged`; one that rounds to 0 is unchanged."""
    text = change_text(change, unit, currency)
    if text == NOT_AVAILABLE:
        return NOT_AVAILABLE
    if text[0] not in "+-":
        return "unchanged"
    return f"{'up' if text[0] == '+' else 'down'} {text[1:]}"


def number_text(value: Number | None, digits: int = 0) -> str:
    """A number without a unit, such as a score, with this number of decimals."""
    return NOT_AVAILABLE if is_unknown(value) else f"{value:z,.{digits}f}"


def count_text(count: Number | None, one: str, many: str = "") -> str:
    """A count with its noun: `1 customer`, `1,200 customers`; `many` where the plural is not formed with an s."""
    return f"{value_text(count, 'count')} {one if count == 1 else many or f'{one}s'}"


def month_text(day: dt.date) -> str:
    """The month of a day: `June 2026`."""
    return f"{day:%B %Y}"


def period_text(start: dt.date | None, end: dt.date | None) -> str:
    """The days that a value covers: `2026-06-30`, `Jun 2026` or `Apr to Jun 2026`."""
    if start is None or end is None:
        return "no complete month"
    if start == end:
        return end.isoformat()
    if (start.year, start.month) == (end.year, end.month):
        return f"{end:%b %Y}"
    return f"{start:%b} to {end:%b %Y}" if start.year == end.year else f"{start:%b %Y} to {end:%b %Y}"


def cell_text(value: object, name: str, currency: str = "USD") -> str:
    """A value of a table's column `name`, as rules/text/sql_text.py writes it in the database."""
    if is_unknown(value):
        return "unknown"
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, Decimal):
        return money(value, currency)
    if isinstance(value, int):
        return f"{value:,}"
    if isinstance(value, float):
        return percent(value) if name.endswith(SHARES) else f"{value:z,.1f}"
    return str(value)


def age_text(age: dt.timedelta) -> str:
    """How long ago something was: `5 minutes`, `1 hour` or `4 days`."""
    hours = max(age.total_seconds(), 0) / 3600
    if hours * 60 < 1:
        return "less than a minute"
    if round(hours * 60) < 60:
        count, unit = round(hours * 60), "minute"
    elif hours < 48:
        count, unit = round(hours), "hour"
    else:
        count, unit = round(hours / 24), "day"
    return f"{count} {unit}{'' if count == 1 else 's'}"
