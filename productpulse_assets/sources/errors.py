"""The error for everything that is wrong with a source: its place, its format, its columns, its query."""

from __future__ import annotations

from collections.abc import Sequence

from rules.text.errors import ProductPulseError
from rules.text.formats import printable_line


class SourceProblem(ProductPulseError):
    """A dataset's source cannot be used. Codes begin with source, csv, json, parquet or query."""


def unknown_header(dataset: str, setting: str, header: str, file: str, found: Sequence[str]) -> SourceProblem:
    """A setting of the dataset names a column that the file does not have."""
    return SourceProblem(
        "source.unknown_header",
        f"{dataset}: {file} has no column '{printable_line(header, 60)}', which datasets > {dataset} > {setting} in "
        f"sources.yaml names; it has {listed(found)}. Correct the name.",
        dataset=dataset,
        file=file,
    )


def listed(found: Sequence[str], limit: int = 30) -> str:
    """The names of columns in a sentence."""
    names = [printable_line(name, 60) for name in found[:limit]]
    more = f" and {len(found) - limit:,} more" if len(found) > limit else ""
    return f"{', '.join(names)}{more}"
