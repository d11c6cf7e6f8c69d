"""The location of each dataset in this run: its files or its query."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path

import duckdb
import pandera.ibis as pa
import sqlglot
import sqlglot.expressions as sge
from sqlglot.errors import SqlglotError

from asset_checks.contracts import DATASETS, STATUS, contracts_with
from productpulse_assets.sources.aliases import alias_value
from productpulse_assets.sources.casting import NUMBERED
from productpulse_assets.sources.errors import SourceProblem
from resources.decision_history import OF_DEMO
from resources.digests import content_digest
from resources.duckdb_connection import FileAccess, in_memory
from resources.home import is_utf8_path
from resources.settings import Settings
from rules.loading.problems import Problem, refuse
from rules.models import IGNORE, Alias, DatasetSource, Sources
from rules.rule_set import Rules
from rules.text.formats import path_text

EXTENSIONS = (".csv", ".csv.gz", ".tsv", ".tsv.gz", ".xlsx", ".parquet", ".json", ".jsonl", ".jsonl.gz")


OWN_TABLES = ("raw_", "malformed_", "staged_", "duplicates_")
"""How the names of tables begin that exist while a dataset is read."""

CONTROLS = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029]")
"""Control characters in a file's name: line ends, and codes that a terminal executes."""


@dataclass(frozen=True)
class Location:
    """A dataset's files or query; without both, it is absent in this run.

    query_files: by the name that the query gives to it, the files of each table; none for an optional one that is
    not there. A file of the folder whose name the query reads as a table is one of them without being declared.
    """

    dataset: str
    files: tuple[Path, ...]
    source: DatasetSource
    folder: Path
    query_files: Mapping[str, tuple[Path, ...]] = field(default_factory=dict)

    @property
    def query(self) -> str | None:
        """The SELECT that the dataset is read with; None when it is read from files."""
        return self.source.query

    @property
    def is_available(self) -> bool:
        """Whether the dataset has a file or a query."""
        return bool(self.files or self.query)

    @property
    def label(self) -> str:
        """For people: file names without their folder."""
        return "query" if self.query else ", ".join(file.name for file in self.files)

    @property
    def digest(self) -> str | None:
        """SHA-256 over the files' content; None for a query, whose inputs are not known."""
        if not self.files:
            return None
        total = hashlib.sha256()
        for file in self.files:
            total.update(bytes.fromhex(content_digest(file)))
        return total.hexdigest()


def check_sources(rules: Rules) -> None:
    """Raise RulesError for an unknown dataset or column, an invalid alias or date format, and a name of a query's file
    that has another meaning, in sources.yaml."""
    refuse(rules.path("sources"), _source_problems(rules.sources, contracts_with(rules.dimensions)))


