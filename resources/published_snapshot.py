"""The published snapshot for its readers: opened read-only and queried with Ibis expressions."""

from __future__ import annotations

import datetime as dt
import io
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import duckdb
import ibis.expr.types as ir
import pandas as pd
import pyarrow as pa
from pyarrow import csv

from resources.duckdb_connection import ATTACHED, open_read_only
from rules.text.errors import ProductPulseError
from rules.text.formats import age_text
from rules.text.sql_text import escape_formulas

PLACE = (ATTACHED, "main")
"""The catalog and the schema of the tables."""

MANIFEST = "inputs.json"
LONG_AFTER = dt.timedelta(hours=1)
STALE_AFTER = dt.timedelta(days=2)
RUN_COMMAND = "productpulse run"
CSV_ROWS = 100_000
"""Rows in one batch of a CSV."""

Row = Mapping[str, Any]
"""A row of a query by column. What a value is depends on the query, which no type of Python's can tell."""


class NoSnapshot(ProductPulseError):
    """There is no snapshot that can be read; the message says why and what to run."""


@dataclass(frozen=True)
class Version:
    """The identity of a snapshot: a new one has another inode, time or size."""

    path: Path
    inode: int
    written_ns: int
    bytes: int

    @property
    def written(self) -> dt.datetime:
        """When the snapshot was published, in local time."""
        return dt.datetime.fromtimestamp(self.written_ns / 1e9)

    @property
    def confirmed(self) -> dt.datetime:
        """When a run last found the snapshot up to date; without such a run, when the snapshot was published.

        Read from the time of inputs.json. A run that has nothing to do sets it; the file is missing while a run works
        and after a failed run.
        """
        try:
            found = (self.path.parent / MANIFEST).stat()
        except OSError:
            return self.written
        return max(self.written, dt.datetime.fromtimestamp(found.st_mtime))

    def is_stale(self, now: dt.datetime) -> bool:
        """Whether no run has looked for newer data for two days."""
        return now - self.confirmed > STALE_AFTER

    def age(self, now: dt.datetime) -> str:
        """Its age in words, and when it was last found up to date if that was more than an hour later."""
        age = f"{age_text(now - self.written)} ago"
        if self.confirmed - self.written < LONG_AFTER:
            return age
        return f"{age}, found up to date {age_text(now - self.confirmed)} ago"


def version_of(path: Path) -> Version:
    """The version of the snapshot in `path`; raises NoSnapshot if the file is missing."""
    try:
        found = path.stat()
    except OSError as error:
        raise NoSnapshot(
            "snapshot.missing", f"There is no snapshot in {path.parent.parent}. Make one with: {RUN_COMMAND}"
        ) from error
    return Version(path, found.st_ino, found.st_mtime_ns, found.st_size)


class Snapshot:
    """One version of the published file, open for reading from any thread until it is closed.

    Tables are expressions; `rows` and `frame` run expressions over them in DuckDB. Raises NoSnapshot for a file
    that is not a DuckDB file.
    """

    def __init__(self, version: Version):
        self.version = version
        try:
            self._backend = open_read_only(version.path)
        except duckdb.Error as error:
            raise self._unreadable(error) from error
        try:
            names = self._backend.list_tables(database=PLACE)
            self._tables = {name: self._backend.table(name, database=PLACE) for name in names}
        except duckdb.Error as error:
            self.close()
            raise self._unreadable(error) from error

    def _unreadable(self, error: duckdb.Error) -> NoSnapshot:
        reason = str(error).splitlines()[0]
        return NoSnapshot(
            "snapshot.unreadable", f"{self.version.path} cannot be read: {reason}. Make a new one with: {RUN_COMMAND}"
        )

    def close(self) -> None:
        """Close the file."""
        self._backend.disconnect()

    @property
    def names(self) -> tuple[str, ...]:
        """The names of the published tables."""
        return tuple(self._tables)

    def __contains__(self, table: str) -> bool:
        return table in self._tables

    def table(self, name: str) -> ir.Table:
        """A published table; raises NoSnapshot if the snapshot of an earlier version does not have it."""
        if name not in self._tables:
            raise NoSnapshot(
                "snapshot.no_such_table",
                f"The snapshot {self.version.path} has no table {name}: an earlier version of ProductPulse made it. "
                f"Make a new one with: {RUN_COMMAND}",
                table=name,
            )
        return self._tables[name]

    def sql(self, expression: ir.Table) -> str:
        """The SQL of an expression."""
        return str(self._backend.compile(expression))

    def arrow(self, sql: str) -> pa.Table:
        """The result of the SQL of an expression; raises NoSnapshot if the file is damaged."""
        try:
            return self._backend.con.cursor().execute(sql).to_arrow_table()
        except duckdb.IOException as error:
            raise self._unreadable(error) from error

    def rows(self, expression: ir.Table) -> list[dict[str, Any]]:
        """The rows of a small expression as Python values; NULL is None."""
        rows: list[dict[str, Any]] = self.arrow(self.sql(expression)).to_pylist()
        return rows

    def frame(self, expression: ir.Table) -> pd.DataFrame:
        """The rows of a small expression as a data frame; money is decimal."""
        return to_frame(self.arrow(self.sql(expression)))

    def csv(self, expression: ir.Table) -> bytes:
        """All rows as CSV, every text in quotes and no text a formula to a spreadsheet; no file is written."""
        rows = self._backend.con.cursor().execute(self.sql(escape_formulas(expression))).to_arrow_reader(CSV_ROWS)
        written = io.BytesIO()
        with csv.CSVWriter(written, rows.schema) as writer:
            for batch in rows:
                writer.write_batch(batch)
        return written.getvalue()

    def comments(self) -> dict[tuple[str, str], str]:
        """What each column means, by table and column."""
        found = self._backend.con.cursor().execute(
            "SELECT table_name, column_name, comment FROM duckdb_columns() "
            "WHERE database_name = 'snapshot' AND comment IS NOT NULL"
        )
        return {(table, column): comment for table, column, comment in found.fetchall()}


def to_frame(table: pa.Table) -> pd.DataFrame:
    """An Arrow table as a data frame: decimals, dates and, also in columns with NULL, integers keep their type."""
    return table.to_pandas(integer_object_nulls=True, date_as_object=True)
