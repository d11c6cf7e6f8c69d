"""The files that a query of sources.yaml reads as tables: under the names that `query_files` gives to them, or their
own without the ending."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import ibis
import ibis.expr.types as ir
import sqlglot.expressions as sge
from ibis.backends.duckdb import Backend

from productpulse_assets.sources.casting import trimmed_text
from productpulse_assets.sources.location import Location
from productpulse_assets.sources.readers.blanks import plain_name
from productpulse_assets.sources.readers.column_names import OURS
from productpulse_assets.sources.readers.raw_rows import RawRows, columns_of, read_files, read_query, release
from resources.tables import table_of
from resources.warehouse import fill


def read_query_with_files(backend: Backend, location: Location, scratch: Path, decimal_sign: str = ".") -> RawRows:
    """The rows of a dataset's query. A line that cannot be split, in any of its files, is a malformed line of the
    dataset; numbers of workbooks and JSON become texts with `decimal_sign`. Raises SourceProblem."""
    assert location.query
    with query_tables(backend, location, scratch, decimal_sign) as names:
        raw = read_query(backend, location.dataset, location.query)
        for name in names:
            malformed = backend.table(f"malformed_{_part(location, name)}")
            backend.insert(raw.malformed.get_name(), malformed)
    return raw


@contextmanager
def query_tables(
    backend: Backend, location: Location, scratch: Path, decimal_sign: str = ".", *, with_rows: bool = True
) -> Iterator[tuple[str, ...]]:
    """The tables of the query's files, which exist inside the `with` block; their names, of those with a file.

    All columns are text without blanks around it, and NULL where the file has no value. Without rows, the tables
    show which columns the query has. Raises SourceProblem for a file that cannot be read.
    """
    names = tuple(location.query_files)
    try:
        for name, files in location.query_files.items():
            table = _table(backend, location, name, files, scratch, decimal_sign, with_rows)
            fill(backend, name, table, temporary=True)
        yield tuple(name for name in names if location.query_files[name] and with_rows)
    finally:
        for name in names:
            quoted = sge.to_identifier(name, quoted=True).sql("duckdb")
            backend.raw_sql(f"DROP TABLE IF EXISTS temp.{quoted}")  # nosec B608
            release(backend, _part(location, name))


def _part(location: Location, name: str) -> str:
    """The name under which the rows of one file are read."""
    return f"{location.dataset}_file_{list(location.query_files).index(name)}"


def _table(
    backend: Backend,
    location: Location,
    name: str,
    files: Sequence[Path],
    scratch: Path,
    decimal_sign: str,
    with_rows: bool,
) -> ir.Table:
    about, encoding = location.source.query_files.get(name), location.source.encoding
    wanted = about.columns if about else ()
    if not files:
        return _without_rows(wanted)
    if not with_rows:
        found = columns_of(backend, files, encoding, scratch=scratch)
        return _without_rows((*found, *_absent(found, wanted)))
    part = _part(location, name)
    rows = read_files(backend, part, files, encoding, scratch=scratch, decimal_sign=decimal_sign).rows
    found = tuple(column for column in rows.columns if column not in OURS)
    return rows.select(
        **{column: trimmed_text(rows[column]) for column in found},
        **{column: ibis.null("string") for column in _absent(found, wanted)},
    )


def _without_rows(columns: Sequence[str]) -> ir.Table:
    return table_of([], ibis.schema(dict.fromkeys(columns, "string")))


def _absent(found: Sequence[str], wanted: Sequence[str]) -> list[str]:
    """The wanted columns that are not found; case and blanks around a name do not count."""
    there = {plain_name(column) for column in found}
    return [column for column in wanted if plain_name(column) not in there]
