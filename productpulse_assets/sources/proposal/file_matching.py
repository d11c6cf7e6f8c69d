"""Which export is which dataset, by its name and by the columns that it has.

- certain: the file has the dataset's name or one that is usual for it, and most of the required columns.
- likely: its name only contains such a word, and it has nearly all required columns; or the name is unknown, and it has
  every required column of a dataset that requires four or more.
- unsure: anything else. The file is not used, and is listed.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from asset_checks.contracts import DATASETS
from productpulse_assets.sources.proposal.column_matching import (
    PRICE,
    ColumnMatch,
    Confidence,
    Level,
    match_columns,
    required_of,
)
from productpulse_assets.sources.proposal.exports import Export
from productpulse_assets.sources.proposal.price_units import price_columns
from productpulse_assets.sources.proposal.vocabulary import datasets_named, plain, vocabulary

DERIVED = {"subscriptions": ("status",), "transactions": ("subscription_id", "status"), "support_tickets": ("status",)}
"""Required columns that settings can replace: they do not decide which dataset a file is."""

CLOSE = 0.05
"""Scores that differ by less are equal: two files may both be the dataset."""


@dataclass(frozen=True)
class FileMatch:
    """The export of a dataset. rivals: exports that fit as well; then the match is unsure."""

    dataset: str
    export: Export
    confidence: Confidence
    reason: str
    rivals: tuple[Export, ...] = ()


@dataclass(frozen=True)
class _Score:
    dataset: str
    export: Export
    name: int
    coverage: float
    total: float


def match_files(exports: Sequence[Export], chosen: Mapping[str, str] | None = None) -> list[FileMatch]:
    """The matched datasets, each with one export, in the order of the contracts.

    chosen: dataset -> pattern of the export that a person chose among several that fit.
    """
    chosen = chosen or {}
    scores = sorted(
        (score for export in exports for dataset in DATASETS if (score := _score(export, dataset)).total > 0),
        key=lambda score: (-score.total, DATASETS.index(score.dataset), score.export.pattern),
    )
    matched: dict[str, FileMatch] = {}
    used: set[str] = set()
    for score in scores:
        is_other = chosen.get(score.dataset, score.export.pattern) != score.export.pattern
        if score.dataset in matched or score.export.pattern in used or is_other:
            continue
        rivals = tuple(
            other.export
            for other in scores
            if other.dataset == score.dataset
            and score.dataset not in chosen
            and other.export is not score.export
            and other.export.pattern not in used
            and abs(other.total - score.total) < CLOSE
        )
        confidence = Confidence.UNSURE if rivals else Confidence.CERTAIN if score.name >= 2 else Confidence.LIKELY
        matched[score.dataset] = FileMatch(score.dataset, score.export, confidence, _reason(score), rivals)
        used |= {score.export.pattern, *(rival.pattern for rival in rivals)}
    return [matched[dataset] for dataset in DATASETS if dataset in matched]


def _score(export: Export, dataset: str) -> _Score:
    """How well an export fits a dataset; the total is 0 where it is no match."""
    name, bonus = _name_score(export.stem, dataset)
    matches = match_columns(export, dataset)
    required = [column for column in required_of(dataset) if column not in DERIVED.get(dataset, ())]
    found = [_weight(export, column, matches) for column in required]
    coverage = sum(found) / len(found)
    needs_customer = "customer_id" in required and not matches["customer_id"].candidates and dataset != "customers"
    accepted = (
        (name >= 2 and coverage >= 0.5)
        or (name == 1 and coverage >= 0.75)
        or (name == 0 and coverage >= 0.95 and len(required) >= 4)
    )
    is_refused = needs_customer and name < 2  # of a known name, the ids may still show the customer
    total = name + 2 * coverage + bonus if accepted and not is_refused else 0.0
    return _Score(dataset, export, name, coverage, total)


def _weight(export: Export, column: str, matches: Mapping[str, ColumnMatch]) -> float:
    if column == PRICE:
        return 1.0 if price_columns(export) else 0.0
    match = matches[column]
    if not match.candidates or match.candidates[0].level == Level.SIMILAR:
        return 0.0
    return {Confidence.CERTAIN: 1.0, Confidence.LIKELY: 0.9, Confidence.UNSURE: 0.6}[match.confidence]


def _name_score(stem: str, dataset: str) -> tuple[int, float]:
    """3 for the dataset's own name, 2 for a usual one, 1 for one that contains it; and a part for its place."""
    if plain(stem) == plain(dataset):
        return 3, 0.5
    named = datasets_named(stem)
    if dataset not in named:
        return 0, 0.0
    files = [plain(name) for name in vocabulary().datasets[dataset].files]
    if plain(stem) in files:
        return 2, 0.4 * (1 - files.index(plain(stem)) / len(files))
    return (2, 0.4) if plain(stem) == plain(dataset.rstrip("s")) else (1, 0.0)


def _reason(score: _Score) -> str:
    name = {3: "our name", 2: "a usual name for it", 1: "a name that contains a usual one", 0: "unknown name"}[
        score.name
    ]
    return f"{name}; {score.coverage:.0%} of the required columns"
