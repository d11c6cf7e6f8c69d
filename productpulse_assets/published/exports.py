"""The published tables as files: CSV and Parquet."""

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import dagster as dg
import ibis.expr.types as ir
import sqlglot as sg
import sqlglot.expressions as sge
from ibis.backends.duckdb import Backend

from resources.failures import step_failures
from resources.outputs import atomic_file
from resources.retries import retried_io
from resources.settings import Settings
from rules.text.sql_text import escape_formulas

SPREADSHEET_ROWS = 1_048_575
"""Rows that a spreadsheet opens connections the header; larger tables are exported as Parquet only."""


def exports_asset(tables: Sequence[str], settings: Settings, snapshot_only: Sequence[str] = ()) -> dg.AssetsDefinition:
    """The files of every table in `tables`, written once the snapshot is published.

    Files of the tables in `snapshot_only`, which an earlier version wrote, are removed: they would show an older day.
    """

    @dg.asset(
        name="exports",
        group_name="published",
        owners=["team:data"],
        kinds={"csv", "parquet"},
        deps=["published_snapshot"],
        required_resource_keys={"warehouse"},
        config_schema={},
    )
    @step_failures()
    @retried_io()
    def exports(context: dg.AssetExecutionContext) -> dg.MaterializeResult[None]:
        """The published tables as `exports/<table>.parquet` and `exports/<table>.csv`.

        Steps of the receivables ledger that another table repeats are in the snapshot only.

        In CSV every text is in quotes, and a text that a spreadsheet would run as a formula begins with an
        apostrophe. Tables with more rows than a spreadsheet opens are Parquet only.
        """
        backend: Backend = context.resources.warehouse.backend
        folder = settings.home.exports
        with_csv = export_all(backend, tables, folder)
        for name in snapshot_only:
            for suffix in ("parquet", "csv"):
                (folder / f"{name}.{suffix}").unlink(missing_ok=True)
        return dg.MaterializeResult(
            metadata={
                "path": dg.MetadataValue.path(str(folder)),
                "tables": len(tables),
                "parquet_only": [name for name in tables if name not in with_csv],
            }
        )

    return exports


def export_all(backend: Backend, tables: Sequence[str], folder: Path) -> set[str]:
    """Write the files of all tables, and return the tables with a CSV.

    Two at a time, the largest first: DuckDB writes a CSV on one processor, and each file is flushed to the disk.
    """
    sizes = dict(backend.con.execute("SELECT table_name, estimated_size FROM duckdb_tables()").fetchall())
    # Read here, because the threads must not share this connection.
    stored = {name: backend.table(name) for name in tables}

    def write(name: str) -> bool:
        return export(backend, stored[name], folder, name)

    largest_first = sorted(tables, key=lambda name: (-sizes[name], name))
    with ThreadPoolExecutor(max_workers=2) as pool:
        return {name for name, has_csv in zip(largest_first, pool.map(write, largest_first), strict=True) if has_csv}


def export(backend: Backend, table: ir.Table, folder: Path, name: str) -> bool:
    """Write the files of a table with a connection of its own; return whether it has a CSV."""
    # With statements of our own: Ibis would first change settings, which are locked.
    connection = backend.con.cursor()
    with atomic_file(folder / f"{name}.parquet") as part:
        connection.execute(copy_statement(backend, table, part, "parquet"))
    csv = folder / f"{name}.csv"
    ((rows,),) = connection.execute(backend.compile(table.aggregate(rows=table.count()))).fetchall()
    if rows > SPREADSHEET_ROWS:
        csv.unlink(missing_ok=True)
        return False
    with atomic_file(csv) as part:
        connection.execute(copy_statement(backend, escape_formulas(table), part, "csv"))
    return True


def copy_statement(backend: Backend, table: ir.Table, target: Path, file_format: str) -> str:
    """The statement that writes the rows of `table` to a file; in CSV every text is in quotes."""
    path = sge.Literal.string(str(target)).sql("duckdb")
    texts = [sg.column(name, quoted=True).sql("duckdb") for name, kind in table.schema().items() if kind.is_string()]
    quoted = f", HEADER, FORCE_QUOTE ({', '.join(texts)})" if texts and file_format == "csv" else ""
    # Ibis writes the query; names and path are quoted by sqlglot.
    return f"COPY ({backend.compile(table)}) TO {path} (FORMAT {file_format}{quoted})"  # nosec B608
