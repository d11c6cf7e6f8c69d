"""The settings that all datasets share: formats of dates, the reporting currency, words."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator, Mapping

from ibis import _

from asset_checks.contracts import CONTRACTS
from productpulse_assets.sources.proposal.column_matching import is_money
from productpulse_assets.sources.proposal.dataset_settings import Matched, samples, shipped_aliases
from productpulse_assets.sources.proposal.decisions import Change, Choice, Decision, Draft, apply, get
from productpulse_assets.sources.proposal.exports import Export
from productpulse_assets.sources.proposal.value_formats import DateReading, cast_days, read_dates, read_numbers
from resources.tables import rows_of

Datasets = Mapping[str, Matched]
CODE = re.compile(
    r"(?<![A-Za-z])(USD|EUR|GBP|CHF|CAD|AUD|JPY|SEK|NOK|DKK|PLN|INR|BRL|NZD|SGD)(?![A-Za-z])", re.IGNORECASE
)
"""A currency in a header: Amount (EUR), price_usd."""


def propose_shared(draft: Draft, datasets: Datasets) -> None:
    """date_formats, reporting_currency and the words that come with the program."""
    _propose_date_formats(draft, datasets)
    _propose_currency(draft, datasets)
    shipped = shipped_aliases()
    found = draft.settings.pop("aliases", {})
    draft.settings["aliases"] = {
        target: {**shipped.get(target, {}), **found.get(target, {})} for target in dict.fromkeys((*shipped, *found))
    }


# --- dates ---------------------------------------------------------------------------------------


def mapped_dates(draft: Draft, datasets: Datasets) -> Iterator[tuple[Matched, str, str, DateReading]]:
    """(dataset, column, header, reading) of every mapped column of dates."""
    for matched in datasets.values():
        for column, about in CONTRACTS[matched.dataset].columns.items():
            header = matched.header(draft, column) if about.dtype.type.is_date() else None
            if header and (reading := read_dates(matched.export, header)):
                yield matched, column, header, reading


def _propose_date_formats(draft: Draft, datasets: Datasets) -> None:
    """The formats of all columns of dates; one that several formats could explain is asked about."""
    found = list(mapped_dates(draft, datasets))
    formats = list(
        dict.fromkeys(each for *_rest, reading in found if not reading.alternatives for each in reading.formats)
    )
    unclear: dict[tuple[str, ...], list[tuple[Matched, str, str]]] = {}
    for matched, column, header, reading in found:
        if not reading.alternatives:
            continue
        forms = tuple(sorted((*reading.formats, *reading.alternatives)))
        sure = {each.format for other, *_rest, each in found if other is matched and not each.alternatives}
        if not sure & set(forms):  # otherwise another column of the same file shows how it writes dates
            unclear.setdefault(forms, []).append((matched, column, header))
    if formats:
        draft.set(("date_formats",), formats, "certain: no other format fits")
    for forms, columns in unclear.items():
        shared = [form for form in forms if form in formats]
        if shared:
            _ask_for_columns(draft, shared, columns)
        else:
            _ask_for_format(draft, forms, columns)
    _leave_out_conflicts(draft, found, formats)


def _ask_for_format(draft: Draft, forms: tuple[str, ...], columns: list[tuple[Matched, str, str]]) -> None:
    matched, column, header = columns[0]
    names = ", ".join(f"'{each}' of {where.export.pattern}" for where, _column, each in columns)
    shown = samples(matched.export, header, matched.dataset, column)
    question = f"How are the dates in {names} written ({shown})? They fit several formats."
    choices = tuple(Choice(form, (Change(("date_formats",), [form]),)) for form in forms)
    draft.ask(Decision(("date_formats",), question, choices))


def _ask_for_columns(draft: Draft, shared: list[str], columns: list[tuple[Matched, str, str]]) -> None:
    """Take out columns of dates that may be written as in other files, and ask: date_formats holds for every file."""
    for matched, column, header in columns:
        place = ("datasets", matched.dataset, "columns", column)
        get(draft.settings, place[:-1]).pop(column)
        shown = samples(matched.export, header, matched.dataset, column)
        question = (
            f"Are the dates in '{header}' of {matched.export.pattern} ({shown}) written {shared[0]}, as those of other "
            "files? They fit other formats too. If not, export them as 2026-06-30."
        )
        draft.ask(Decision(place, question, (Choice(header, (Change(place, header),), f"written {shared[0]}"),)))


def _leave_out_conflicts(draft: Draft, found: list[tuple[Matched, str, str, DateReading]], formats: list[str]) -> None:
    """Take out a column of dates that a format of another column would change: date_formats holds for every file."""
    for matched, column, header, reading in found:
        own = list(reading.formats)
        if reading.alternatives or not _differ(matched.export, header, own, formats):
            continue
        columns = get(draft.settings, ("datasets", matched.dataset, "columns"))
        del columns[column]
        place = ("datasets", matched.dataset, "columns", column)
        question = (
            f"'{header}' of {matched.export.pattern} is written {reading.format or 'as ISO'}, and with the formats of "
            f"the other columns ({', '.join(formats)}) it would be read as other days. Export it as 2026-06-30."
        )
        draft.ask(Decision(place, question))


def _differ(export: Export, header: str, own: list[str], formats: list[str]) -> bool:
    """Whether any day of the column changes when the formats of all columns are tried in their order."""
    if own == formats:
        return False
    raw = export.rows[header]
    days = export.rows.select(own=cast_days(raw, own), all=cast_days(raw, formats))
    (row,) = rows_of(days.aggregate(differ=(_.own != _.all).any().fill_null(False)))
    return bool(row["differ"])


# --- currency ------------------------------------------------------------------------------------


def _propose_currency(draft: Draft, datasets: Datasets) -> None:
    """The reporting currency: that of most rows, of the signs or of the headers; otherwise a question."""
    place = ("reporting_currency",)
    rows: Counter[str] = Counter()
    signs: set[str] = set()
    for matched in datasets.values():
        if header := matched.header(draft, "currency") if "currency" in matched.columns else None:
            about = matched.export.columns[header]
            rows.update({code.upper(): count for code, count in zip(about.values, about.counts, strict=True)})
        signs |= _codes_of_amounts(draft, matched)
    if rows:
        code, count = min(rows.items(), key=lambda each: (-each[1], each[0]))
        draft.set(place, code, f"certain: the currency of {count:,} of {rows.total():,} rows")
        if others := sorted(set(rows) - {code}):
            question = (
                f"What is one unit of {' and '.join(others)} worth in {code}? Without a rate, "
                f"{rows.total() - count:,} rows are rejected."
            )
            draft.ask(Decision(("exchange_rates",), question))
    elif len(signs) == 1:
        draft.set(place, signs.pop(), "likely: the signs or headers of the amounts")
    elif signs:
        question = f"The amounts are in {' and '.join(sorted(signs))}, and no column says which row is in which."
        draft.ask(Decision(place, question))
    else:
        apply(draft.settings, Change(place, "USD"))
        question = "Which currency are the amounts in? The exports do not say it; USD is assumed."
        draft.ask(Decision(place, question, (Choice("USD", (Change(place, "USD"),)),), 0))


def _codes_of_amounts(draft: Draft, matched: Matched) -> set[str]:
    """The currencies that the signs and headers of the amounts name."""
    codes: set[str] = set()
    for column in CONTRACTS[matched.dataset].columns:
        header = matched.header(draft, column) if is_money(matched.dataset, column) else None
        if not header:
            continue
        if found := CODE.search(header.replace("_", " ")):
            codes.add(found[1].upper())
        if numbers := read_numbers(matched.export.columns[header].values):
            codes |= numbers.currencies
    return codes
