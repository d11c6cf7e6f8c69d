"""A run that fails always prints a reason, also when it fails before its first step."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from unittest import mock

import dagster as dg
import pytest
from dagster_duckdb import DuckDBResource

from productpulse_assets.orchestration import execution as running
from resources import at_launch
from resources.duckdb_connection import FileAccess
from resources.home import Home, SettingsError
from resources.warehouse import Warehouse

pytestmark = pytest.mark.slow


def outcome_of(warehouse: Warehouse, home: Path) -> running.Outcome:
    """The outcome of a run of one asset that needs this warehouse."""

    @dg.asset(required_resource_keys={"warehouse"})
    def empty_asset() -> None:
        """Does nothing."""

    defs = dg.Definitions(
        assets=[empty_asset],
        resources={"warehouse": at_launch.warehouse_resource(warehouse)},
        executor=at_launch.executor,
    )
    with dg.DagsterInstance.ephemeral() as instance:
        return running.execute(defs.resolve_implicit_global_asset_job_def(), instance, Home(home), lambda event: None)


def refuse() -> FileAccess:
    raise SettingsError("settings.folder_not_found", "The folder of the exports cannot be used.")


def broken() -> FileAccess:
    raise RuntimeError("a fault in the program")


@pytest.mark.parametrize(
    ("settings", "reason"),
    [
        ({"time_zone": "Mars/Base"}, "DuckDB does not know the time zone 'Mars/Base'. Set time_zone in sources.yaml"),
        ({"access": refuse}, "The folder of the exports cannot be used."),
        ({"access": broken}, "The run could not begin: RuntimeError: a fault in the program"),
    ],
)
def test_a_resource_that_cannot_start_is_the_reason(tmp_path, settings, reason):
    duckdb = DuckDBResource(database=str(tmp_path / "home" / "store.duckdb"))
    outcome = outcome_of(Warehouse(duckdb, "unused", **settings), tmp_path / "home")
    assert not outcome.succeeded
    (message,) = outcome.errors
    assert message.startswith(reason)


@pytest.mark.parametrize("limit", ["99999999TB", "lots"])
def test_a_memory_limit_that_duckdb_rejects_is_the_reason(tmp_path, limit):
    duckdb = DuckDBResource(database=str(tmp_path / "store.duckdb"), connection_config={"memory_limit": limit})
    (message,) = outcome_of(Warehouse(duckdb, "unused"), tmp_path).errors
    assert message.startswith("The run could not begin: ")
    assert "Error: " in message


def test_a_home_that_cannot_be_created_is_the_reason(tmp_path):
    (tmp_path / "file").write_text("not a folder")
    duckdb = DuckDBResource(database=str(tmp_path / "file" / "store.duckdb"))
    (message,) = outcome_of(Warehouse(duckdb, "unused"), tmp_path).errors
    assert message.startswith("The run could not begin: ")
    assert str(tmp_path / "file") in message


def test_a_run_that_fails_without_a_reason_reports_that(tmp_path):
    job = mock.Mock(spec=dg.JobDefinition)
    job.name = "daily_refresh"
    job.execute_in_process.return_value.success = False
    with dg.DagsterInstance.ephemeral() as instance:
        outcome = running.execute(job, instance, Home(tmp_path), lambda event: None)
    assert outcome.errors == [running.NO_CAUSE]


def test_an_interrupt_that_dagster_raises_is_a_keyboard_interrupt(tmp_path):
    job = mock.Mock(spec=dg.JobDefinition)
    job.name = "daily_refresh"
    job.execute_in_process.side_effect = dg.DagsterExecutionInterruptedError()
    with dg.DagsterInstance.ephemeral() as instance, pytest.raises(KeyboardInterrupt):
        running.execute(job, instance, Home(tmp_path), lambda event: None)


def test_a_working_file_that_is_a_folder_ends_a_run_with_1(productpulse, tmp_path):
    (tmp_path / "home" / "productpulse.duckdb").mkdir(parents=True)
    result = productpulse("run", "--home", tmp_path / "home")
    assert result.exit_code == 1
    assert "productpulse.duckdb" in result.stderr
    assert result.stderr.splitlines()[-1] == "Nothing was published."


def test_sources_that_cannot_be_checked_do_not_pass_the_gate(productpulse, exports, monkeypatch):
    def fail(*_arguments: object) -> None:
        raise RuntimeError("no connection")

    monkeypatch.setattr("resources.warehouse.set_up", fail)
    result = productpulse("validate", "--data", exports)
    assert result.exit_code == 1
    assert "The run could not begin: RuntimeError: no connection" in result.stderr
    assert "passes the gate" not in result.output


MISUSE = {
    "run": ["--data", "nowhere"],
    "validate": ["--data", "nowhere"],
    "compile": ["--rules", "nowhere"],
    "generate": ["--as-of", "soon"],
    "init": ["--preset", "nothing"],
    "status": [],
    "metric": ["no_such_metric"],
    "explain": ["no_such_customer"],
    "dashboard": ["--rules", "nowhere"],
    "dev": ["--data", "nowhere"],
    "backfill": ["--from", "soon"],
    "reset-demo": ["--yes"],
}


@pytest.mark.parametrize(("command", "arguments"), MISUSE.items(), ids=MISUSE)
def test_every_command_that_fails_prints_a_reason(productpulse, tmp_path, command, arguments):
    place = [] if command in ("init", "validate") else ["--home", tmp_path / "home"]
    if command == "reset-demo":
        (tmp_path / "home").mkdir()
        (tmp_path / "home" / "productpulse.duckdb").write_text("data of an unknown run")
    result = productpulse(command, *arguments, *place)
    assert result.exit_code in (1, 2)
    assert result.stderr.strip()


def test_every_command_is_in_this_table():
    from productpulse_assets.cli import main

    assert set(main.commands) == set(MISUSE)


@pytest.mark.parametrize(("command", "option"), [("run", "--home"), ("validate", "--data"), ("metric", "--home")])
def test_a_rules_folder_without_a_file_ends_with_2_and_one_sentence(tmp_path, command, option):
    (tmp_path / "rules").mkdir()
    (tmp_path / "rules" / "sources.yaml").write_text("{}")
    arguments = [*(["revenue"] if command == "metric" else []), option, tmp_path, "--rules", tmp_path / "rules"]
    # In a new process, as a user starts the command.
    program = [sys.executable, "-m", "productpulse_assets.cli", command, *map(str, arguments)]
    result = subprocess.run(program, capture_output=True, text=True, check=False)
    assert result.returncode == 2
    (sentence,) = result.stderr.splitlines()
    assert ".yaml: No such file or directory. Put it there" in sentence


def test_a_password_in_a_setting_is_not_printed(productpulse, tmp_path):
    for setting in (["--data", "postgres://app:hunter2@db/prod"], ["--as-of", "postgres://app:hunter2@db/prod"]):
        result = productpulse("run", *setting, "--home", tmp_path / "home")
        assert result.exit_code == 2
        assert "hunter2" not in result.output
        assert "…@db/prod" in result.stderr
