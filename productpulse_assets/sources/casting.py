"""Text and native values of a source column as the contract's type; what does not parse is NULL."""

from __future__ import annotations

from collections.abc import Sequence

import ibis
import ibis.expr.datatypes as dt
import ibis.expr.types as ir

from asset_checks.row_rules import is_among
from productpulse_assets.sources.readers.blanks import AROUND
from rules.models import Sources

ISO_DATE = r"^\d{4}-\d{1,2}-\d{1,2}$"
LOCAL_TIME = r"^\d{4}-\d{1,2}-\d{1,2}[T ]\d{1,2}:\d{2}(:\d{1,2}(\.\d*)?)?$"
OFFSET = r"[+-](0\d|1[0-5])(:?[0-5]\d){0,2}$"
"""No place is further from UTC; DuckDB takes any two digits for hours, and +99:99 would move the day by four."""

TIME_IN_ZONE = rf"^\d{{4}}-\d{{1,2}}-\d{{1,2}}[T ]\d{{1,2}}:\d{{2}}:\d{{1,2}}(\.\d*)?( ?[A-Za-z]|{OFFSET})"
"""An ISO timestamp without and with an offset or a zone of its own. They are read apart: DuckDB reads a text without
one in the zone that the row before has named."""

DECIMAL_NUMBER = r"^[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d{1,2})?$"
WHOLE_NUMBER = r"^[+-]?\d+(\.0*)?$"
CALENDAR = ("1900-01-02", "9999-12-31")
"""The first and the last day that is taken for a date. Earlier ones (0001-01-01, 1899-12-30, 1900-01-01) are how
programs write that there is none, and would count as thousands of months; later ones are no dates to Python."""

EPOCH = "1970-01-01"
"""Second 0 of Unix: programs write it where they have no time."""

TRUE_WORDS = ("true", "t", "yes", "y", "1", "active")
FALSE_WORDS = ("false", "f", "no", "n", "0", "inactive")


@ibis.udf.scalar.builtin
def try_strptime(text: str, date_format: str) -> dt.timestamp:
    """DuckDB's strptime that gives NULL where the text does not fit."""


def text_of(raw: ir.Column, null_values: Sequence[str] = ()) -> ir.StringColumn:
    """A source value as text without the blanks around it; NULL if it is empty or one of `null_values`."""
    text = written(raw).re_replace(AROUND, "").nullif("")
    if not null_values:
        return text
    return ibis.ifelse(is_among(text.lower(), [word.lower() for word in null_values]), ibis.null("string"), text)


def written(raw: ir.Column) -> ir.StringColumn:
    """A source value as text; of a moment in no calendar, which DuckDB can keep but not write, the day."""
    if not raw.type().is_timestamp():
        return raw.cast("string")
    return ibis.ifelse(in_calendar(raw.date()), raw.cast("string"), raw.date().cast("string"))


def in_calendar(day: ir.DateColumn) -> ir.BooleanColumn:
    """Whether it is a day that something can have happened on."""
    return day.between(*(ibis.date(each) for each in CALENDAR)) & (day != ibis.date(EPOCH))


def is_given(raw: ir.Column, sources: Sources) -> ir.BooleanColumn:
    """Whether the source has a value here; blank text and the words of `null_values` are none."""
    return text_of(raw, sources.null_values).notnull() if raw.type().is_string() else raw.notnull()


def typed(raw: ir.Column, kind: dt.DataType, sources: Sources, target: str) -> ir.Column:
    """`raw` as `kind`; `target` (dataset.column) picks its aliases. NULL where it does not parse."""
    if kind.is_string():
        return _renamed(text_of(raw, sources.null_values), sources.aliases.get(target, {}))
    if kind.is_date():
        return _date(raw, sources.date_formats)
    if kind.is_boolean():
        return raw if raw.type().is_boolean() else _boolean(text_of(raw), sources.aliases.get(target, {}))
    if kind.is_decimal():
        return _decimal(raw, kind)
    return _whole_number(raw, kind)


def canonical(column: ir.StringColumn, allowed: tuple[str, ...]) -> ir.StringColumn:
    """Allowed values in the contract's own spelling, however the source writes them."""
    return _renamed(column, {value: value for value in allowed})


def converted(amount: ir.Column, currency: ir.StringColumn, sources: Sources) -> ir.Column:
    """`amount` in the reporting currency; NULL where the currency has no rate."""
    home = currency.isnull() | (currency == sources.reporting_currency)
    # A literal without its type would be one of three decimals.
    rates = [
        (currency == code, (amount * ibis.literal(rate, type="decimal(18, 10)")).cast(amount.type()))
        for code, rate in sources.exchange_rates.items()
    ]
    return ibis.cases((home, amount), *rates, else_=ibis.null(amount.type()))


def _renamed(text: ir.StringColumn, names: dict[str, str]) -> ir.StringColumn:
    if not names:
        return text
    folded = text.lower()
    return ibis.cases(*((folded == name.lower(), value) for name, value in names.items()), else_=text)


def _date(raw: ir.Column, formats: list[str]) -> ir.DateColumn:
    found = _any_date(raw, formats)
    return ibis.ifelse(in_calendar(found), found, ibis.null("date"))


def _any_date(raw: ir.Column, formats: list[str]) -> ir.DateColumn:
    if raw.type().is_date():
        return raw
    if raw.type().is_timestamp():
        return raw.date()
    text = text_of(raw)
    attempts = [
        ibis.cases(
            (text.re_search(ISO_DATE), text.try_cast("date")),
            (text.re_search(LOCAL_TIME), text.try_cast("timestamp").date()),
            (text.re_search(TIME_IN_ZONE), text.try_cast(dt.Timestamp(timezone="UTC")).date()),
            else_=ibis.null("date"),
        ),
        *(_in_format(text, date_format) for date_format in formats),
    ]
    return ibis.coalesce(*attempts)


def _in_format(text: ir.StringColumn, date_format: str) -> ir.DateColumn:
    day = try_strptime(text, date_format).date()
    return ibis.ifelse(text.re_search(OFFSET), day, ibis.null("date")) if date_format.endswith("%z") else day


def _boolean(text: ir.StringColumn, names: dict[str, str | bool]) -> ir.BooleanColumn:
    # An unquoted yes or no is true or false to YAML.
    words = {name: str(value) for name, value in names.items()}
    text = _renamed(text, words).lower()
    return ibis.cases(
        (is_among(text, TRUE_WORDS), True), (is_among(text, FALSE_WORDS), False), else_=ibis.null("boolean")
    )


def _decimal(raw: ir.Column, kind: dt.Decimal) -> ir.DecimalColumn:
    if raw.type().is_numeric():
        return raw.try_cast(kind)
    text = text_of(raw)
    return ibis.ifelse(text.re_search(DECIMAL_NUMBER), text.try_cast(kind), ibis.null(kind))


def _whole_number(raw: ir.Column, kind: dt.DataType) -> ir.IntegerColumn:
    if raw.type().is_integer():
        return raw.try_cast(kind)
    if raw.type().is_numeric():
        whole = raw.try_cast(kind)
        return ibis.ifelse(whole.cast("float64") == raw.cast("float64"), whole, ibis.null(kind))
    text = text_of(raw)
    return ibis.ifelse(text.re_search(WHOLE_NUMBER), text.try_cast(kind), ibis.null(kind))
