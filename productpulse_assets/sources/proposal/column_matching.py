"""Which column of an export is which column of a dataset, how sure that is, and why.

The rules, by the header (vocabulary.yaml) and the values:

- certain: the header is our name or a name that means nothing else, the values have the column's type, and no other
  column qualifies in the same way. Keys are also unique, and references are found among the keys that they refer to.
- likely: the header often means this column, the values have its type, and no other such column exists; or two columns
  qualify and are equal in every row; or the header is unknown and the ids are those of the dataset that is referred to.
- unsure: several columns qualify, or the header fits and the values do not, or the header is only similar to a known
  name. The column is left out and listed.
"""

from __future__ import annotations

import enum
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

import ibis.expr.datatypes as ibis_types
from rapidfuzz.distance import OSA

from asset_checks.contracts import CONTRACTS, MONEY_TYPE, is_computed, is_row_id
from productpulse_assets.sources.proposal.exports import Column, Export, are_equal, shared_rate
from productpulse_assets.sources.proposal.value_formats import (
    FITS,
    UNIT,
    DateReading,
    NumberReading,
    WordReading,
    parse_number,
    read_dates,
    read_numbers,
    read_words,
    read_yes_no,
)
from productpulse_assets.sources.proposal.vocabulary import plain, plain_names, vocabulary, without_noun
from productpulse_assets.sources.readers.blanks import plain_name

PRICE = "monthly_price"
"""The one column that is not matched here: its name does not decide what it is for (price_units.py)."""

FOUND = 0.9
"""The share of a reference's different ids that the other dataset must have."""

STRANGERS_FOUND = 0.5
"""The same for datasets whose systems also know people who are not customers."""

MISSPELLED = 0.8
"""The likeness of a header to a known name that makes it a candidate, and never more."""

FEW_WORDS = {"segment": 100, "country": 300, "acquisition_channel": 200, "plan": 300, "payment_method": 50,
             "priority": 20, "category": 300, "feedback_category": 300, "status": 40}  # fmt: skip
"""The most different values of columns whose values repeat; half of the rows is the limit where that is more."""

Reading = DateReading | NumberReading | WordReading | None


class Confidence(enum.IntEnum):
    """How sure a match is; what is unsure is not mapped."""

    UNSURE = 0
    LIKELY = 1
    CERTAIN = 2


class Level(enum.IntEnum):
    """What a header says about a column, the strongest first."""

    OWN = 0
    EXACT = 1
    USUAL = 2
    IDS = 3
    SIMILAR = 4
    UNKNOWN = 5


WORDING = {
    Level.OWN: "our name",
    Level.EXACT: "a name for it",
    Level.USUAL: "often a name for it",
    Level.IDS: "unknown name",
    Level.SIMILAR: "similar to a name for it",
    Level.UNKNOWN: "unknown name",
}


@dataclass(frozen=True)
class Reference:
    """The column that a column's ids are found in."""

    export: Export
    header: str
    dataset: str


@dataclass(frozen=True)
class Candidate:
    """A column of the export that may be the one. shared: of a reference, the share of its ids that are known."""

    header: str
    level: Level
    fits: bool
    reading: Reading = None
    shared: float | None = None


@dataclass(frozen=True)
class ColumnMatch:
    """The candidates for one of our columns, the proposal first; none where nothing was found."""

    column: str
    confidence: Confidence
    candidates: tuple[Candidate, ...] = ()
    reason: str = ""

    @property
    def header(self) -> str | None:
        """The header that is mapped; None where the match is unsure."""
        return self.candidates[0].header if self.is_mapped else None

    @property
    def is_mapped(self) -> bool:
        """Whether the match is certain or likely."""
        return bool(self.candidates) and self.confidence > Confidence.UNSURE

    @property
    def reading(self) -> Reading:
        """How the values of the mapped column are written."""
        return self.candidates[0].reading if self.is_mapped else None


