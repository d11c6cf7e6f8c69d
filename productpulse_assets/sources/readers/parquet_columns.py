"""The columns of a Parquet file under their own names; what DuckDB would change without an error is refused."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from itertools import islice
from pathlib import Path
from typing import NamedTuple

import duckdb
import sqlglot.expressions as sge

from productpulse_assets.sources.errors import SourceProblem
from productpulse_assets.sources.readers.column_names import checked_names
from rules.text.formats import one_line

MOST_DIGITS = 38
"""DuckDB reads decimals of more digits as doubles, and those of more than 16 bytes as wrong numbers."""

FOREIGN = "GEOMETRY"
"""A type that Ibis does not know without DuckDB's spatial extension; it is read as text."""


ELEMENTS = r"""
    SELECT name, coalesce(num_children, 0),
        coalesce(greatest(precision, TRY_CAST(regexp_extract(logical_type, 'precision=(\d+)', 1) AS BIGINT)), 0)
    FROM parquet_schema($path)
"""


class Element(NamedTuple):
    """A row of a file's schema: a column, or a part of the column above it."""

    name: str
    children: int
    digits: int


def parquet_columns(con: duckdb.DuckDBPyConnection, path: Path) -> tuple[str, ...]:
    """The names in the file: DuckDB renames names that occur twice or are empty.

    Raises SourceProblem for names as `checked_names` does, and for decimals of more digits than DuckDB has.
    """
    try:
        con.execute("DESCRIBE SELECT * FROM read_parquet($path)", {"path": str(path)})
        found = con.execute(ELEMENTS, {"path": str(path)}).fetchall()
    except duckdb.Error as error:
        raise unreadable_parquet([path], error) from error
    root, *elements = (Element(*line) for line in found)
    columns = list(_columns(iter(elements), root.children))
    for name, digits in columns:
        if digits > MOST_DIGITS:
            raise SourceProblem(
                "parquet.too_many_digits",
                f"{path.name}: the column '{one_line(name, 60)}' has decimals of up to {digits} digits, and up to "
                f"{MOST_DIGITS} can be read without changing them. Export it with fewer digits, or leave it out.",
                file=path.name,
                column=name,
            )
    return checked_names(path, [name for name, _digits in columns])


def _columns(elements: Iterator[Element], count: int) -> Iterator[tuple[str, int]]:
    """The next columns, each with the largest number of digits of its decimals."""
    for element in islice(elements, count):
        inside = [digits for _name, digits in _columns(elements, element.children)]
        yield element.name, max([element.digits, *inside])


def as_text(columns: Sequence[str], types: Iterable[object]) -> str:
    """The SQL after the star of a SELECT that gives every column a type that Ibis knows."""
    foreign = [name for name, kind in zip(columns, types, strict=True) if str(kind).startswith(FOREIGN)]
    names = [sge.to_identifier(name, quoted=True).sql("duckdb") for name in foreign]
    return f" REPLACE ({', '.join(f'{name}::VARCHAR AS {name}' for name in names)})" if names else ""


def unreadable_parquet(files: Sequence[Path], error: duckdb.Error) -> SourceProblem:
    """The error for files that are not Parquet or are damaged, with DuckDB's message."""
    names = ", ".join(path.name for path in files)
    return SourceProblem(
        "parquet.unreadable",
        f"{names} cannot be read as Parquet: {str(error).splitlines()[0]}. Export or copy it "
        f"again, or correct its ending if it is another format.",
        files=names,
    )
