"""Months as exports write them, in the names of columns and in values: 2025-01, 01/2025, Jan 2025, 2025-01-31."""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Iterable, Sequence

import ibis
import ibis.expr.datatypes as ibis_types
import ibis.expr.types as ir

from productpulse_assets.sources.casting import cast_column, trimmed_text, try_strptime
from productpulse_assets.sources.readers.blanks import trimmed
from rules.models import Sources

SEPARATORS = r"[ ./_]+"
MONTH_FORMS = (
    (r"^[12]\d{3}-\d{1,2}$", "%Y-%m"),
    (r"^(19|20)\d{2}(0[1-9]|1[0-2])$", "%Y%m"),
    (r"^\d{1,2}-[12]\d{3}$", "%m-%Y"),
    (r"^[A-Za-z]{3}-[12]\d{3}$", "%b-%Y"),
    (r"^[A-Za-z]{4,9}-[12]\d{3}$", "%B-%Y"),
    (r"^[A-Za-z]{3}-\d{2}$", "%b-%y"),
)
"""Months after each of the SEPARATORS has become a hyphen: a pattern, and how it is read. English names of months."""

DAY = re.compile(r"^([12]\d{3}-\d{1,2}-\d{1,2})([T ]\d{1,2}:\d{2}(:\d{2}(\.\d*)?)?Z?)?$")
"""An ISO date, or a time, as spreadsheets write the heading of a month."""


def month_columns(columns: Iterable[str], date_formats: Sequence[str]) -> dict[str, dt.date]:
    """The columns whose name is a month, and its first day; a date stands for its month."""
    months = {column: month_of_name(column, date_formats) for column in columns}
    return {column: month for column, month in months.items() if month}


def month_of_name(name: str, date_formats: Sequence[str]) -> dt.date | None:
    """The first day of the month that a column is named after; None for another name."""
    text = trimmed(name)
    attempts = [(match[1], "%Y-%m-%d") for match in [DAY.match(text)] if match]
    attempts += [(text, date_format) for date_format in date_formats if "%" in date_format]
    plain = re.sub(SEPARATORS, "-", text)
    attempts += [(plain, date_format) for pattern, date_format in MONTH_FORMS if re.match(pattern, plain)]
    for each, date_format in attempts:
        try:
            return dt.datetime.strptime(each, date_format).date().replace(day=1)
        except ValueError:
            continue
    return None


def day_of(raw: ir.Column, sources: Sources) -> ir.DateColumn:
    """A value as a date, in the formats of the company."""
    return cast_column(raw, ibis_types.date, sources, {})


def day_in_month(raw: ir.Column, sources: Sources) -> ir.DateColumn:
    """A value that names a month: the day itself for a date, otherwise the month's first day; NULL for other text."""
    plain = trimmed_text(raw).re_replace(SEPARATORS, "-")
    attempts = [
        ibis.ifelse(plain.re_search(pattern), try_strptime(plain, date_format).date(), ibis.null("date"))
        for pattern, date_format in MONTH_FORMS
    ]
    return ibis.coalesce(day_of(raw, sources), *attempts)
