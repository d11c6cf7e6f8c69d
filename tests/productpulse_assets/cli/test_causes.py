"""Every end that is not 0 says why, also where a run ends before its first step."""

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
    """What comes of a run of one asset that needs this warehouse."""

    @dg.asset(required_resource_keys={"warehouse"})
    def anything() -> None:
        """Nothing."""

    defs = dg.Definitions(
        assets=[anything], resources={"warehouse": at_launch.opened(warehouse)}, executor=at_launch.executor
    )
    with dg.DagsterInstance.ephemeral() as instance:
        return running.execute(defs.resolve_implicit_global_asset_job_def(), instance, Home(home), lambda event: None)


def refuse() -> FileAccess:
    raise SettingsError("settings.folder_not_found", "The folder of the exports cannot be used.")


def broken() -> FileAccess:
    raise RuntimeError("a fault of ours")


@pytest.mark.parametrize(
    ("settings", "cause"),
    [
        ({"time_zone": "Mars/Base"}, "DuckDB does not know the time zone 'Mars/Base'. Set time_zone in sources.yaml"),
        ({"access": refuse}, "The folder of the exports cannot be used."),
        ({"access": broken}, "The run could not begin: RuntimeError: a fault of ours"),
    ],
)
def test_a_resource_that_cannot_start_is_the_cause(tmp_path, settings, cause):
    duckdb = DuckDBResource(database=str(tmp_path / "home" / "store.duckdb"))
    outcome = outcome_of(Warehouse(duckdb, "unused", **settings), tmp_path / "home")
    assert not outcome.succeeded
    (said,) = outcome.errors
    assert said.startswith(cause)


@pytest.mark.parametrize("limit", ["99999999TB", "lots"])
def test_a_memory_limit_that_duckdb_refuses_is_the_cause(tmp_path, limit):
    duckdb = DuckDBResource(database=str(tmp_path / "store.duckdb"), connection_config={"memory_limit": limit})
    (said,) = outcome_of(Warehouse(duckdb, "unused"), tmp_path).errors
    assert said.startswith("The run could not begin: ")
    assert "Error: " in said


def test_a_home_that_cannot_be_made_is_the_cause(tmp_path):
    (tmp_path / "file").write_text("in the way")
    duckdb = DuckDBResource(database=str(tmp_path / "file" / "store.duckdb"))
    (said,) = outcome_of(Warehouse(duckdb, "unused"), tmp_path).errors
    assert said.startswith("The run could not begin: ")
    assert str(tmp_path / "file") in said


def test_a_run_that_fails_without_a_cause_says_so(tmp_path):
    job = mock.Mock(spec=dg.JobDefinition)
    job.name = "daily_refresh"
    job.execute_in_process.return_value.success = False
    with dg.DagsterInstance.ephemeral() as instance:
        outcome = running.execute(job, instance, Home(tmp_path), lambda event: None)
    assert outcome.errors == [running.NO_CAUSE]


def test_an_interrupt_that_dagster_raises_is_one_of_the_keyboard(tmp_path):
    job = mock.Mock(spec=dg.JobDefinition)
    job.name = "daily_refresh"
    job.execute_in_process.side_effect = dg.DagsterExecutionInterruptedError()
    with dg.DagsterInstance.ephemeral() as instance, pytest.raises(KeyboardInterrupt):
        running.execute(job, instance, Home(tmp_path), lambda event: None)


def test_a_store_that_is_a_folder_ends_a_run_with_1_and_its_cause(productpulse, tmp_path):
    (tmp_path / "home" / "productpulse.duckdb").mkdir(parents=True)
    result = productpulse("run", "--home", tmp_path / "home")
    assert result.exit_code == 1
    assert "productpulse.duckdb" in result.stderr
    assert result.stderr.splitlines()[-1] == "Nothing was published."


def test_sources_that_cannot_be_judged_do_not_pass_the_gate(productpulse, exports, monkeypatch):
    def fail(*_anything: object) -> None:
        raise RuntimeError("no connection")

    monkeypatch.setattr("resources.warehouse.set_up", fail)
    result = productpulse("validate", "--data", exports)
    assert result.exit_code == 1
    assert "The run could not begin: RuntimeError: no connection" in result.stderr
    assert "passes the gate" not in result.output


WRONG = {
    "run": ["--data", "nowhere"],
    "validate": ["--data", "nowhere"],
    "compile": ["--rules", "nowhere"],
    "generate": ["--as-of", "soon"],
    "init": ["--preset", "nothing"],
    "status": [],
    "metric": ["no_such_metric"],
    "explain": ["nobody"],
    "dashboard": ["--rules", "nowhere"],
    "dev": ["--data", "nowhere"],
    "reset-demo": ["--yes"],
}


@pytest.mark.parametrize(("command", "arguments"), WRONG.items(), ids=WRONG)
def test_every_command_that_does_not_end_with_0_says_why(productpulse, tmp_path, command, arguments):
    place = [] if command in ("init", "validate") else ["--home", tmp_path / "home"]
    if command == "reset-demo":
        (tmp_path / "home").mkdir()
        (tmp_path / "home" / "productpulse.duckdb").write_text("of unknown origin")
    result = productpulse(command, *arguments, *place)
    assert result.exit_code in (1, 2)
    assert result.stderr.strip()


def test_every_command_is_among_them():
    from productpulse_assets.cli import main

    assert set(main.commands) == set(WRONG)


@pytest.mark.parametrize(("command", "option"), [("run", "--home"), ("validate", "--data"), ("metric", "--home")])
def test_a_rules_folder_without_a_file_ends_with_2_and_one_sentence(tmp_path, command, option):
    (tmp_path / "rules").mkdir()
    (tmp_path / "rules" / "sources.yaml").write_text("{}")
    arguments = [*(["revenue"] if command == "metric" else []), option, tmp_path, "--rules", tmp_path / "rules"]
    # In a process of its own: modules read the rules when they are imported.
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
