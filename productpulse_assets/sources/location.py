"""Where each dataset comes from in this run."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

import duckdb
import pandera.ibis as pa
from ibis.backends.duckdb import Backend

from asset_checks.contracts import DATASETS, contracts_with
from resources.decision_history import OF_DEMO
from resources.digests import content_digest
from resources.settings import RunSettings
from rules.loading.files import refuse
from rules.models import DatasetSource, Sources
from rules.rule_set import Rules

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


def check_sources(rules: Rules) -> None:
    """Raise RulesError for a dataset, column or date format of sources.yaml that there is not."""
    refuse(rules.path("sources"), _source_problems(rules.sources, contracts_with(rules.dimensions)))


def _source_problems(sources: Sources, contracts: Mapping[str, pa.DataFrameSchema]) -> Iterator[str]:
    columns = {f"{name}.{column}" for name, schema in contracts.items() for column in schema.columns}
    for name, source in sources.datasets.items():
        if name not in contracts:
            yield f"datasets > {name}: is not a dataset; accepted: {', '.join(DATASETS)}."
            continue
        for column in source.columns:
            if f"{name}.{column}" not in columns:
                accepted = ", ".join(contracts[name].columns)
                yield f"datasets > {name} > columns > {column}: is not a column; accepted: {accepted}."
    for target in sources.aliases:
        if target not in columns:
            yield f"aliases > {target}: give it as dataset.column."
    for date_format in sources.date_formats:
        try:
            duckdb.execute("SELECT try_strptime('', $format)", {"format": date_format})
        except duckdb.Error as error:
            yield (
                f"date_formats: '{date_format}' is not a date format ({error}); accepted: "
                "strptime's specifiers, such as %d.%m.%Y."
            )


def uses_demo(settings: RunSettings, rules: Rules) -> bool:
    """The demo company stands in when nobody said where the data is."""
    configured = any(source.file or source.query for source in rules.sources.datasets.values())
    return settings.source_folder is None and not configured


def history_of(settings: RunSettings, rules: Rules) -> Path:
    """The folder with the history of this company; the demo's is apart, so that it is never compared with."""
    history = settings.home.history
    return history / OF_DEMO if uses_demo(settings, rules) else history


def locate(dataset: str, settings: RunSettings, rules: Rules) -> Location:
    """Find a dataset's files; raises SourceProblem when two formats of it lie side by side."""
    source = rules.sources.of(dataset)
    folder = settings.home.synthetic if uses_demo(settings, rules) else settings.source_folder or rules.folder
    if source.query:
        return Location(dataset, (), source, folder)
    if source.file:
        return Location(dataset, _matching(dataset, folder, source.file), source, folder)
    if settings.source_folder is None and not uses_demo(settings, rules):
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
