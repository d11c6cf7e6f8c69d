"""Text and native values of a source column as the contract's type; a value that does not parse is NULL."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

import ibis
import ibis.expr.datatypes as dt
import ibis.expr.types as ir

from asset_checks.row_rules import is_among
from productpulse_assets.sources import aliases
from productpulse_assets.sources.aliases import FALSE_WORDS, TRUE_WORDS
from productpulse_assets.sources.numbers import FORMATS, cast_number
from productpulse_assets.sources.readers.blanks import AROUND
from rules.models import Alias, Sources

ISO_DATE = r"^\d{4}-\d{1,2}-\d{1,2}$"
LOCAL_TIME = r"^\d{4}-\d{1,2}-\d{1,2}[T ]\d{1,2}:\d{2}(:\d{1,2}(\.\d*)?)?$"
OFFSET = r"[+-](0\d|1[0-5])(:?[0-5]\d){0,2}$"
"""No time zone is further from UTC; DuckDB accepts any two digits as hours, and +99:99 would move the day by four."""

CLOCK = r"^\d{4}-\d{1,2}-\d{1,2}[T ]\d{1,2}:\d{2}"
TIME_IN_ZONE = rf"{CLOCK}:\d{{1,2}}(\.\d*)?( ?[A-Za-z]|{OFFSET})"
"""An ISO timestamp with an offset or the name of a zone. Those without are matched by LOCAL_TIME and cast apart: DuckDB
would read them in the zone of the row before."""

MINUTE_IN_ZONE = rf"{CLOCK}( ?[A-Za-z]|{OFFSET})"
"""The same without seconds, which DuckDB's cast does not accept."""

DECIMAL_NUMBER = r"^[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d{1,2})?$"
WHOLE_NUMBER = r"^[+-]?(\d+(\.0{0,2}|\.0{4,})?|(0+|\d{4,})\.000)$"
"""7.0 is 7, but 1.000 may be a thousand."""

CALENDAR = ("1900-01-02", "9999-12-31")
"""The first and the last day that is accepted as a date. Programs write earlier ones (0001-01-01, 1899-12-30,
1900-01-01) for "no date", and they would count as thousands of months; Python has no later ones."""

EPOCH = "1970-01-01"
"""Second 0 of Unix: programs write it where they have no time."""


NUMBERED_DAY = r"^\d{1,15}(\.0*)?$"
FIRST_SECOND, LAST_SECOND = 631_152_000, 253_402_300_799
FIRST_SERIAL, LAST_SERIAL, SERIAL_ZERO = 32_874, 2_958_465, "1899-12-30"
"""1990-01-01 and 9999-12-31 in seconds since 1970 and in Excel's days. No subscription is older: a smaller number has
another unit, such as seconds where milliseconds are expected, and would be a day in January 1970."""


@ibis.udf.scalar.builtin  # type: ignore[untyped-decorator]  # Ibis has no types
def to_timestamp(seconds: float) -> dt.Timestamp(timezone="UTC"):  # type: ignore[valid-type]
    """The moment this number of seconds after the start of 1970."""


@ibis.udf.scalar.builtin  # type: ignore[untyped-decorator]  # Ibis has no types
def try_strptime(text: str, date_format: str) -> dt.timestamp:
    """DuckDB's strptime that returns NULL where the text does not have the format."""


def trimmed_text(raw: ir.Column, null_values: Sequence[str] = ()) -> ir.StringColumn:
    """A source value as text without the blanks around it; NULL if it is empty or one of `null_values`."""
    text = source_text(raw).re_replace(AROUND, "").nullif("")
    if not null_values:
        return text
    return ibis.ifelse(is_among(text.lower(), [word.lower() for word in null_values]), ibis.null("string"), text)


def source_text(raw: ir.Column) -> ir.StringColumn:
    """A source value as text; of a timestamp outside the calendar the day, since DuckDB cannot format the time."""
    if not raw.type().is_timestamp():
        return raw.cast("string")
    return ibis.ifelse(is_in_calendar(raw.date()), raw.cast("string"), raw.date().cast("string"))


def is_in_calendar(day: ir.DateColumn) -> ir.BooleanColumn:
    """Whether the day is between the two days of CALENDAR, and not the EPOCH."""
    return day.between(*(ibis.date(each) for each in CALENDAR)) & (day != ibis.date(EPOCH))


def has_value(raw: ir.Column, sources: Sources, names: Mapping[str, Alias]) -> ir.BooleanColumn:
    """Whether the source has a value: blank text, the words of `null_values` and aliases for no value are none."""
    given = trimmed_text(raw, sources.null_values).notnull() if raw.type().is_string() else raw.notnull()
    return aliases.has_value(given, trimmed_text(raw), names) if names else given


def cast_column(
    raw: ir.Column, kind: dt.DataType, sources: Sources, names: Mapping[str, Alias], number_format: str | None = None
) -> ir.Column:
    """`raw` as `kind`, where `names` are the aliases of the column. NULL where it does not parse."""
    return with_aliases(_parsed(raw, kind, sources, number_format), raw, kind, names)


def with_aliases(value: ir.Column, raw: ir.Column, kind: dt.DataType, names: Mapping[str, Alias]) -> ir.Column:
    """`value`, or in rows whose word in `raw` has an alias the value that it stands for."""
    return aliases.replace_words(value, trimmed_text(raw), kind, names) if names else value


