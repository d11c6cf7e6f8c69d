"""The DuckDB store behind the graph: an asset's Ibis expression becomes a table."""

from __future__ import annotations

import re
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from functools import cached_property
from pathlib import Path

import dagster as dg
import duckdb
import ibis
import ibis.expr.types as ir
import yaml
from dagster_duckdb import DuckDBResource
from ibis.backends.duckdb import Backend
from pydantic import PrivateAttr

from resources.lineage import column_sources
from resources.tables import markdown_preview

PREVIEW_ROWS = 10


class WarehouseBusy(Exception):
    """Another process has the warehouse open; the message names the file and the process."""


class Warehouse(dg.ConfigurableIOManager):
    """Runs each asset's expression as one CREATE TABLE AS and hands tables to the next asset.

    One connection serves the whole run: DuckDB takes one writing process per file. Rows are
    stored in the order of the asset's `key` metadata, so that equal input gives equal files.
    """

    duckdb: DuckDBResource
    glossary: str
    time_zone: str = "UTC"

    _backend: Backend = PrivateAttr()

    @contextmanager
    def yield_for_execution(self, context: dg.InitResourceContext) -> Iterator[Warehouse]:
        with self._connection() as connection:
            # Naive timestamps are in this zone, and dates are cut in it.
            connection.execute("SET TimeZone = $zone", {"zone": self.time_zone})
            self._backend = ibis.duckdb.from_connection(connection)
            yield self

    @contextmanager
    def _connection(self) -> Iterator[duckdb.DuckDBPyConnection]:
        Path(self.duckdb.database).parent.mkdir(parents=True, exist_ok=True)
        connecting = self.duckdb.get_connection()
        try:
            connection = connecting.__enter__()
        except duckdb.IOException as error:
            raise WarehouseBusy(_busy_sentence(self.duckdb.database, str(error))) from error
        try:
            yield connection
        finally:
            connection.close()

    @property
    def backend(self) -> Backend:
        """The run's connection, for reading source files and for publishing."""
        return self._backend

    @cached_property
    def descriptions(self) -> dict[str, str]:
        """What each column means, by name or `table.name`."""
        return yaml.safe_load(Path(self.glossary).read_text(encoding="utf-8"))

    def load_input(self, context: dg.InputContext) -> ir.Table:
        return self._backend.table(context.asset_key.path[-1])

    def handle_output(self, context: dg.OutputContext, obj: ir.Table) -> None:
        name = context.asset_key.path[-1]
        key = list((context.definition_metadata or {}).get("key", ()))
        started = time.perf_counter()
        ordered = obj.order_by(key) if key else obj
        self.store(name, ordered)
        context.add_output_metadata(
            {
                "seconds": round(time.perf_counter() - started, 3),
                "sql": dg.MetadataValue.md(f"```sql\n{ibis.to_sql(ordered, dialect='duckdb')}\n```"),
                "dagster/column_lineage": column_lineage(obj),
                **self._facts(name),
            }
        )

    def store(self, name: str, content: ir.Table) -> None:
        """Replace table `name` in one step: a killed run leaves the old one or the new one."""
        connection = self._backend.con
        connection.begin()
        try:
            self._backend.create_table(name, content, overwrite=True)
            connection.commit()
        except BaseException:
            connection.rollback()
            raise

    def _facts(self, name: str) -> dict[str, object]:
        table = self._backend.table(name)
        columns = [
            dg.TableColumn(column, str(kind), description=describe(self.descriptions, name, column))
            for column, kind in table.schema().items()
        ]
        return {
            "dagster/row_count": int(table.count().execute()),
            "dagster/column_schema": dg.TableSchema(columns=columns),
            "preview": dg.MetadataValue.md(markdown_preview(table, PREVIEW_ROWS)),
        }


def describe(descriptions: Mapping[str, str], table: str, column: str) -> str | None:
    return descriptions.get(f"{table}.{column}", descriptions.get(column))


def column_lineage(table: ir.Table) -> dg.TableColumnLineage:
    """The expression's provenance as Dagster shows it."""
    return dg.TableColumnLineage(
        {
            column: [dg.TableColumnDep(dg.AssetKey(source), name) for source, name in sorted(found)]
            for column, found in column_sources(table).items()
            if found
        }
    )


def _busy_sentence(path: str, error: str) -> str:
    holder = re.search(r"held in (.+?) \(PID (\d+)\)", error)
    if not holder:
        return f"The warehouse {path} cannot be opened: {error.splitlines()[0]}"
    program, process = holder.groups()
    return (
        f"The warehouse {path} is in use by process {process} ({program}). "
        "Wait until that run has ended, then run again."
    )