def _source_problems(sources: Sources, contracts: Mapping[str, pa.DataFrameSchema]) -> Iterator[Problem]:
    columns = {
        f"{name}.{column}": about for name, schema in contracts.items() for column, about in schema.columns.items()
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
        for table in source.query_files:
            if table in contracts or table.startswith(OWN_TABLES):
                place = f"datasets > {name} > query_files > {table}"
                yield Problem("rules.query_file_name", place, "is a table of ProductPulse", "any other name")
    for target, names in sources.aliases.items():
        if target in columns:
            yield from _alias_problems(target, columns[target], names)
        else:
            yield Problem("rules.unknown_column", f"aliases > {target}", "give it as dataset.column")
    for date_format in sources.date_formats:
        if date_format in NUMBERED:
            continue
        try:
            in_memory().con.execute("SELECT try_strptime('', $format)", {"format": date_format})
        except duckdb.Error as error:
            yield Problem(
                "rules.date_format",
                "date_formats",
                f"'{date_format}' is not a date format ({error})",
                f"strptime's specifiers, such as %d.%m.%Y, or {', '.join(NUMBERED)}",
            )


def _alias_problems(target: str, column: pa.Column, names: Mapping[str, Alias]) -> Iterator[Problem]:
    """Aliases for a value that the column cannot have."""
    is_status = target.endswith(f".{STATUS}")
    for name, alias in names.items():
        if accepted := _accepted_instead(column, alias, is_status):
            shown = "yes or no" if isinstance(alias, bool) else f"'{alias}'" if alias != "" else "no value"
            yield Problem("rules.alias_value", f"aliases > {target} > {name}", f"is {shown}", accepted)


def _accepted_instead(column: pa.Column, alias: Alias, is_status: bool) -> str:
    """What the column accepts in place of the alias; nothing if it accepts the alias."""
    if is_status and alias == IGNORE:
        return ""
    allowed = [each for check in column.checks for each in check.statistics.get("allowed", ())]
    words = [*allowed, *([IGNORE] if is_status else []), *(["'' for no value"] if column.nullable else [])]
    try:
        value = alias_value(column.dtype.type, alias)
    except ValueError as error:
        return ", ".join(words) if allowed else str(error)
    if value is None and not column.nullable:
        return ", ".join(words) or "a value, because no row may lack one"
    is_known = value is None or str(value).lower() in [each.lower() for each in allowed]
    return ", ".join(words) if allowed and not is_known else ""


def uses_demo(settings: Settings, rules: Rules) -> bool:
    """Whether the run reads the demo company, because neither the settings nor sources.yaml name any data."""
    configured = any(source.file or source.query for source in rules.sources.datasets.values())
    return settings.data_dir is None and not configured


def source_folder(settings: Settings, rules: Rules) -> Path:
    """The folder of the source files: the data folder, or the folder of sources.yaml if none is given."""
    if uses_demo(settings, rules):
        return settings.home.synthetic
    return settings.data_dir or rules.folder


def history_of(settings: Settings, rules: Rules) -> Path:
    """The folder with the history of this company; the demo has its own, so that the two are never compared."""
    history = settings.home.history
    return history / OF_DEMO if uses_demo(settings, rules) else history


def locate(dataset: str, settings: Settings, rules: Rules) -> Location:
    """Find a dataset's files; upper and lower case in their names are equal.

    Raises SourceProblem for two files of one dataset, for a path that is not a file, for a pattern that
    matches no file, and for a file name that is not plain text.
    """
    source, folder = rules.sources.of(dataset), source_folder(settings, rules)
    if source.query:
        return Location(dataset, (), source, folder, _query_files(dataset, folder, source))
    if source.file:
        return Location(dataset, _match_pattern(dataset, folder, source.file), source, folder)
    if settings.data_dir is None and not uses_demo(settings, rules):
        return Location(dataset, (), source, folder)
    candidates = _files_named(dataset, folder)
    found = tuple(path for path in candidates if path.is_file())
    _one_file(dataset, folder, found)
    if candidates and not found:
        place = path_text(candidates[0])
        raise SourceProblem(
            "source.not_a_file",
            f"{dataset}: {place} is {_file_type(candidates[0])}. Put a file in its place, or remove it.",
            dataset=dataset,
            file=candidates[0].name,
        )
    return Location(dataset, _refuse_special_names(dataset, found), source, folder)


def _one_file(name: str, folder: Path, found: tuple[Path, ...]) -> tuple[Path, ...]:
    """The files of one name, unchanged; raises SourceProblem if there are several."""
    if len(found) > 1:
        names = " and ".join(path_text(path.name) for path in found)
        raise SourceProblem(
            "source.several_files",
            f"{name}: {names} are both in {path_text(folder)}. Keep one of them.",
            dataset=name,
            files=names,
        )
    return found


def _files_named(dataset: str, folder: Path) -> tuple[Path, ...]:
    """The paths in the folder that have the dataset's name, in the order of their endings."""
    if not folder.is_dir():
        return ()
    names = [f"{dataset.casefold()}{ending}" for ending in EXTENSIONS]
    try:
        found = [path for path in folder.iterdir() if path.name.casefold() in names]
    except OSError as error:
        raise SourceProblem(
            "source.folder_not_listed",
            f"{dataset}: the folder {path_text(folder)} cannot be listed ({error.strerror}). Change its permissions.",
            dataset=dataset,
        ) from error
    return tuple(sorted(found, key=lambda path: (names.index(path.name.casefold()), path.name)))


def _refuse_special_names(dataset: str, files: tuple[Path, ...]) -> tuple[Path, ...]:
    """The files, unchanged; raises SourceProblem for a name that cannot be shown as text or could change a terminal."""
    for path in files:
        if not is_utf8_path(path) or CONTROLS.search(path.name):
            raise SourceProblem(
                "source.file_name",
                f"{dataset}: the name of the file {path_text(path)} is not plain UTF-8 text on one line. Rename it.",
                dataset=dataset,
            )
    return files


def _file_type(path: Path) -> str:
    if path.is_dir():
        return "a folder, not a file"
    return "a link to a file that does not exist" if path.is_symlink() else "not an ordinary file"


def _query_files(dataset: str, folder: Path, source: DatasetSource) -> dict[str, tuple[Path, ...]]:
    """The files of each table of the query: those of its first pattern that finds any."""
    found = {}
    for name, about in source.query_files.items():
        matches = (files for pattern in about.patterns if (files := _matches(dataset, folder, pattern)))
        found[name] = next(matches, ())
        if not found[name] and not about.optional:
            raise _no_match(dataset, folder, " or ".join(about.patterns))
    declared = {name.casefold() for name in found}
    for name in _tables_of(source.query or ""):
        files = () if name.casefold() in declared or name.startswith(OWN_TABLES) else _files_named(name, folder)
        if paths := _one_file(name, folder, tuple(path for path in files if path.is_file())):
            found[name] = _refuse_special_names(dataset, paths)
    return found


def _tables_of(query: str) -> list[str]:
    """The tables that a query reads and does not define itself; none of a query that cannot be parsed, which fails
    later with DuckDB's own message."""
    try:
        trees = [tree for tree in sqlglot.parse(query, dialect="duckdb") if tree]
    except (SqlglotError, RecursionError):
        return []
    tables = [table for tree in trees for table in tree.find_all(sge.Table)]
    named = {
        table.name.casefold(): table.name for table in tables if isinstance(table.this, sge.Identifier) and not table.db
    }
    defined = {part.alias.casefold() for tree in trees for part in tree.find_all(sge.CTE)}
    return [name for folded, name in sorted(named.items()) if folded not in defined]


def _match_pattern(dataset: str, folder: Path, pattern: str) -> tuple[Path, ...]:
    if found := _matches(dataset, folder, pattern):
        return found
    raise _no_match(dataset, folder, pattern)


def _matches(dataset: str, folder: Path, pattern: str) -> tuple[Path, ...]:
    try:
        given = Path(pattern).expanduser()
        base, rest = (Path(given.anchor), given.relative_to(given.anchor)) if given.is_absolute() else (folder, given)
        found = tuple(sorted(path for path in base.glob(str(rest)) if path.is_file()))
    except (ValueError, RuntimeError, NotImplementedError, OSError) as error:
        raise SourceProblem(
            "source.invalid_pattern",
            f"{dataset}: '{pattern}' of sources.yaml cannot be searched for ({error}). Give a path; * in it "
            "matches any text.",
            dataset=dataset,
            pattern=pattern,
        ) from error
    return _refuse_special_names(dataset, found)


def _no_match(dataset: str, folder: Path, pattern: str) -> SourceProblem:
    return SourceProblem(
        "source.no_match",
        f"{dataset}: no file matches '{pattern}' of sources.yaml in {folder}. Correct it or remove it.",
        dataset=dataset,
        pattern=pattern,
    )


def file_access(settings: Settings, rules: Rules) -> FileAccess:
    """The files that a run may read: the data folder, and files in other folders that sources.yaml names.

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
