"""How the values of a column are written: dates, numbers, words; with what cannot be known from them."""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from functools import cache
from typing import cast

import ibis
import ibis.expr.types as ir
from ibis import _

from productpulse_assets.sources.aliases import FALSE_WORDS, TRUE_WORDS
from productpulse_assets.sources.casting import cast_column
from productpulse_assets.sources.numbers import CURRENCY_SIGNS
from productpulse_assets.sources.proposal.exports import Column, Export
from productpulse_assets.sources.proposal.vocabulary import plain, vocabulary
from resources.tables import rows_of
from rules.models import Sources

FITS = 0.95
"""The share of a column's different values that must be of a type for the column to be of that type. The rest is
rejected with its rows by the gate, or stops it."""

PROOF = 3
"""Different values that must decide between two readings: a single one may be a mistyping."""

# --- dates ---------------------------------------------------------------------------------------

DAYS = (
    "%d.%m.%Y", "%d.%m.%y", "%d/%m/%Y", "%m/%d/%Y", "%d/%m/%y", "%m/%d/%y", "%d-%m-%Y", "%m-%d-%Y", "%Y/%m/%d",
    "%Y.%m.%d", "%Y%m%d", "%b %d, %Y", "%B %d, %Y", "%b %d %Y", "%d %b %Y", "%d %B %Y", "%d-%b-%Y", "%d-%b-%y",
)  # fmt: skip
TIMES = ("", " %H:%M:%S", " %H:%M", ", %H:%M:%S", ", %H:%M", " %I:%M %p", " %I:%M:%S %p", ", %I:%M %p", "T%H:%M:%S")
PARTS = {
    "%d": r"\d{1,2}", "%m": r"\d{1,2}", "%Y": r"\d{4}", "%y": r"\d{2}", "%b": r"[A-Za-z]{3}", "%B": r"[A-Za-z]{3,9}",
    "%H": r"\d{1,2}", "%M": r"\d{2}", "%S": r"\d{2}", "%I": r"\d{1,2}", "%p": r"[AaPp][Mm]",
}  # fmt: skip
NUMBERED_DAYS = {
    "epoch_seconds": re.compile(r"\d{9,10}(\.0*)?"),
    "epoch_milliseconds": re.compile(r"\d{12,13}(\.0*)?"),
    "excel_serial": re.compile(r"\d{5}(\.0*)?"),
}
"""Days that are written as a number: what they look like. The casting decides which numbers are days."""

ISO_SHAPE = re.compile(r"\d{4}-\d{1,2}-\d{1,2}([T ]\d{1,2}:\d{2}.*)?")


@dataclass(frozen=True)
class DateReading:
    """How the dates of a column are written.

    format: a format of date_formats; None for ISO. alternatives: formats that fit as well and give other days.
    """

    format: str | None
    alternatives: tuple[str, ...] = ()
    first: dt.date | None = None
    last: dt.date | None = None

    @property
    def formats(self) -> tuple[str, ...]:
        """What date_formats must have for it."""
        return (self.format,) if self.format else ()


@cache
def _shape(date_format: str) -> re.Pattern[str]:
    return re.compile("".join(PARTS.get(part, re.escape(part)) for part in re.split(r"(%\w)", date_format)))


def _fits(column: Column, shape: re.Pattern[str]) -> bool:
    return _rate(column.values, lambda value: bool(shape.fullmatch(value))) >= FITS


def _rate(values: Sequence[str], holds: Callable[[str], bool]) -> float:
    return sum(map(holds, values)) / len(values) if values else 0.0


def read_dates(export: Export, name: str) -> DateReading | None:
    """How the column's dates are written; None if its values are no dates."""
    if ("dates", name) not in export.found:
        export.found["dates", name] = _read_dates(export, name)
    return cast("DateReading | None", export.found["dates", name])


def cast_days(raw: ir.Column, formats: Sequence[str]) -> ir.DateColumn:
    """The days that the program reads with these formats."""
    return cast_column(raw, ibis.dtype("date"), Sources(date_formats=list(formats)), {})


