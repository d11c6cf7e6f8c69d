"""The columns of a Parquet file as the file itself names them, and what DuckDB would make of them in silence."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from itertools import islice
from pathlib import Path
from typing import NamedTuple

import duckdb
import sqlglot.expressions as sge

from productpulse_assets.sources.errors import SourceProblem
from productpulse_assets.sources.readers.column_names import checked_names
from rules.text.formats import shown

MOST_DIGITS = 38
"""Decimals of more digits are doubles to DuckDB, and those of more than 16 bytes other numbers altogether."""

FOREIGN = "GEOMETRY"
"""A type that Ibis has no name for without DuckDB's spatial extension; its text can be read."""


ELEMENTS = r"""
    SELECT name, coalesce(num_children, 0),
        coalesce(greatest(precision, TRY_CAST(regexp_extract(logical_type, 'precision=(\d+)', 1) AS BIGINT)), 0)
    FROM parquet_schema($path)
"""


class Element(NamedTuple):
    """A line of a file's schema: a column, or a part of the one above it."""

    name: str
    children: int
    digits: int


def parquet_columns(con: duckdb.DuckDBPyConnection, path: Path) -> tuple[str, ...]:
    """The names in the file: DuckDB gives other names to those that are there twice or are empty.

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
                f"{path.name}: the column '{shown(name, 60)}' has decimals of up to {digits} digits, and up to "
                f"{MOST_DIGITS} can be read without changing them. Export it with fewer digits, or leave it out.",
                file=path.name,
                column=name,
            )
    return checked_names(path, [name for name, _digits in columns])


def _columns(elements: Iterator[Element], count: int) -> Iterator[tuple[str, int]]:
    """The next columns, each with the most digits that a decimal in it has."""
    for element in islice(elements, count):
        inside = [digits for _name, digits in _columns(elements, element.children)]
        yield element.name, max([element.digits, *inside])


def as_text(columns: Sequence[str], types: Iterable[object]) -> str:
    """What has to follow the star of a SELECT, so that every column has a type that Ibis knows."""
    foreign = [name for name, kind in zip(columns, types, strict=True) if str(kind).startswith(FOREIGN)]
    names = [sge.to_identifier(name, quoted=True).sql("duckdb") for name in foreign]
    return f" REPLACE ({', '.join(f'{name}::VARCHAR AS {name}' for name in names)})" if names else ""


def unreadable_parquet(files: Sequence[Path], error: duckdb.Error) -> SourceProblem:
    """What DuckDB says of files that are no Parquet, or damaged."""
    names = ", ".join(path.name for path in files)
    return SourceProblem(
        "parquet.unreadable",
        f"{names} cannot be read as Parquet: {str(error).splitlines()[0]}. Export or copy it "
        f"again, or correct its ending if it is another format.",
        files=names,
    )