def match_columns(
    export: Export, dataset: str, references: Mapping[str, Reference] | None = None
) -> dict[str, ColumnMatch]:
    """The match of each column of the dataset except its price; `references` are keys of datasets before it."""
    schema = CONTRACTS[dataset]
    candidates = {
        column: _candidates(export, dataset, column, (references or {}).get(column))
        for column in schema.columns
        if column != PRICE and not is_computed(schema, column)
    }
    if dataset == "subscriptions":
        candidates = _without_products_that_are_plans(candidates)
    matches: dict[str, ColumnMatch] = {}
    taken: set[str] = set()
    for level in Level:
        for column, found in candidates.items():
            free = [each for each in found if each.header not in taken]
            if column in matches or not free or _first_level(free) != level:
                continue
            match = _decide(export, column, [each for each in free if each.level == level])
            matches[column] = replace(match, candidates=(*match.candidates, *(e for e in free if e.level != level)))
            if match.is_mapped:
                taken.add(match.candidates[0].header)
    return {column: matches.get(column, ColumnMatch(column, Confidence.UNSURE)) for column in candidates}


def _without_products_that_are_plans(candidates: Mapping[str, list[Candidate]]) -> dict[str, list[Candidate]]:
    """Companies with one column for the two call their plans products: `product` needs another column for the plan."""
    headers = {column: {each.header for each in candidates[column]} for column in ("plan", "product")}
    is_plan = bool(headers["plan"]) and headers["plan"] <= headers["product"]
    return {**candidates, "product": []} if is_plan else dict(candidates)


def _first_level(found: Sequence[Candidate]) -> Level:
    """The strongest level of a candidate that fits, or that has our name and is read in any case."""
    return min((each.level for each in found if each.fits or each.level == Level.OWN), default=found[0].level)


def _decide(export: Export, column: str, found: Sequence[Candidate]) -> ColumnMatch:
    """The match among candidates of one level."""
    fitting = sorted((each for each in found if each.fits), key=lambda each: -(each.shared or 0))
    level = found[0].level
    if not fitting:
        return ColumnMatch(column, Confidence.UNSURE, tuple(found), "its values are not of the column's type")
    if level == Level.SIMILAR:
        return ColumnMatch(column, Confidence.UNSURE, tuple(fitting), "the name is only similar")
    first, *others = fitting
    if rivals := [each for each in others if not are_equal(export, first.header, each.header)]:
        names = " and ".join(f"'{each.header}'" for each in (first, *rivals))
        return ColumnMatch(column, Confidence.UNSURE, tuple(fitting), f"{names} may both be it")
    is_certain = level <= Level.EXACT and not others
    return ColumnMatch(column, Confidence.CERTAIN if is_certain else Confidence.LIKELY, tuple(fitting), WORDING[level])


def _candidates(export: Export, dataset: str, column: str, reference: Reference | None) -> list[Candidate]:
    """The columns of the export that may be this one; those whose usual name is all that fits are left out."""
    found = []
    for header, about in export.columns.items():
        level = name_level(dataset, column, header)
        if level is not None:
            candidate = _candidate(export, dataset, column, about, level, reference)
            if candidate.fits or (level <= Level.EXACT and about.values):
                found.append(candidate)
    if reference and not found:
        found = [each for header in export.columns if (each := _by_ids(export, header, reference))]
    return found


def name_level(dataset: str, column: str, header: str) -> Level | None:
    """What the header says about the column; None if it says nothing, or is known to be something else."""
    if plain_name(header) == column:
        return Level.OWN
    names, key = vocabulary().datasets[dataset], plain(header)
    if key in plain_names(vocabulary().never) or not key:
        return None
    forms = tuple(without_noun(key, names.nouns))
    known = names.columns[column]
    for level, listed in ((Level.EXACT, (column, *known.exact)), (Level.USUAL, known.usual)):
        if plain_names(tuple(listed)) & set(forms):
            return level
    is_long = len(key) >= 6
    similar = any(OSA.normalized_similarity(key, name) >= MISSPELLED for name in plain_names((column, *known.exact)))
    return Level.SIMILAR if is_long and similar and not _is_known(dataset, key) else None


def _is_known(dataset: str, key: str) -> bool:
    """Whether the name is one of another column of the dataset."""
    columns = vocabulary().datasets[dataset].columns
    return any(key in plain_names((column, *names.exact, *names.usual)) for column, names in columns.items())


