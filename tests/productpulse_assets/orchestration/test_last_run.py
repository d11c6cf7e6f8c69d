"""Which runs ended early: without a fault of their own."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import dagster as dg
import pytest

from productpulse_assets.orchestration.last_run import ended_early
from resources.dagster_home import prepare_dagster_home
from resources.home import Home
from resources.run_lock import ENDED_EARLY

STOPPED_RUN = """
import sys, time
import dagster as dg

@dg.op
def waits():
    print("at work", flush=True)
    time.sleep(60)

@dg.job
def nightly():
    waits()

with dg.DagsterInstance.from_config(sys.argv[1]) as instance:
    nightly.execute_in_process(instance=instance, raise_on_error=False)
"""


@pytest.fixture
def instance(tmp_path) -> Iterator[dg.DagsterInstance]:
    home = Home(tmp_path)
    prepare_dagster_home(home)
    with dg.DagsterInstance.from_config(str(home.dagster_home)) as instance:
        yield instance


def job(failing: bool) -> dg.JobDefinition:
    @dg.op
    def step():
        if failing:
            raise ValueError("it fails")

    @dg.job
    def nightly():
        step()

    return nightly


def begun(instance: dg.DagsterInstance) -> dg.DagsterRun:
    return instance.create_run_for_job(job(failing=False), status=dg.DagsterRunStatus.STARTED)


def is_early(instance: dg.DagsterInstance, run_id: str) -> bool:
    return ended_early(instance, instance.get_run_by_id(run_id))


def test_a_run_that_was_killed_ended_early(instance):
    run = begun(instance)
    assert not is_early(instance, run.run_id), "it is at work"
    instance.report_run_failed(run, ENDED_EARLY)
    assert is_early(instance, run.run_id)


def test_a_run_whose_step_failed_or_that_went_well_did_not(instance):
    for failing in (True, False):
        result = job(failing).execute_in_process(instance=instance, raise_on_error=False)
        assert not is_early(instance, result.run_id)


def test_a_run_that_somebody_stopped_did_not(instance):
    run = begun(instance)
    instance.report_run_canceled(run)
    assert not is_early(instance, run.run_id)


def test_a_run_whose_process_was_told_to_stop_ended_early(instance, tmp_path):
    script = tmp_path / "stopped.py"
    script.write_text(STOPPED_RUN, encoding="utf-8")
    command = [sys.executable, str(script), str(Home(tmp_path).dagster_home)]
    log = (tmp_path / "log").open("w")
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=log, text=True, env=os.environ) as process:
        assert process.stdout.readline() == "at work\n", Path(log.name).read_text(encoding="utf-8")
        process.send_signal(signal.SIGINT)
        process.wait(60)
    (run,) = instance.get_runs()
    assert run.status == dg.DagsterRunStatus.FAILURE
    assert is_early(instance, run.run_id)