def _parsed(raw: ir.Column, kind: dt.DataType, sources: Sources, number_format: str | None) -> ir.Column:
    if kind.is_string():
        return trimmed_text(raw, sources.null_values)
    if kind.is_date():
        return _date(raw, sources.date_formats)
    if kind.is_boolean():
        return raw if raw.type().is_boolean() else _boolean(trimmed_text(raw))
    if number_format and raw.type().is_string():
        return cast_number(trimmed_text(raw), kind, FORMATS[number_format])
    return _decimal(raw, kind) if kind.is_decimal() else _whole_number(raw, kind)


def contract_spelling(column: ir.StringColumn, allowed: tuple[str, ...]) -> ir.StringColumn:
    """Allowed values in the contract's spelling, whatever their case in the source."""
    folded = column.lower()
    return ibis.cases(*((folded == value.lower(), value) for value in allowed), else_=column)


def convert(amount: ir.Column, currency: ir.StringColumn, sources: Sources) -> ir.Column:
    """`amount` in the reporting currency; NULL where the currency has no rate."""
    home = currency.isnull() | (currency == sources.reporting_currency)
    # Without a type, the literal would have three decimal places.
    rates = [
        (currency == code, (amount * ibis.literal(rate, type="decimal(18, 10)")).cast(amount.type()))
        for code, rate in sources.exchange_rates.items()
    ]
    return ibis.cases((home, amount), *rates, else_=ibis.null(amount.type()))


def _date(raw: ir.Column, formats: list[str]) -> ir.DateColumn:
    if raw.type().is_date() or raw.type().is_timestamp():
        return _in_calendar(raw if raw.type().is_date() else raw.date())
    text = trimmed_text(raw)
    found = ibis.coalesce(_iso_date(text), *(_in_format(text, each) for each in formats if each not in NUMBERED))
    numbered = [NUMBERED[each](text) for each in formats if each in NUMBERED]
    return ibis.coalesce(_in_calendar(found), *numbered) if numbered else _in_calendar(found)


def _in_calendar(day: ir.DateColumn) -> ir.DateColumn:
    return ibis.ifelse(is_in_calendar(day), day, ibis.null("date"))


def _iso_date(text: ir.StringColumn) -> ir.DateColumn:
    return ibis.cases(
        (text.re_search(ISO_DATE), text.try_cast("date")),
        (text.re_search(LOCAL_TIME), text.try_cast("timestamp").date()),
        (text.re_search(TIME_IN_ZONE), text.try_cast(dt.Timestamp(timezone="UTC")).date()),
        (text.re_search(MINUTE_IN_ZONE), _with_seconds(text).try_cast(dt.Timestamp(timezone="UTC")).date()),
        else_=ibis.null("date"),
    )


def _with_seconds(text: ir.StringColumn) -> ir.StringColumn:
    return text.re_extract(CLOCK, 0) + ":00" + text.re_replace(CLOCK, "")


def _in_format(text: ir.StringColumn, date_format: str) -> ir.DateColumn:
    day = try_strptime(text, date_format).date()
    return ibis.ifelse(text.re_search(OFFSET), day, ibis.null("date")) if date_format.endswith("%z") else day


def _numbered(text: ir.StringColumn, first: int, last: int) -> ir.IntegerColumn:
    """A whole number between the two; NULL for any other text."""
    number = ibis.ifelse(text.re_search(NUMBERED_DAY), text.re_replace(r"\.0*$", ""), ibis.null("string")).try_cast(
        "int64"
    )
    return ibis.ifelse(number.between(first, last), number, ibis.null("int64"))


def _epoch_seconds(text: ir.StringColumn) -> ir.DateColumn:
    return _in_calendar(to_timestamp(_numbered(text, FIRST_SECOND, LAST_SECOND)).date())


def _epoch_milliseconds(text: ir.StringColumn) -> ir.DateColumn:
    moment = _numbered(text, FIRST_SECOND * 1000, LAST_SECOND * 1000 + 999)
    return _in_calendar(to_timestamp(moment // 1000).date())


def _excel_serial(text: ir.StringColumn) -> ir.DateColumn:
    days = _numbered(text, FIRST_SERIAL, LAST_SERIAL)
    return (ibis.date(SERIAL_ZERO) + days.as_interval("D")).cast("timestamp").cast("date")


NUMBERED: dict[str, Callable[[ir.StringColumn], ir.DateColumn]] = {
    "epoch_seconds": _epoch_seconds,
    "epoch_milliseconds": _epoch_milliseconds,
    "excel_serial": _excel_serial,
}
"""The words of date_formats for days that are written as whole numbers. No number is a day in two of them."""


def _boolean(text: ir.StringColumn) -> ir.BooleanColumn:
    text = text.lower()
    return ibis.cases(
        (is_among(text, TRUE_WORDS), True), (is_among(text, FALSE_WORDS), False), else_=ibis.null("boolean")
    )


def _decimal(raw: ir.Column, kind: dt.Decimal) -> ir.DecimalColumn:
    return raw.try_cast(kind) if raw.type().is_numeric() else cast_plain(trimmed_text(raw), kind)


def cast_plain(text: ir.StringColumn, kind: dt.DataType) -> ir.DecimalColumn:
    """A number with a decimal point and nothing else around its digits; NULL for any other text."""
    return ibis.ifelse(text.re_search(DECIMAL_NUMBER), text.try_cast(kind), ibis.null(kind))


def _whole_number(raw: ir.Column, kind: dt.DataType) -> ir.IntegerColumn:
    if raw.type().is_integer():
        return raw.try_cast(kind)
    if raw.type().is_numeric():
        whole = raw.try_cast(kind)
        return ibis.ifelse(whole.cast("float64") == raw.cast("float64"), whole, ibis.null(kind))
    text = trimmed_text(raw)
    return ibis.ifelse(text.re_search(WHOLE_NUMBER), text.try_cast(kind), ibis.null(kind))
