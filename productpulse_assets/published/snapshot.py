"""The end of a successful run: the snapshot that readers open."""

import datetime as dt
import subprocess
import sys
from collections.abc import Collection, Mapping, Sequence
from pathlib import Path

import dagster as dg
import ibis
from ibis.backends.duckdb import Backend

from productpulse_assets.decisions.changes import open_decisions
from productpulse_assets.risk.history import RECORDED, as_of_date
from productpulse_assets.sources.location import history_of
from productpulse_assets.tables import DAILY
from resources.decision_history import DECISIONS, KPIS, RISK, write_day
from resources.duckdb_connection import open_file
from resources.failures import step_failures
from resources.outputs import atomic_file
from resources.retries import retried_io
from resources.settings import Settings
from resources.warehouse import comment, transaction
from rules.decision_hash import decision_hash
from rules.rule_set import Rules


def published_snapshot_asset(
    tables: Mapping[str, str], after: Sequence[dg.AssetKey], rules: Rules, settings: Settings
) -> dg.AssetsDefinition:
    """The asset that publishes `tables`, given with their descriptions, once `after` are materialized too."""

    @dg.asset(
        name="published_snapshot",
        group_name="published",
        owners=["team:data"],
        kinds={"duckdb", "file"},
        deps=[*tables, *after],
        freshness_policy=DAILY,
        required_resource_keys={"warehouse"},
        config_schema={},
    )
    @step_failures()
    @retried_io()
    def published_snapshot(context: dg.AssetExecutionContext) -> dg.MaterializeResult[None]:
        """One DuckDB file with every table of the run, for the dashboard, BI tools and plain SQL.

        Replaced in one step when everything before it has succeeded; until then readers see the last one.
        The KPI rows, risk and open decisions of the as-of date are written to the history beside it.
        """
        backend: Backend = context.resources.warehouse.backend
        with transaction(backend):
            for table, description in tables.items():
                comment(backend, table, {}, description)
        target = settings.home.published
        with atomic_file(target) as part:
            copy_store(backend, settings.home.warehouse, part)
            if set(backend.list_tables()) - set(tables):
                keep_only(part, tables)
        as_of = add_to_history(backend, history_of(settings, rules), rules)
        return dg.MaterializeResult(
            metadata={
                "path": dg.MetadataValue.path(str(target)),
                "as_of_date": as_of.isoformat(),
                "tables": len(tables),
                "bytes": target.stat().st_size,
            }
        )

    return published_snapshot


def add_to_history(backend: Backend, history: Path, rules: Rules) -> dt.date:
    """Write KPI rows, risk and open decisions of the as-of date to the history; return the date."""
    calendar, plan = backend.table("calendar"), backend.table("intervention_plan")
    write_day(open_decisions(plan, calendar), history, DECISIONS, as_of_date(calendar))
    return record_figures(backend, history, rules)


def record_figures(backend: Backend, history: Path, rules: Rules, inputs: str | None = None) -> dt.date:
    """Write KPI rows and risk of the as-of date to the history; return the date.

    `inputs` says what they were computed from, so that a backfill need not compute them again.
    """
    calendar = backend.table("calendar")
    as_of = as_of_date(calendar)
    kpis = backend.table("kpi_summary").mutate(
        as_of_date=ibis.literal(as_of),
        is_current=calendar.is_current.max().as_scalar(),
        rules_hash=ibis.literal(decision_hash(rules)),
    )
    write_day(kpis.order_by("metric_name"), history, KPIS, as_of)
    risk = backend.table("risk_history").filter(ibis._.as_of_date == as_of)
    # The last file of a date: where it is, the others are too.
    risk = risk.select(*RECORDED).mutate(inputs_hash=ibis.literal(inputs, "string"))
    write_day(risk.order_by("customer_id"), history, RISK, as_of)
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
"""A program that copies in the kernel; a file system that shares blocks between files copies nothing."""


def copy_store(backend: Backend, source: Path, target: Path) -> None:
    """Copy the working file after a checkpoint, so that DuckDB does not write the tables a second time.

    A child process copies: if this process closed the file after reading it, POSIX would drop DuckDB's lock on it.
    """
    backend.raw_sql("CHECKPOINT")
    command = [sys.executable, "-I", "-S", "-c", COPYING, str(source), str(target)]
    # In a session of its own, so that Ctrl-C reaches only the run, which ends in order.
    copied = subprocess.run(command, stderr=subprocess.PIPE, text=True, check=False, start_new_session=True)
    if copied.returncode:
        reason = copied.stderr.strip().splitlines()[-1] if copied.stderr else f"status {copied.returncode}"
        raise OSError(f"{source} could not be copied to {target.parent}: {reason}")


def keep_only(path: Path, tables: Collection[str]) -> None:
    """Drop the tables of an earlier version of the program."""
    copy = open_file(path)
    try:
        for name in copy.list_tables():
            if name not in tables:
                copy.drop_table(name)
    finally:
        copy.disconnect()
