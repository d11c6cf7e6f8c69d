"""Files of the data folder that no dataset is read from, and what their owner may have meant by them."""

from __future__ import annotations

import difflib
from collections.abc import Iterator
from pathlib import Path

from asset_checks.contracts import DATASETS
from productpulse_assets.sources.demo import MANIFEST
from productpulse_assets.sources.errors import SourceProblem
from productpulse_assets.sources.location import EXTENSIONS, locate
from resources.settings import Settings
from rules.rule_set import Rules
from rules.text.formats import path_text

SHOWN = 10
"""So many files are spoken of; a folder with hundreds of others is not meant for us alone."""


def unread_lines(settings: Settings, rules: Rules) -> Iterator[str]:
    """A sentence for each file of the data folder that nobody reads; none without a data folder."""
    folder = settings.data_dir
    if folder is None:
        return
    read = _read(settings, rules)
    there = [path.name for path in sorted(folder.iterdir()) if path.is_file() and not path.name.startswith(".")]
    unread = [name for name in there if name not in read and name != MANIFEST]
    missing = [dataset for dataset in DATASETS if not any(_stem(name).casefold() == dataset for name in read)]
    if not there:
        yield f"{path_text(folder)} is empty."
    yield from (_sentence(path_text(name), missing) for name in unread[:SHOWN])
    if len(unread) > SHOWN:
        yield f"{len(unread) - SHOWN} more files of {path_text(folder)} are not read."


def _read(settings: Settings, rules: Rules) -> set[str]:
    """Names of the files that datasets are read from; one that a query mentions counts as read."""
    found: set[str] = set()
    queries = " ".join(source.query or "" for source in rules.sources.datasets.values())
    for dataset in DATASETS:
        try:
            found |= {path.name for path in locate(dataset, settings, rules).files}
        except SourceProblem:  # told elsewhere, and its files are not strangers
            known = {f"{dataset}{ending}" for ending in EXTENSIONS}
            found |= {path.name for path in settings.data_dir.iterdir() if path.name.casefold() in known}
    return found | {path.name for path in settings.data_dir.iterdir() if path.name in queries}


def _sentence(name: str, missing: list[str]) -> str:
    """Why a file is not read, and what to do if it should be."""
    stem = _stem(name)
    ending = name.removeprefix(stem)
    if near := difflib.get_close_matches(stem.casefold(), missing, n=1):
        is_readable = ending.casefold() in EXTENSIONS
        meant = f"{near[0]}{ending.casefold() if is_readable else '.csv'}"
        how = "Rename" if is_readable else "Export"
        return f"{name} is not read: no dataset is called so. Did you mean {meant}? {how} it as that."
    if ending.casefold() not in EXTENSIONS:
        return f"{name} is not read: its ending is none of {', '.join(EXTENSIONS)}."
    return (
        f"{name} is not read: {stem} is not a dataset; there are {', '.join(DATASETS)}. If it is one of them, "
        "rename it, or name it under datasets > … > file in sources.yaml."
    )


def _stem(name: str) -> str:
    """The name before its first dot: customers of customers.csv.gz."""
    return Path(name).name.split(".", 1)[0]
