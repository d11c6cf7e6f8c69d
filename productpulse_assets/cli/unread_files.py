"""Files of the data folder that no dataset is read from, and which dataset each may have been meant for."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from rapidfuzz import process
from rapidfuzz.distance import OSA

from asset_checks.contracts import DATASETS
from productpulse_assets.sources.demo import MANIFEST
from productpulse_assets.sources.errors import SourceProblem
from productpulse_assets.sources.location import EXTENSIONS, locate
from productpulse_assets.sources.proposal.vocabulary import datasets_named, plain, vocabulary
from resources.settings import Settings
from rules.rule_set import Rules
from rules.text.formats import path_text

LIKE = 0.7
"""The likeness of two names, 1 for equal ones, of which one is a misspelling of the other: Target and targets, not
charges and targets. 1 minus the share of letters that differ; two
exchanged letters are one difference (optimal string alignment)."""

FILES_LISTED = 10
"""More files than this are only counted: a folder with hundreds of other files has other uses too."""


def unread_lines(settings: Settings, rules: Rules) -> Iterator[str]:
    """A sentence for each file of the data folder that is not read; none without a data folder."""
    folder = settings.data_dir
    if folder is None:
        return
    files = [path.name for path in sorted(folder.iterdir()) if path.is_file()]
    read = _read_files(files, settings, rules)
    visible = [name for name in files if not name.startswith(".")]
    unread = [name for name in visible if name not in read and name != MANIFEST]
    absent = [dataset for dataset in DATASETS if not _has_source(dataset, read, rules)]
    if not visible:
        yield f"{path_text(folder)} is empty."
    yield from (_sentence(path_text(name), absent) for name in unread[:FILES_LISTED])
    if len(unread) > FILES_LISTED:
        yield f"{len(unread) - FILES_LISTED} more files of {path_text(folder)} are not read."


def _has_source(dataset: str, read: set[str], rules: Rules) -> bool:
    """Whether the dataset is read from a file of its name, or has a source of another name in sources.yaml."""
    source = rules.sources.of(dataset)
    is_mapped = bool(source.file or source.query)
    return is_mapped or any(_stem(name).casefold() == dataset for name in read)


def _read_files(files: list[str], settings: Settings, rules: Rules) -> set[str]:
    """Names of the files that datasets are read from; a file that a query mentions counts as read."""
    found: set[str] = set()
    queries = " ".join(source.query or "" for source in rules.sources.datasets.values())
    for dataset in DATASETS:
        try:
            location = locate(dataset, settings, rules)
            found |= {path.name for files in (location.files, *location.query_files.values()) for path in files}
        except SourceProblem:  # validate reports the problem itself; the dataset's own files are not unknown
            known = {f"{dataset}{ending}" for ending in EXTENSIONS}
            found |= {name for name in files if name.casefold() in known}
    return found | {name for name in files if name in queries}


def _sentence(name: str, absent: list[str]) -> str:
    """Why a file is not read, and what to do if it should be."""
    stem = _stem(name)
    ending = name.removeprefix(stem)
    is_readable = ending.casefold() in EXTENSIONS
    if near := process.extractOne(stem.casefold(), absent, scorer=OSA.normalized_similarity, score_cutoff=LIKE):
        if is_readable:
            return (
                f"{name} is not read: no dataset has this name. Did you mean {near[0]}{ending.casefold()}? "
                "Then rename the file."
            )
        kind = f"files that end in {ending}" if ending else "files without an ending"
        return (
            f"{name} is not read: {kind} are not supported. Did you mean {near[0]}.csv? Then export it in that format."
        )
    if not is_readable:
        return f"{name} is not read: its ending is not one of {', '.join(EXTENSIONS)}."
    if usual := _usual_dataset(stem, absent):
        return (
            f"{name} is not read: no dataset has this name. Files of this name often hold {usual}. If this "
            f"one does, set datasets > {usual} > file in sources.yaml; `productpulse init NEW-RULES --data FOLDER` "
            "proposes its columns."
        )
    return (
        f"{name} is not read: there is no dataset {stem}. The datasets are {', '.join(DATASETS)}. If the file holds "
        "one of them, rename it, or give its name under datasets > … > file in sources.yaml."
    )


def _usual_dataset(stem: str, absent: list[str]) -> str | None:
    """The absent dataset that other systems export under this name; not for a name that only contains one."""
    named = [dataset for dataset in datasets_named(stem) if dataset in absent]
    is_whole = named and plain(stem) in map(plain, vocabulary().datasets[named[0]].files)
    return named[0] if is_whole else None


def _stem(name: str) -> str:
    """The name before its first dot: customers of customers.csv.gz."""
    return Path(name).name.split(".", 1)[0]
