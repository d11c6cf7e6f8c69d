"""Where each dataset comes from in this run."""

from __future__ import annotations

import hashlib
import os
from dataclasses import dataclass
from pathlib import Path

import duckdb
from ibis.backends.duckdb import Backend

from asset_checks.contracts import CONTRACTS, DATASETS
from resources.decision_history import OF_DEMO
from resources.digests import content_digest
from resources.settings import RunSettings
from rules.loading.files import RulesError, load, rules_file
from rules.models import DatasetSource, Sources

EXTENSIONS = (".csv", ".csv.gz", ".tsv", ".tsv.gz", ".parquet", ".json", ".jsonl", ".jsonl.gz")


class SourceProblem(Exception):
    """A dataset's source cannot be used; the message says which, what was found, what to do."""


@dataclass(frozen=True)
class Location:
    """A dataset's files or query; neither means that it is absent in this run."""

    dataset: str
    files: tuple[Path, ...]
    source: DatasetSource
    folder: Path

    @property
    def query(self) -> str | None:
        return self.source.query

    @property
    def is_available(self) -> bool:
        return bool(self.files or self.query)

    @property
    def shown(self) -> str:
        """For people: file names without their folder."""
        return "query" if self.query else ", ".join(file.name for file in self.files)

    @property
    def digest(self) -> str | None:
        """SHA-256 over the files' content; NULL for a query, whose inputs are its own affair."""
        if not self.files:
            return None
        total = hashlib.sha256()
        for file in self.files:
            total.update(bytes.fromhex(content_digest(file)))
        return total.hexdigest()


def load_sources() -> Sources:
    """sources.yaml, with every dataset and column in it known to the contracts."""
    sources = load("sources", Sources)
    columns = {f"{name}.{column}" for name, schema in CONTRACTS.items() for column in schema.columns}
    for name, source in sources.datasets.items():
        if name not in CONTRACTS:
            raise RulesError(f"sources.yaml: datasets > {name}: is not a dataset; accepted: {', '.join(DATASETS)}.")
        for column in source.columns:
            if f"{name}.{column}" not in columns:
                accepted = ", ".join(CONTRACTS[name].columns)
                raise RulesError(
                    f"sources.yaml: datasets > {name} > columns > {column}: is not a column; accepted: {accepted}."
                )
    for target in sources.aliases:
        if target not in columns:
            raise RulesError(f"sources.yaml: aliases > {target}: give it as dataset.column.")
    for date_format in sources.date_formats:
        try:
            duckdb.execute("SELECT try_strptime('', $format)", {"format": date_format})
        except duckdb.Error as error:
            raise RulesError(
                f"sources.yaml: date_formats: '{date_format}' is not a date format ({error}); accepted: "
                "strptime's specifiers, such as %d.%m.%Y."
            ) from error
    return sources


def uses_demo(settings: RunSettings, sources: Sources) -> bool:
    """The demo company stands in when nobody said where the data is."""
    configured = any(source.file or source.query for source in sources.datasets.values())
    return settings.source_folder is None and not configured


def history_of(settings: RunSettings) -> Path:
    """The folder with the history of this company; the demo's is apart, so that it is never compared with."""
    history = settings.home.history
    return history / OF_DEMO if uses_demo(settings, load_sources()) else history


def locate(dataset: str, settings: RunSettings, sources: Sources) -> Location:
    """Find a dataset's files; raises SourceProblem when two formats of it lie side by side."""
    source = sources.of(dataset)
    if uses_demo(settings, sources):
        folder = settings.home.synthetic
    else:
        folder = settings.source_folder or rules_file("sources").parent
    if source.query:
        return Location(dataset, (), source, folder)
    if source.file:
        return Location(dataset, _matching(dataset, folder, source.file), source, folder)
    if settings.source_folder is None and not uses_demo(settings, sources):
        return Location(dataset, (), source, folder)
    there = tuple(path for end in EXTENSIONS if os.path.lexists(path := folder / f"{dataset}{end}"))
    found = tuple(path for path in there if path.is_file())
    if len(found) > 1:
        names = " and ".join(path.name for path in found)
        raise SourceProblem(f"{dataset}: {names} are both in {folder}. Keep one of them.")
    if there and not found:
        raise SourceProblem(f"{dataset}: {there[0]} is {_no_file(there[0])}. Put a file in its place, or remove it.")
    return Location(dataset, found, source, folder)


def _no_file(path: Path) -> str:
    if path.is_dir():
        return "a folder, not a file"
    return "a link to a file that is not there" if path.is_symlink() else "no ordinary file"


def _matching(dataset: str, folder: Path, pattern: str) -> tuple[Path, ...]:
    try:
        given = Path(pattern).expanduser()
        base, rest = (Path(given.anchor), given.relative_to(given.anchor)) if given.is_absolute() else (folder, given)
        found = tuple(sorted(path for path in base.glob(str(rest)) if path.is_file()))
    except (ValueError, RuntimeError, NotImplementedError, OSError) as error:
        raise SourceProblem(
            f"{dataset}: '{pattern}' of sources.yaml cannot be looked for ({error}). Give a path; * in it "
            "stands for any text."
        ) from error
    if not found:
        raise SourceProblem(
            f"{dataset}: no file matches '{pattern}' of sources.yaml in {base}. Correct it or remove it."
        )
    return found


def look_in(backend: Backend, folder: Path) -> None:
    """Let relative file names in a query mean files of the source folder."""
    backend.con.execute("SET file_search_path = $folder", {"folder": str(folder)})