def _read_dates(export: Export, name: str) -> DateReading | None:
    column, kind = export.columns[name], export.rows[name].type()
    if not column.values:
        return None
    if kind.is_date() or kind.is_timestamp():
        return DateReading(None)
    if _fits(column, ISO_SHAPE):
        return _best(export, name, [None])
    for word, shape in NUMBERED_DAYS.items():
        if _fits(column, shape):
            return _best(export, name, [word])
    formats = [day + time for day in DAYS for time in TIMES if _fits(column, _shape(day + time))]
    return _best(export, name, formats) if formats else None


def _best(export: Export, name: str, formats: Sequence[str | None]) -> DateReading | None:
    """The format that gives most of the values a day; it has alternatives where too few values decide."""
    text = export.rows.select(value=export.text(name)).filter(_.value.notnull()).distinct()
    days = {f"day_{number}": cast_days(text.value, [each] if each else []) for number, each in enumerate(formats)}
    read = text.select(**days)
    (counts,) = rows_of(
        read.aggregate(
            all=_.count(),
            **{f"{day}_count": read[day].count() for day in days},
            **{f"{day}_first": read[day].min() for day in days},
            **{f"{day}_last": read[day].max() for day in days},
        )
    )
    ranked = sorted(range(len(formats)), key=lambda number: (-counts[f"day_{number}_count"], number))
    best, count = ranked[0], counts[f"day_{ranked[0]}_count"]
    if count < FITS * counts["all"]:
        return None
    rivals = [number for number in ranked[1:] if counts[f"day_{number}_count"] > count - PROOF]
    differing = [number for number in rivals if _differ(read, best, number)]
    return DateReading(
        formats[best],
        tuple(each for number in differing if (each := formats[number])),
        _day(counts[f"day_{best}_first"]),
        _day(counts[f"day_{best}_last"]),
    )


def _differ(read: ibis.Table, one: int, other: int) -> bool:
    both = (read[f"day_{one}"] != read[f"day_{other}"]).any()
    return bool(rows_of(read.aggregate(differs=both.fill_null(False)))[0]["differs"])


def _day(value: object) -> dt.date | None:
    return value if isinstance(value, dt.date) else None


# --- numbers -------------------------------------------------------------------------------------

MARK = "|".join(["[A-Za-z]{3}", *(re.escape(sign) for sign in CURRENCY_SIGNS)])
SIGN = re.compile(
    rf"(?P<minus>[-+−(]?)\s*(?P<before>{MARK})?\s*(?P<number>[-+]?[\d.,'’\s]*\d)\s*(?P<after>{MARK})?\)?", re.IGNORECASE
)
"""An amount with the sign or the code of a currency before or after it."""

SPACE = "[ \u00a0\u202f\u2009]"
NUMBER_FORMATS: dict[str, tuple[re.Pattern[str], str, str]] = {
    "1234.50": (re.compile(r"[+-]?(\d+\.?\d*|\.\d+)"), "", "."),
    "1,234.50": (re.compile(r"[+-]?(\d{1,3}(,\d{3})+|\d+)(\.\d+)?"), ",", "."),
    "1.234,50": (re.compile(r"[+-]?(\d{1,3}(\.\d{3})+|\d+)(,\d+)?"), ".", ","),
    "1 234,50": (re.compile(rf"[+-]?(\d{{1,3}}({SPACE}\d{{3}})+|\d+)(,\d+)?"), " \u00a0\u202f\u2009", ","),
    "1'234.50": (re.compile(r"[+-]?(\d{1,3}(['’]\d{3})+|\d+)(\.\d+)?"), "'’", "."),
}
"""By the way 1234.5 is written: what such numbers look like, the marks between thousands, the mark before decimals."""

UNIT = "1234.50"
THOUSANDS_OR_DECIMALS = re.compile(r"[+-]?\d{1,3}([.,])\d{3}")
"""1.234 or 1,234: one and a bit, or more than a thousand."""


@dataclass(frozen=True)
class NumberReading:
    """How numbers are written. alternatives: other formats that fit; they give other numbers. currencies: of signs."""

    format: str
    alternatives: tuple[str, ...] = ()
    has_signs: bool = False
    currencies: frozenset[str] = frozenset()


