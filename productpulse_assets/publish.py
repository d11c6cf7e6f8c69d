"""The end of a good run: the snapshot that readers open, and the same tables as files."""

import datetime as dt
import subprocess
import sys
from collections.abc import Collection, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import dagster as dg
import ibis
import ibis.expr.types as ir
import sqlglot.expressions as sge
from ibis.backends.duckdb import Backend

from productpulse_assets.automation import DAILY
from productpulse_assets.decisions.changes import open_decisions
from productpulse_assets.kept_days import DECISIONS, KPIS, history_of, keep
from resources.duckdb_connection import open_file
from resources.outputs import replacing
from resources.retries import retried_io
from resources.settings import RunSettings
from resources.tables import rows_of
from resources.warehouse import comment
from rules.texts import harmless

SPREADSHEET_ROWS = 1_048_575
"""What a spreadsheet opens besides the header; larger tables are exported as Parquet alone."""


def published_snapshot_asset(tables: Mapping[str, str], after: Sequence[dg.AssetKey]) -> dg.AssetsDefinition:
    """`tables` maps each table to publish to its description; `after` are further things to wait for."""

    @dg.asset(
        name="published_snapshot",
        group_name="published",
        owners=["team:data"],
        kinds={"duckdb", "file"},
        deps=[*tables, *after],
        freshness_policy=DAILY,
        required_resource_keys={"warehouse", "settings"},
        config_schema={},
    )
    @retried_io()
    def published_snapshot(context: dg.AssetExecutionContext) -> dg.MaterializeResult:
        """One DuckDB file with every table of the run, for the dashboard, BI tools and plain SQL.

        Replaced in one step when everything before it passed; until then readers see the last one.
        The as-of date's KPI rows and open decisions are added to the history beside it.
        """
        backend: Backend = context.resources.warehouse.backend
        settings: RunSettings = context.resources.settings
        for table, description in tables.items():
            comment(backend, table, {}, description)
        target = settings.home.published
        with replacing(target) as part:
            copy_store(backend, settings.home.warehouse, part)
            if set(backend.list_tables()) - set(tables):
                keep_only(part, tables)
        as_of = keep_day(backend, history_of(settings))
        return dg.MaterializeResult(
            metadata={
                "path": dg.MetadataValue.path(str(target)),
                "as_of_date": as_of.isoformat(),
                "tables": len(tables),
                "bytes": target.stat().st_size,
            }
        )

    return published_snapshot


def keep_day(backend: Backend, history: Path) -> dt.date:
    """Add the as-of date to the history, and return it."""
    calendar, plan = backend.table("calendar"), backend.table("intervention_plan")
    as_of = rows_of(calendar.limit(1))[0]["as_of_date"]
    kpis = backend.table("kpi_summary").mutate(as_of_date=ibis.literal(as_of)).order_by("metric_name")
    keep(kpis, history, KPIS, as_of)
    keep(open_decisions(plan, calendar), history, DECISIONS, as_of)
    return as_of


COPYING = """
import os, shutil, sys

source, target = sys.argv[1:]
try:
    with open(source, "rb") as reading, open(target, "wb") as writing:
        while os.copy_file_range(reading.fileno(), writing.fileno(), 1 << 30):
            pass
except (AttributeError, OSError):
    shutil.copyfile(source, target)
"""
"""Copies inside the kernel; a file system that can share blocks between files writes none at all."""


def copy_store(backend: Backend, source: Path, target: Path) -> None:
    """Copy the working file as it is after a checkpoint: nothing is written a second time by DuckDB.

    Another process copies: when this one closed the file after reading it, POSIX would drop
    the lock that keeps other runs out of it.
    """
    backend.raw_sql("CHECKPOINT")
    command = [sys.executable, "-I", "-S", "-c", COPYING, str(source), str(target)]
    # In a session of its own, so that Ctrl-C reaches the run alone, which ends in order.
    copied = subprocess.run(command, stderr=subprocess.PIPE, text=True, check=False, start_new_session=True)
    if copied.returncode:
        reason = copied.stderr.strip().splitlines()[-1] if copied.stderr else f"status {copied.returncode}"
        raise OSError(f"{source} could not be copied to {target.parent}: {reason}")


def keep_only(path: Path, tables: Collection[str]) -> None:
    """Drop what an earlier version of the program left in the working file."""
    copy = open_file(path)
    try:
        for name in copy.list_tables():
            if name not in tables:
                copy.drop_table(name)
    finally:
        copy.disconnect()


def exports_asset(tables: Sequence[str]) -> dg.AssetsDefinition:
    """The files of every table in `tables`, written once the snapshot is published."""

    @dg.asset(
        name="exports",
        group_name="published",
        owners=["team:data"],
        kinds={"csv", "parquet"},
        deps=["published_snapshot"],
        required_resource_keys={"warehouse", "settings"},
        config_schema={},
    )
    @retried_io()
    def exports(context: dg.AssetExecutionContext) -> dg.MaterializeResult:
        """Every published table as `exports/<table>.parquet` and `exports/<table>.csv`.

        CSV cells that a spreadsheet would run as a formula get a leading apostrophe. Tables of
        more rows than a spreadsheet opens are Parquet only.
        """
        settings: RunSettings = context.resources.settings
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
    with replacing(folder / f"{name}.parquet") as part:
        beside.execute(copying(backend, table, part, "parquet"))
    csv = folder / f"{name}.csv"
    ((rows,),) = beside.execute(backend.compile(table.aggregate(rows=table.count()))).fetchall()
    if rows > SPREADSHEET_ROWS:
        csv.unlink(missing_ok=True)
        return False
    with replacing(csv) as part:
        beside.execute(copying(backend, harmless(table), part, "csv"))
    return True


def copying(backend: Backend, table: ir.Table, target: Path, file_format: str) -> str:
    """The statement that writes the rows of `table` to a file."""
    path = sge.Literal.string(str(target)).sql("duckdb")
    return f"COPY ({backend.compile(table)}) TO {path} (FORMAT {file_format})"