def _candidate(
    export: Export, dataset: str, column: str, about: Column, level: Level, reference: Reference | None
) -> Candidate:
    if reference:
        shared = shared_rate(export, about.name, reference.export, reference.header)
        has_strangers = CONTRACTS[dataset].metadata["has_strangers"]
        return Candidate(about.name, level, shared >= (STRANGERS_FOUND if has_strangers else FOUND), shared=shared)
    fits, reading = _fit(export, dataset, column, about)
    return Candidate(about.name, level, fits, reading)


def _by_ids(export: Export, header: str, reference: Reference) -> Candidate | None:
    """A column of an unknown name whose ids are those of the referenced dataset.

    Whole numbers are left out: numbers from 1 on are found among the numbers of every other table.
    """
    about = export.columns[header]
    is_counter = all(value.isdigit() and len(value) < 6 for value in about.values)
    if about.distinct_count < 3 or is_counter or plain(header) in plain_names(vocabulary().never):
        return None
    shared = shared_rate(export, header, reference.export, reference.header)
    return Candidate(header, Level.IDS, True, shared=shared) if shared >= FOUND else None


def _fit(export: Export, dataset: str, column: str, about: Column) -> tuple[bool, Reading]:  # noqa: PLR0911
    """Whether the values can be those of the column, and how they are written."""
    kind, key = CONTRACTS[dataset].columns[column].dtype.type, CONTRACTS[dataset].metadata["key"]
    if not about.values:
        return False, None
    if kind.is_date():
        dates = read_dates(export, about.name)
        return dates is not None, dates
    if kind.is_boolean():
        yes_no = read_yes_no(about)
        return yes_no is not None, yes_no
    if kind.is_decimal():
        numbers = read_numbers(about.values)
        return numbers is not None, numbers
    if kind.is_integer():
        return _are_whole(about.values), None
    if (words := read_words(about, f"{dataset}.{column}")) is not None:
        return bool(len(words.unknown) < about.distinct_count), words
    if f"{dataset}.{column}" in vocabulary().words:
        return False, None
    if column == "currency":
        return all(len(value) == 3 and value.isalpha() for value in about.values), None
    if len(key) == 1 and column == key[0] and (dataset != "subscriptions" or is_row_id(CONTRACTS[dataset], column)):
        return about.is_unique, None
    return _can_be_text(column, about), None


def _are_whole(values: Sequence[str]) -> bool:
    numbers = [parse_number(value, UNIT) for value in values]
    return sum(number is not None and number == int(number) for number in numbers) >= FITS * len(values)


def _can_be_text(column: str, about: Column) -> bool:
    """Whether text repeats where it should, and is no number where it is a name."""
    if column in FEW_WORDS and about.distinct_count > max(FEW_WORDS[column], about.value_count / 2):
        return False
    is_name = column in ("company_name", "country", "segment", "plan", "acquisition_channel", "channel_name")
    return not (is_name and column != "plan" and read_numbers(about.values))


def candidate_by_type(
    export: Export, dataset: str, column: str, header: str, references: Mapping[str, Reference]
) -> Candidate | None:
    """A column of an unknown name whose values have the type of this one; None where they have not."""
    if plain(header) in plain_names(vocabulary().never):
        return None
    level = Level.IDS if column in references else Level.UNKNOWN
    found = _candidate(export, dataset, column, export.columns[header], level, references.get(column))
    return found if found.fits else None


def required_of(dataset: str) -> Iterator[str]:
    """The columns that a source of the dataset must have."""
    yield from (name for name, column in CONTRACTS[dataset].columns.items() if column.required)


def is_money(dataset: str, column: str) -> bool:
    """Whether the column is an amount of money."""
    return bool(CONTRACTS[dataset].columns[column].dtype.type == MONEY_TYPE)


def is_number(dataset: str, column: str) -> bool:
    """Whether the column is a number, whole or not."""
    kind: ibis_types.DataType = CONTRACTS[dataset].columns[column].dtype.type
    return bool(kind.is_decimal() or kind.is_integer())
