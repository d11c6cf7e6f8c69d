"""The end of a good run: the snapshot that readers open, and the same tables as files."""

import datetime as dt
import subprocess
import sys
from collections.abc import Collection, Mapping, Sequence
from pathlib import Path

import dagster as dg
import ibis
import ibis.expr.types as ir
from ibis.backends.duckdb import Backend

from productpulse_assets.automation import DAILY
from productpulse_assets.decisions.changes import open_decisions
from productpulse_assets.kept_days import DECISIONS, KPIS, history_of, keep
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


def copy_store(backend: Backend, source: Path, target: Path) -> None:
    """Copy the working file as it is after a checkpoint: nothing is written a second time by DuckDB.

    Another process copies: when this one closed the file after reading it, POSIX would drop
    the lock that keeps other runs out of it.
    """
    backend.raw_sql("CHECKPOINT")
    subprocess.run(
        [sys.executable, "-c", "import shutil, sys; shutil.copyfile(*sys.argv[1:])", str(source), str(target)],
        check=True,
    )


def keep_only(path: Path, tables: Collection[str]) -> None:
    """Drop what an earlier version of the program left in the working file."""
    copy = ibis.duckdb.connect(path)
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
    )
    @retried_io()
    def exports(context: dg.AssetExecutionContext) -> dg.MaterializeResult:
        """Every published table as `exports/<table>.parquet` and `exports/<table>.csv`.

        CSV cells that a spreadsheet would run as a formula get a leading apostrophe. Tables of
        more rows than a spreadsheet opens are Parquet only.
        """
        settings: RunSettings = context.resources.settings
        backend: Backend = context.resources.warehouse.backend
        parquet_only = [name for name in tables if not export(backend.table(name), settings.home.exports, name)]
        return dg.MaterializeResult(
            metadata={
                "path": dg.MetadataValue.path(str(settings.home.exports)),
                "tables": len(tables),
                "parquet_only": parquet_only,
            }
        )

    return exports


def export(table: ir.Table, folder: Path, name: str) -> bool:
    """Write a table's files; whether there is a CSV among them."""
    with replacing(folder / f"{name}.parquet") as part:
        table.to_parquet(part)
    csv = folder / f"{name}.csv"
    if table.count().execute() > SPREADSHEET_ROWS:
        csv.unlink(missing_ok=True)
        return False
    with replacing(csv) as part:
        harmless(table).to_csv(part)
    return True
