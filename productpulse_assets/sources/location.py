"""Where each dataset comes from in this run."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

import duckdb
import ibis.expr.datatypes as dt
import pandera.ibis as pa

from asset_checks.contracts import DATASETS, contracts_with
from productpulse_assets.sources.casting import FALSE_WORDS, TRUE_WORDS
from productpulse_assets.sources.errors import SourceProblem
from resources.decision_history import OF_DEMO
from resources.digests import content_digest
from resources.duckdb_connection import FileAccess, in_memory
from resources.home import is_utf8_path
from resources.settings import Settings
from rules.loading.problems import Problem, refuse
from rules.models import DatasetSource, Sources
from rules.rule_set import Rules
from rules.text.formats import path_text

EXTENSIONS = (".csv", ".csv.gz", ".tsv", ".tsv.gz", ".parquet", ".json", ".jsonl", ".jsonl.gz")


CONTROLS = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029]")
"""Characters of a file's name that are no text: line ends, and codes that a terminal obeys."""


@dataclass(frozen=True)
class Location:
    """A dataset's files or query; neither means that it is absent in this run."""

    dataset: str
    files: tuple[Path, ...]
    source: DatasetSource
    folder: Path

    @property
    def query(self) -> str | None:
        """The SELECT that the dataset is read with; None when it is read from files."""
        return self.source.query

    @property
    def is_available(self) -> bool:
        """Whether there is anything to read."""
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
    """Raise RulesError for a dataset, column, alias or date format of sources.yaml that there cannot be."""
    refuse(rules.path("sources"), _source_problems(rules.sources, contracts_with(rules.dimensions)))


def _source_problems(sources: Sources, contracts: Mapping[str, pa.DataFrameSchema]) -> Iterator[Problem]:
    columns = {
        f"{name}.{column}": about.dtype.type
        for name, schema in contracts.items()
        for column, about in schema.columns.items()
    }
    for name, source in sources.datasets.items():
        if name not in contracts:
            yield Problem("rules.unknown_dataset", f"datasets > {name}", "is not a dataset", ", ".join(DATASETS))
            continue
        for column in source.columns:
            if f"{name}.{column}" not in columns:
                accepted = ", ".join(contracts[name].columns)
                place = f"datasets > {name} > columns > {column}"
                yield Problem("rules.unknown_column", place, "is not a column", accepted)
    for target, names in sources.aliases.items():
        if target in columns:
            yield from _alias_problems(target, columns[target], names)
        else:
            yield Problem("rules.unknown_column", f"aliases > {target}", "give it as dataset.column")
    for date_format in sources.date_formats:
        try:
            in_memory().con.execute("SELECT try_strptime('', $format)", {"format": date_format})
        except duckdb.Error as error:
            yield Problem(
                "rules.date_format",
                "date_formats",
                f"'{date_format}' is not a date format ({error})",
                "strptime's specifiers, such as %d.%m.%Y",
            )


def _alias_problems(target: str, kind: dt.DataType, names: dict[str, str | bool]) -> Iterator[Problem]:
    """Aliases of a column that has none, or that stand for what the column cannot hold."""
    if not (kind.is_string() or kind.is_boolean()):
        yield Problem(
            "rules.alias_not_possible",
            f"aliases > {target}",
            "is a column of numbers or dates, which have no aliases",
            "columns of text or of yes and no. Formats of dates are listed under date_formats",
        )
        return
    for name, value in names.items():
        if kind.is_string() and isinstance(value, bool):
            place = f"aliases > {target} > {name}"
            yield Problem("rules.alias_value", place, "is yes or no", "text. In quotes it is text")
        if kind.is_boolean() and str(value).lower() not in TRUE_WORDS + FALSE_WORDS:
            yield Problem("rules.alias_value", f"aliases > {target} > {name}", f"is '{value}'", "yes, no")


def uses_demo(settings: Settings, rules: Rules) -> bool:
    """The demo company stands in when nobody said where the data is."""
    configured = any(source.file or source.query for source in rules.sources.datasets.values())
    return settings.data_dir is None and not configured


