"""The files of a folder as tables with their columns' values, before anything is known about them."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path

import ibis.expr.types as ir
import pyarrow as pa
import pyarrow.compute as pc
from ibis import _
from ibis.backends.duckdb import Backend

from productpulse_assets.sources.casting import trimmed_text
from productpulse_assets.sources.demo import MANIFEST
from productpulse_assets.sources.errors import SourceProblem
from productpulse_assets.sources.location import EXTENSIONS
from productpulse_assets.sources.readers.raw_rows import read_files
from resources.tables import rows_of
from rules.models import NULL_VALUES

VALUES_READ = 2_000
"""Different values of a column that are looked at, the most frequent first."""

CELLS_AT_ONCE = 5_000_000
"""Values that are in memory at once: the columns of a large file are looked at one after the other."""

OLD_ENCODING = "windows-1252"
"""What files of European programs have that are not UTF-8. It has a letter for nearly every byte, so reading it never
fails: it is tried only after UTF-8 did, and the result is a question."""

INVALID_TEXT = "�"
SERIES = re.compile(r"\d[\d_.T-]*")
"""The part of a name that differs between the files of a series: payments_2026-01.csv, payments_2026-02.csv."""


@dataclass(frozen=True)
class Column:
    """A column of an export. values: its different values as text, the most frequent first, at most VALUES_READ;
    counts: the rows of each; value_count and distinct_count are of all rows."""

    name: str
    values: tuple[str, ...]
    counts: tuple[int, ...]
    row_count: int
    value_count: int
    distinct_count: int

    @property
    def is_unique(self) -> bool:
        """Whether nearly every row has a value of its own: exact duplicates of a few rows are no objection."""
        return bool(self.value_count) and self.distinct_count >= 0.98 * self.row_count

    @property
    def filled_rate(self) -> float:
        """The share of rows with a value."""
        return self.value_count / self.row_count if self.row_count else 0.0


@dataclass(frozen=True, eq=False)
class Export:
    """A file, or several files of one series that have the same columns.

    pattern: as in `file` of sources.yaml. stem: the name without ending and without the part that differs between the
    files of a series. encoding: None for UTF-8. found: what was computed about a column already, by what and which.
    """

    pattern: str
    stem: str
    files: tuple[Path, ...]
    encoding: str | None
    rows: ir.Table
    names: tuple[str, ...]
    row_count: int
    found: dict[tuple[str, ...], object] = field(default_factory=dict)

    @cached_property
    def columns(self) -> dict[str, Column]:
        """The columns with their values, by their names in the file."""
        step = max(1, CELLS_AT_ONCE // max(1, self.row_count))
        columns: dict[str, Column] = {}
        for start in range(0, len(self.names), step):
            names = self.names[start : start + step]
            texts = self.rows.select(
                **{f"c{number}": self.text(name) for number, name in enumerate(names)}
            ).to_pyarrow()
            columns.update({name: self._column(name, texts[f"c{number}"]) for number, name in enumerate(names)})
        return columns

    def text(self, name: str) -> ir.StringColumn:
        """The column's values as text; words for no value are NULL."""
        return trimmed_text(self.rows[name], NULL_VALUES)

    def _column(self, name: str, texts: pa.ChunkedArray) -> Column:
        counted = pc.value_counts(texts.combine_chunks())
        rows = {each["values"]: each["counts"] for each in counted.to_pylist() if each["values"] is not None}
        top = sorted(rows.items(), key=lambda each: (-each[1], each[0]))[:VALUES_READ]
        return Column(
            name,
            values=tuple(value for value, _count in top),
            counts=tuple(count for _value, count in top),
            row_count=self.row_count,
            value_count=sum(rows.values()),
            distinct_count=len(rows),
        )


@dataclass(frozen=True)
class Folder:
    """What a folder has: exports that can be read, and for each other file of a known ending why it cannot."""

    exports: tuple[Export, ...]
    problems: tuple[str, ...]


def read_folder(folder: Path, backend: Backend, scratch: Path) -> Folder:
    """Every file of the folder that has an ending that is read; files of one series are one export."""
    exports: list[Export] = []
    problems: list[str] = []
    for files in _series(folder):
        try:
            exports.append(_read(folder, files, backend, f"export_{len(exports)}", scratch))
        except SourceProblem as problem:
            problems.append(str(problem))
    return Folder(tuple(exports), tuple(problems))


def _series(folder: Path) -> Iterator[tuple[Path, ...]]:
    """The files of each export, in the order of their names."""
    groups: dict[tuple[str, str], list[Path]] = {}
    for path in sorted(folder.iterdir()):
        ending = _ending(path)
        if ending and path.is_file() and path.name != MANIFEST and not path.name.startswith("."):
            groups.setdefault((SERIES.sub("*", path.name.removesuffix(ending)), ending), []).append(path)
    yield from map(tuple, groups.values())


def _ending(path: Path) -> str:
    found = [path.name[-len(ending) :] for ending in EXTENSIONS if path.name.casefold().endswith(ending)]
    return max(found, key=len, default="")


def _read(folder: Path, files: Sequence[Path], backend: Backend, name: str, scratch: Path) -> Export:
    encoding = None
    try:
        raw = read_files(backend, name, files, scratch=scratch)
        is_text = not (rows_of(raw.malformed.aggregate(rows=_.count()))[0]["rows"] or _has_invalid_text(raw.columns))
    except SourceProblem as problem:
        if problem.code != "csv.header_encoding":
            raise
        is_text = False
    if not is_text and _is_not_utf8(files):
        encoding = OLD_ENCODING
        raw = read_files(backend, name, files, encoding, scratch=scratch)
    stem, ending = files[0].name.removesuffix(_ending(files[0])), _ending(files[0])
    varies = SERIES.sub("*", stem)
    is_series = len(files) > 1
    return Export(
        pattern=f"{varies}{ending}" if is_series else files[0].name,
        stem=varies.replace("*", " ") if is_series else stem,
        files=tuple(files),
        encoding=encoding,
        rows=raw.rows,
        names=raw.columns,
        row_count=int(rows_of(raw.rows.aggregate(rows=_.count()))[0]["rows"]),
    )


def _has_invalid_text(names: Sequence[str]) -> bool:
    return any(INVALID_TEXT in name for name in names)


def _is_not_utf8(files: Sequence[Path]) -> bool:
    """Whether a file that is not compressed has bytes that are not UTF-8."""
    for path in files:
        try:
            if not path.name.casefold().endswith((".gz", ".parquet")):
                path.read_bytes().decode("utf-8")
        except UnicodeDecodeError:
            return True
    return False


def shared_rate(child: Export, child_column: str, parent: Export, parent_column: str) -> float:
    """The share of the different values of a child's column that the parent's column has too; 0 without values.

    7.0 is 7, as in the program.
    """
    left = _ids(child, child_column)
    right = _ids(parent, parent_column)
    both = left.left_join(right.mutate(is_shared=True), "value")
    (row,) = rows_of(both.aggregate(shared=_.is_shared.notnull().sum(), all=_.count()))
    return float(row["shared"] / row["all"]) if row["all"] else 0.0


def _ids(export: Export, column: str) -> ir.Table:
    values = export.rows.select(value=export.text(column).re_replace(r"\.0$", ""))
    return values.filter(_.value.notnull()).distinct()


def are_equal(export: Export, one: str, other: str) -> bool:
    """Whether two columns have the same text in every row."""
    differ = ~export.text(one).identical_to(export.text(other))
    return not bool(rows_of(export.rows.aggregate(differ=differ.any()))[0]["differ"])
