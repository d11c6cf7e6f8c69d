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
"""What a spreadsheet opens besides the header; larger tables are exported as Parquet alone."""


def exports_asset(tables: Sequence[str], settings: Settings) -> dg.AssetsDefinition:
    """The files of every table in `tables`, written once the snapshot is published."""

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
        """Every published table as `exports/<table>.parquet` and `exports/<table>.csv`.

        In CSV every text is in quotes, and what a spreadsheet would run as a formula gets an apostrophe
        before it. Tables of more rows than a spreadsheet opens are Parquet only.
        """
        backend: Backend = context.resources.warehouse.backend
        with_csv = export_all(backend, tables, settings.home.exports)
        return dg.MaterializeResult(
            metadata={
                "path": dg.MetadataValue.path(str(settings.home.exports)),
                "tables": len(tables),
                "parquet_only": [name for name in tables if name not in with_csv],
            }
        )

    return exports


def export_all(backend: Backend, tables: Sequence[str], folder: Path) -> set[str]:
    """Write the files of all tables, and return the tables that have a CSV among them.

    Two at a time, the largest first: DuckDB writes a CSV on one processor, and each file is waited for
    until it is on the disk.
    """
    sizes = dict(backend.con.execute("SELECT table_name, estimated_size FROM duckdb_tables()").fetchall())
    # Asked here: the threads share none of this connection.
    stored = {name: backend.table(name) for name in tables}

    def write(name: str) -> bool:
        return export(backend, stored[name], folder, name)

    largest_first = sorted(tables, key=lambda name: (-sizes[name], name))
    with ThreadPoolExecutor(max_workers=2) as pool:
        return {name for name, has_csv in zip(largest_first, pool.map(write, largest_first), strict=True) if has_csv}


def export(backend: Backend, table: ir.Table, folder: Path, name: str) -> bool:
    """Write a table's files over a connection of its own; whether there is a CSV among them."""
    # By its own statements: Ibis would begin by changing settings, which are locked.
    beside = backend.con.cursor()
    with atomic_file(folder / f"{name}.parquet") as part:
        beside.execute(copying(backend, table, part, "parquet"))
    csv = folder / f"{name}.csv"
    ((rows,),) = beside.execute(backend.compile(table.aggregate(rows=table.count()))).fetchall()
    if rows > SPREADSHEET_ROWS:
        csv.unlink(missing_ok=True)
        return False
    with atomic_file(csv) as part:
        beside.execute(copying(backend, escape_formulas(table), part, "csv"))
    return True


def copying(backend: Backend, table: ir.Table, target: Path, file_format: str) -> str:
    """The statement that writes the rows of `table` to a file; in CSV every text is in quotes."""
    path = sge.Literal.string(str(target)).sql("duckdb")
    texts = [sg.column(name, quoted=True).sql("duckdb") for name, kind in table.schema().items() if kind.is_string()]
    quoted = f", HEADER, FORCE_QUOTE ({', '.join(texts)})" if texts and file_format == "csv" else ""
    # Ibis writes the query; names and path are quoted by sqlglot.
    return f"COPY ({backend.compile(table)}) TO {path} (FORMAT {file_format}{quoted})"  # nosec B608
