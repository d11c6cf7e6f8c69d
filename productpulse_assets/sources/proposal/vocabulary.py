"""The names that other systems use for our datasets, columns and values: vocabulary.yaml as a strict model."""

from __future__ import annotations

import functools
import re
import unicodedata
from collections.abc import Iterator, Sequence
from pathlib import Path

from pydantic import Field, model_validator

from rules.loading.files import Strict, load

FILE = Path(__file__).with_name("vocabulary.yaml")

IN_BRACKETS = re.compile(r"\([^()]*\)")
"""A unit or a zone that exports write behind a name: Created (UTC), Amount (EUR)."""

CUSTOM_FIELD = re.compile(r"__c$", re.IGNORECASE)
"""The ending of Salesforce's own fields."""

Names = tuple[str, ...]


class ColumnNames(Strict):
    """The names of one column. exact: they mean nothing else. usual: they sometimes mean another column."""

    exact: Names = Field(default=(), strict=False)
    usual: Names = Field(default=(), strict=False)


class DatasetNames(Strict):
    """The names of a dataset's files and columns; `nouns` are words for one row, which may precede a column's name."""

    files: Names = Field(strict=False)
    nouns: Names = Field(strict=False)
    columns: dict[str, ColumnNames]


class PriceNames(Strict):
    """The names of a subscription's price, by the time that it is for, and of the columns that go with it."""

    month: Names = Field(strict=False)
    quarter: Names = Field(strict=False)
    year: Names = Field(strict=False)
    unknown: Names = Field(strict=False)
    seat: Names = Field(strict=False)
    seats: Names = Field(strict=False)
    count: Names = Field(strict=False)


class Vocabulary(Strict):
    """vocabulary.yaml."""

    datasets: dict[str, DatasetNames]
    never: Names = Field(strict=False)
    price: PriceNames
    words: dict[str, dict[str, Names]]
    yes_no: dict[str, Names]
    undecided: Names = Field(strict=False)
    presets: dict[str, tuple[Names, ...]]

    @model_validator(mode="before")
    @classmethod
    def _lists_as_tuples(cls, data: object) -> object:
        return _tuples(data)


def _tuples(data: object) -> object:
    if isinstance(data, dict):
        return {key: _tuples(value) for key, value in data.items()}
    return tuple(_tuples(each) for each in data) if isinstance(data, list) else data


@functools.cache
def vocabulary() -> Vocabulary:
    """The vocabulary that comes with the program."""
    return load(FILE, Vocabulary)


@functools.cache
def plain(name: str) -> str:
    """A name for comparisons: small letters without accents, and digits; nothing in brackets.

    Kündigungsdatum -> kundigungsdatum, Account ID, accountId and Account_ID__c -> accountid.
    """
    text = CUSTOM_FIELD.sub("", IN_BRACKETS.sub(" ", name).strip()) or name
    letters = unicodedata.normalize("NFKD", text.replace("ß", "ss").casefold())
    return "".join(letter for letter in letters if letter.isalnum() and not unicodedata.combining(letter))


@functools.cache
def plain_names(names: Names) -> frozenset[str]:
    """The names as they are compared."""
    return frozenset(map(plain, names))


def without_noun(name: str, nouns: Sequence[str]) -> Iterator[str]:
    """The plain name, and the same without a word for the row before it: subscription_status, status."""
    yield name
    for noun in sorted(map(plain, nouns), key=lambda noun: (-len(noun), noun)):
        if name.startswith(noun) and len(name) > len(noun) + 1:
            yield name.removeprefix(noun)


WORD = re.compile(r"[^\W\d_]+")


def words_of(name: str) -> tuple[str, ...]:
    """The words in a file's name, plain: payments-export_2026 -> payments, export."""
    spaced = re.sub(r"(?<=[a-z])(?=[A-Z])", " ", name)
    return tuple(map(plain, WORD.findall(spaced)))


def datasets_named(stem: str) -> tuple[str, ...]:
    """The datasets that a file of this name may hold, the likeliest first; none if no name is known.

    A dataset's own name or a whole name of the vocabulary comes before one that is only a word of the name.
    """
    known = {
        dataset: {plain(dataset), plain(dataset.rstrip("s")), *map(plain, names.files)}
        for dataset, names in vocabulary().datasets.items()
    }
    whole = [dataset for dataset, names in known.items() if plain(stem) in names]
    return tuple(whole) or tuple(dataset for dataset, names in known.items() if names & set(words_of(stem)))