def source_folder(settings: Settings, rules: Rules) -> Path:
    """Where files are looked for: the folder of the exports, or beside sources.yaml if none is given."""
    if uses_demo(settings, rules):
        return settings.home.synthetic
    return settings.data_dir or rules.folder


def history_of(settings: Settings, rules: Rules) -> Path:
    """The folder with the history of this company; the demo's is apart, so that it is never compared with."""
    history = settings.home.history
    return history / OF_DEMO if uses_demo(settings, rules) else history


def locate(dataset: str, settings: Settings, rules: Rules) -> Location:
    """Find a dataset's files, whatever the case of their names.

    Raises SourceProblem when two of them lie side by side, and for a name that is no text.
    """
    source, folder = rules.sources.of(dataset), source_folder(settings, rules)
    if source.query:
        return Location(dataset, (), source, folder)
    if source.file:
        return Location(dataset, _matching(dataset, folder, source.file), source, folder)
    if settings.data_dir is None and not uses_demo(settings, rules):
        return Location(dataset, (), source, folder)
    there = _called(dataset, folder)
    found = tuple(path for path in there if path.is_file())
    if len(found) > 1:
        names = " and ".join(path.name for path in found)
        raise SourceProblem(
            "source.several_files",
            f"{dataset}: {names} are both in {path_text(folder)}. Keep one of them.",
            dataset=dataset,
            files=names,
        )
    if there and not found:
        place = path_text(there[0])
        raise SourceProblem(
            "source.not_a_file",
            f"{dataset}: {place} is {_no_file(there[0])}. Put a file in its place, or remove it.",
            dataset=dataset,
            file=there[0].name,
        )
    return Location(dataset, _with_plain_names(dataset, found), source, folder)


def _called(dataset: str, folder: Path) -> tuple[Path, ...]:
    """What in the folder has the dataset's name, in the order of their endings."""
    if not folder.is_dir():
        return ()
    names = [f"{dataset}{ending}" for ending in EXTENSIONS]
    try:
        there = [path for path in folder.iterdir() if path.name.casefold() in names]
    except OSError as error:
        raise SourceProblem(
            "source.folder_not_listed",
            f"{dataset}: what is in {path_text(folder)} cannot be listed ({error.strerror}). Change its permissions.",
            dataset=dataset,
        ) from error
    return tuple(sorted(there, key=lambda path: (names.index(path.name.casefold()), path.name)))


def _with_plain_names(dataset: str, files: tuple[Path, ...]) -> tuple[Path, ...]:
    """The files as they are; raises SourceProblem if a name would be a danger or no text where it is shown."""
    for path in files:
        if not is_utf8_path(path) or CONTROLS.search(path.name):
            raise SourceProblem(
                "source.file_name",
                f"{dataset}: the name of the file {path_text(path)} is not plain UTF-8 text on one line. Rename it.",
                dataset=dataset,
            )
    return files


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
            "source.invalid_pattern",
            f"{dataset}: '{pattern}' of sources.yaml cannot be looked for ({error}). Give a path; * in it "
            "stands for any text.",
            dataset=dataset,
            pattern=pattern,
        ) from error
    if not found:
        raise SourceProblem(
            "source.no_match",
            f"{dataset}: no file matches '{pattern}' of sources.yaml in {base}. Correct it or remove it.",
            dataset=dataset,
            pattern=pattern,
        )
    return _with_plain_names(dataset, found)


def file_access(settings: Settings, rules: Rules) -> FileAccess:
    """The files that a run reads: the folder of the exports, and files that sources.yaml names elsewhere.

    Every file, if a dataset is a query.
    """
    folder = source_folder(settings, rules)
    if any(source.query for source in rules.sources.datasets.values()):
        return FileAccess(query_folder=folder)
    files: list[Path] = []
    for dataset in DATASETS:
        with suppress(SourceProblem):  # the inventory reports it
            files += locate(dataset, settings, rules).files
    return FileAccess(folders=(folder,), files=tuple(files))
