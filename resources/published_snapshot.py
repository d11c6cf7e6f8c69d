"""The published snapshot as its readers see it: opened read-only, asked through expressions."""

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
"""Where the tables are, within the database that they are attached to."""

MADE_OF = "inputs.json"
LONG_AFTER = dt.timedelta(hours=1)
STALE_AFTER = dt.timedelta(days=2)
MAKE_ONE = "productpulse run"
CSV_ROWS = 100_000
"""Rows that are in memory twice while a CSV is written."""

Row = Mapping[str, Any]
"""A row of a query by column. What a value is depends on the query, which no type of Python's can tell."""


class NoSnapshot(ProductPulseError):
    """There is nothing to read; the message says what is wrong and what to run."""


@dataclass(frozen=True)
class Version:
    """Which snapshot a file holds: a new one has a new inode, another time or another size."""

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
        """When a run last found that the exports still give this snapshot; when it was published, if none has.

        The file that says what a snapshot was made of is gone while a run works and after one failed, and
        touched when there was nothing to do.
        """
        try:
            found = (self.path.parent / MADE_OF).stat()
        except OSError:
            return self.written
        return max(self.written, dt.datetime.fromtimestamp(found.st_mtime))

    def is_stale(self, now: dt.datetime) -> bool:
        """Whether nobody has looked for newer data for two days."""
        return now - self.confirmed > STALE_AFTER

    def age(self, now: dt.datetime) -> str:
        """How old it is in words, and when it was last found to be up to date, if that was long after."""
        age = f"{age_text(now - self.written)} ago"
        if self.confirmed - self.written < LONG_AFTER:
            return age
        return f"{age}, found up to date {age_text(now - self.confirmed)} ago"


def version_of(path: Path) -> Version:
    """The version that `path` holds now; raises NoSnapshot if there is none."""
    try:
        found = path.stat()
    except OSError as error:
        raise NoSnapshot(
            "snapshot.missing", f"There is no snapshot in {path.parent.parent}. Make one with: {MAKE_ONE}"
        ) from error
    return Version(path, found.st_ino, found.st_mtime_ns, found.st_size)


class Snapshot:
    """One version of the published file, open for reading from any thread until it is closed.

    Tables are expressions; `rows` and `frame` run what is built of them in DuckDB. Raises NoSnapshot
    for a file that is no DuckDB file.
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
            "snapshot.unreadable", f"{self.version.path} cannot be read: {reason}. Make a new one with: {MAKE_ONE}"
        )

    def close(self) -> None:
        """Let go of the file."""
        self._backend.disconnect()

    @property
    def names(self) -> tuple[str, ...]:
        """The tables that were published."""
        return tuple(self._tables)

    def __contains__(self, table: str) -> bool:
        return table in self._tables

    def table(self, name: str) -> ir.Table:
        """A published table; raises NoSnapshot if an earlier version of the program published without it."""
        if name not in self._tables:
            raise NoSnapshot(
                "snapshot.no_such_table",
                f"The snapshot {self.version.path} has no table {name}: an earlier version of ProductPulse made it. "
                f"Make a new one with: {MAKE_ONE}",
                table=name,
            )
        return self._tables[name]

    def sql(self, expression: ir.Table) -> str:
        """The expression as DuckDB is asked it."""
        return str(self._backend.compile(expression))

    def arrow(self, sql: str) -> pa.Table:
        """What DuckDB answers to the SQL of an expression; raises NoSnapshot where the file is damaged."""
        try:
            return self._backend.con.cursor().execute(sql).to_arrow_table()
        except duckdb.IOException as error:
            raise self._unreadable(error) from error

    def rows(self, expression: ir.Table) -> list[dict[str, Any]]:
        """The rows of a small expression as Python values; NULL is None."""
        rows: list[dict[str, Any]] = self.arrow(self.sql(expression)).to_pylist()
        return rows

    def frame(self, expression: ir.Table) -> pd.DataFrame:
        """The rows of a small expression as a frame whose money stays decimal."""
        return framed(self.arrow(self.sql(expression)))

    def csv(self, expression: ir.Table) -> bytes:
        """All rows as CSV in which a spreadsheet finds nothing to run, every text in quotes; no file is written."""
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


def framed(table: pa.Table) -> pd.DataFrame:
    """An Arrow table as a frame: money as decimals, dates as dates, whole numbers whole where some are unknown."""
    return table.to_pandas(integer_object_nulls=True, date_as_object=True)
