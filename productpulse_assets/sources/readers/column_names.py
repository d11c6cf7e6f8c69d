"""The names of a source's columns, validated in the same way for every format."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from pathlib import Path

from productpulse_assets.sources.errors import SourceProblem
from productpulse_assets.sources.readers.blanks import plain_name, trimmed

OURS = ("source_file", "row_number")
MAX_COLUMNS = 1_000
"""More columns than any spreadsheet has that a person maintains; a query of more takes a minute to build."""

CONTROLS = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f]")
"""Control characters: only a damaged file has them in a name. Spreadsheets do have line breaks and tabs in headings."""

VALUE = re.compile(r"(?=.*\d)[-+.,:/ \dTZ]+")
"""A number, a date or a time."""


def checked_names(path: Path, names: Iterable[str]) -> tuple[str, ...]:
    """The names, unchanged. Raises SourceProblem for too many names, for an empty name, for a name
    with a control character, for two names that differ only by case (one name to DuckDB) or by
    the blanks around them, and for names that we add ourselves."""
    columns = tuple(names)
    if len(columns) > MAX_COLUMNS:
        raise SourceProblem(
            "source.too_many_columns",
            f"{path.name} has {len(columns):,} columns; up to {MAX_COLUMNS:,} are read. Export only the columns that "
            f"are needed, or check that the lines of the file end where rows do.",
            file=path.name,
        )
    seen: dict[str, str] = {}
    for position, name in enumerate(columns, start=1):
        _refuse_name(path, name, f"column {position} of {len(columns)}")
        if (plain := plain_name(name)) in seen:
            raise _repeated_name(path, seen[plain], name, columns)
        seen[plain] = name
    return columns


def _refuse_name(path: Path, name: str, place: str) -> None:
    if not trimmed(name):
        raise SourceProblem(
            "source.column_without_name",
            f"{path.name}: {place} has no name. Name it in the file's header, or remove the column.",
            file=path.name,
        )
    if CONTROLS.search(name):
        raise SourceProblem(
            "source.control_character",
            f"{path.name}: the column name {_shown(name)} has a control character in it, so the file is "
            f"damaged or not text. Export it again.",
            file=path.name,
            column=name,
        )
    if plain_name(name) in OURS:
        raise SourceProblem(
            "source.reserved_column",
            f"{path.name}: a column is named {name!r}, a name that ProductPulse uses for the "
            f"origin of a row. Rename the column in the file.",
            file=path.name,
            column=name,
        )


def _repeated_name(path: Path, first: str, name: str, columns: Sequence[str]) -> SourceProblem:
    if values := values_in(columns):
        return SourceProblem("source.no_header", f"{path.name}: {no_header(values)}", file=path.name)
    return SourceProblem(
        "source.same_column_twice",
        f"{path.name}: the column names {_shown(first)} and {_shown(name)} are the "
        f"same (case does not count). Rename or remove one of the two columns.",
        file=path.name,
        column=name,
    )


def values_in(columns: Sequence[str]) -> tuple[str, ...]:
    """The names that can only be values. The first line may then be a row, and its other words personal data."""
    return tuple(name for name in columns if VALUE.fullmatch(name))


def no_header(values: Sequence[str]) -> str:
    """What to do about a file whose first line is a row; of that row it shows only `values`."""
    return (
        f"its first line has {', '.join(values[:3])} where column names are expected. Add a line with the names, "
        "or export the file with its header."
    )


def _shown(name: str) -> str:
    return repr(name if len(name) <= 60 else f"{name[:57]}...")