def bare_number(value: str) -> str:
    """The number without a currency's sign or code before or after it."""
    found = SIGN.fullmatch(value)
    return f"{'-' if found['minus'] else ''}{found['number']}" if found else value


def parse_number(value: str, number_format: str) -> Decimal | None:
    """The number that the text is in this format; None if it is none."""
    shape, between, point = NUMBER_FORMATS[number_format]
    text = bare_number(value)
    if not shape.fullmatch(text):
        return None
    return Decimal("".join(letter for letter in text if letter not in between).replace(point, "."))


def read_numbers(values: Iterable[str]) -> NumberReading | None:
    """How the numbers are written; None if they are no numbers."""
    distinct = tuple(dict.fromkeys(values))
    marked = (found for value in distinct if (found := SIGN.fullmatch(value)))
    signs = {sign.upper() for found in marked for sign in (found["before"], found["after"]) if sign}
    if not distinct or len(signs) > 1:  # amounts of two currencies in one column cannot be added up
        return None
    read = {each: [parse_number(value, each) for value in distinct] for each in NUMBER_FORMATS}
    counts = {each: sum(number is not None for number in numbers) for each, numbers in read.items()}
    best = max(counts, key=lambda each: counts[each])  # the first of equal ones: the program's own format
    if counts[best] < FITS * len(distinct):
        return None
    rivals = [each for each in counts if each != best and counts[each] > counts[best] - PROOF]
    differing = [each for each in rivals if _are_plausible(distinct, read[best], read[each])]
    currencies = frozenset(code for sign in signs if (code := _code_of(sign)))
    return NumberReading(best, tuple(differing), bool(signs), currencies)


def _code_of(sign: str) -> str | None:
    """The currency of a sign or code; None for a sign of several currencies."""
    codes = CURRENCY_SIGNS.get(sign, (sign,) if len(sign) == 3 else ())
    return codes[0] if len(codes) == 1 else None


def _are_plausible(values: Sequence[str], best: Sequence[Decimal | None], rival: Sequence[Decimal | None]) -> bool:
    """Whether a second reading gives other numbers, and no value shows that it is wrong.

    49.00 is not a whole number with a point for thousands, so only values such as 1.234 leave a doubt.
    """
    differs = [
        value
        for value, one, other in zip(values, best, rival, strict=True)
        if None not in (one, other) and one != other
    ]
    return bool(differs) and all(THOUSANDS_OR_DECIMALS.fullmatch(bare_number(value)) for value in differs)


# --- words ---------------------------------------------------------------------------------------


@dataclass(frozen=True)
class WordReading:
    """What the words of a column mean. aliases: other words -> ours. unknown: words whose meaning is not known, with
    their rows."""

    aliases: Mapping[str, str]
    unknown: Mapping[str, int]

    @property
    def is_known(self) -> bool:
        """Whether every word is known."""
        return not self.unknown


def read_words(column: Column, target: str) -> WordReading | None:
    """The meaning of each word of a column with allowed words; None if the program knows no words for it, or if there
    are more than 40 different ones."""
    meanings = vocabulary().words.get(target)
    if meanings is None or not column.values or column.distinct_count > 40:
        return None
    known = {plain(word): ours for ours, words in meanings.items() for word in (ours, *words)}
    own = {ours.casefold() for ours in meanings}
    aliases: dict[str, str] = {}
    unknown: dict[str, int] = {}
    for value, count in zip(column.values, column.counts, strict=True):
        if value.casefold() in own:
            continue
        if meaning := known.get(plain(value)):
            aliases[value] = meaning
        else:
            unknown[value] = count
    return WordReading(aliases, unknown)


def read_yes_no(column: Column) -> WordReading | None:
    """The meaning of words for yes and no; None if the column has other values."""
    known = {plain(word): ours for ours, words in vocabulary().yes_no.items() for word in words}
    others = [value for value in column.values if value.casefold() not in TRUE_WORDS + FALSE_WORDS]
    if not column.values or not all(plain(value) in known for value in others):
        return None
    return WordReading({value: known[plain(value)] for value in others}, {})
