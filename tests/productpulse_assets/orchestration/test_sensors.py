"""The sensor: what starts a run, and what it waits for."""

from __future__ import annotations

import dataclasses
import json
import os
import shutil
import time
from collections.abc import Iterator
from pathlib import Path

import dagster as dg
import pytest

from asset_checks.contracts import DATASETS
from productpulse_assets.orchestration import sensors as module
from productpulse_assets.orchestration.schedules import BECAUSE
from productpulse_assets.orchestration.sensors import SECOND_RUN, changes, new_files
from productpulse_assets.sources.location import locate
from resources.home import Home
from resources.run_lock import ENDED_EARLY
from resources.settings import Settings
from resources.snapshot_manifest import published_inputs, remove_manifest, write_manifest
from rules.rule_set import SHIPPED
from tests.graph import RULES

pytestmark = pytest.mark.slow


@pytest.fixture(autouse=True)
def _no_waiting(monkeypatch):
    monkeypatch.setattr(module, "UNCHANGED_SECONDS", 0)


@pytest.fixture
def instance() -> Iterator[dg.DagsterInstance]:
    with dg.DagsterInstance.ephemeral() as instance:
        yield instance


@pytest.fixture
def looked(home, exports, instance):
    """What the sensor does, over copies of the good run's home and exports."""

    def look(cursor: str | None = None, data: Path | None = exports, rules: Path = SHIPPED) -> dg.SensorResult:
        settings = Settings(home=home, data_dir=data, rules_dir=rules)
        return new_files(settings)(dg.build_sensor_context(instance=instance, cursor=cursor))

    return look


def add_row(exports: Path) -> None:
    with (exports / "nps_scores.csv").open("a", encoding="utf-8") as file:
        file.write("N-1,C-000001,2026-06-01,9,Price\n")


def why(result: dg.SensorResult) -> str:
    """What the run that was asked for is started because of."""
    (request,) = result.run_requests
    return request.tags[BECAUSE]


def said(result: dg.SensorResult) -> str:
    """Why no run was asked for."""
    assert not result.run_requests
    return result.skip_reason.skip_message


def test_it_looks_every_half_minute_from_the_start(defs):
    (sensor,) = defs.sensors
    assert sensor.name == "new_files"
    assert sensor.default_status == dg.DefaultSensorStatus.RUNNING
    assert sensor.minimum_interval_seconds == 30
    assert sensor.job_name == "daily_refresh"


def test_what_is_published_is_not_run_again(looked):
    assert said(looked()) == "No source file is new."


def test_a_changed_file_starts_a_run_that_names_it(looked, exports):
    add_row(exports)
    assert why(looked()) == "new files: nps_scores"


def test_a_new_time_or_place_is_no_change(looked, exports):
    os.utime(exports / "nps_scores.csv", (1, 1))
    moved = exports.rename(exports.with_name("moved"))
    assert said(looked(data=moved)) == "No source file is new."


def test_a_file_that_is_gone_starts_a_run_without_it(looked, exports):
    (exports / "targets.csv").unlink()
    assert why(looked()) == "new files: targets (gone)"


def test_the_first_files_start_the_first_run(looked, home):
    remove_manifest(Home(home))
    assert why(looked()).startswith("new files: customers, subscriptions, transactions, ")


def test_files_that_stop_a_run_are_run_once(looked, exports, home):
    add_row(exports)
    asked = looked()
    assert asked.run_requests
    remove_manifest(Home(home))  # as a run does when it begins; this one fails at the gate
    assert said(looked(asked.cursor)) == "No source file is new."
    add_row(exports)
    mended = looked(asked.cursor)
    assert why(mended) == "new files: nps_scores"


def ran(instance: dg.DagsterInstance, asked: dg.SensorResult, *, fails: type[BaseException] | None = None) -> str:
    """The run that was asked for, with a step that fails or, without one, killed; its id."""
    (request,) = asked.run_requests

    @dg.job
    def nightly():
        @dg.op
        def step():
            raise fails("it ends")

        step()

    if fails:
        return nightly.execute_in_process(instance=instance, tags=request.tags, raise_on_error=False).run_id
    run = instance.create_run_for_job(nightly, status=dg.DagsterRunStatus.STARTED, tags=request.tags)
    instance.report_run_failed(run, ENDED_EARLY)
    return run.run_id


def test_files_whose_run_was_killed_are_run_again_once(looked, exports, home, instance):
    add_row(exports)
    asked = looked()
    killed = ran(instance, asked)
    remove_manifest(Home(home))
    second = looked(asked.cursor)
    assert why(second) == f"new files, whose run {killed[:8]} ended early"
    assert second.run_requests[0].tags[SECOND_RUN] == killed
    ran(instance, second)
    assert said(looked(second.cursor)) == (
        "No source file is new. Their run ended early twice. Launch the job daily_refresh to run them."
    )
    add_row(exports)
    assert why(looked(second.cursor)) == "new files: nps_scores"


def test_files_whose_run_was_killed_and_that_somebody_ran_since_are_not_run_again(looked, exports, home, instance):
    add_row(exports)
    asked = looked()
    ran(instance, asked)
    made_of = dataclasses.replace(published_inputs(Home(home)), sources=json.loads(asked.cursor))
    write_manifest(Home(home), made_of)
    assert said(looked(asked.cursor)) == "No source file is new."


def test_files_whose_step_failed_are_not_run_again(looked, exports, home, instance):
    add_row(exports)
    asked = looked()
    ran(instance, asked, fails=ValueError)
    remove_manifest(Home(home))
    assert said(looked(asked.cursor)) == "No source file is new."


def test_files_whose_second_run_fails_by_itself_are_left(looked, exports, home, instance):
    add_row(exports)
    asked = looked()
    ran(instance, asked)
    remove_manifest(Home(home))
    second = looked(asked.cursor)
    ran(instance, second, fails=ValueError)
    assert said(looked(second.cursor)) == "No source file is new."


def test_files_whose_run_somebody_stopped_are_not_run_again(looked, exports, home, instance, defs):
    add_row(exports)
    asked = looked()
    run = instance.create_run_for_job(
        defs.resolve_job_def("daily_refresh"), status=dg.DagsterRunStatus.STARTED, tags=asked.run_requests[0].tags
    )
    instance.report_run_canceled(run)
    remove_manifest(Home(home))
    assert said(looked(asked.cursor)) == "No source file is new."


def test_files_that_were_run_by_hand_are_remembered(looked, home):
    cursor = looked().cursor
    assert json.loads(cursor) == published_inputs(Home(home)).sources
    remove_manifest(Home(home))  # a part of the graph is run
    assert said(looked(cursor)) == "No source file is new."


def test_files_that_come_back_are_new_again(looked, exports, home):
    before = (exports / "nps_scores.csv").read_bytes()
    add_row(exports)
    cursor = looked().cursor
    remove_manifest(Home(home))
    (exports / "nps_scores.csv").write_bytes(before)
    assert why(looked(cursor)) == "new files: nps_scores"


def test_a_file_that_is_being_written_is_left_alone(exports, looked, monkeypatch):
    settings = Settings(home="data", data_dir=str(exports))
    locations = [locate(name, settings, RULES) for name in DATASETS]
    monkeypatch.setattr(module, "UNCHANGED_SECONDS", 10)
    others_done = max(path.stat().st_ctime for path in exports.iterdir())
    add_row(exports)
    assert module.not_ready_reason(locations, others_done + 10) == (
        "nps_scores.csv changed within the last 10 s and may be incomplete."
    )
    assert module.not_ready_reason(locations, time.time() + 10) is None
    assert "and others changed within the last 10 s" in said(looked())


def test_while_a_run_is_at_work_it_waits(defs, looked, exports, instance):
    instance.create_run_for_job(defs.resolve_job_def("daily_refresh"), status=dg.DagsterRunStatus.STARTING)
    add_row(exports)
    assert said(looked()) == "A run is at work. New files are read after it."


def test_the_demo_company_is_not_watched(looked):
    assert said(looked(data=None)).startswith("This is the demo company, whose files do not change.")


def test_a_folder_that_is_not_there_is_told_of(looked, tmp_path):
    sentence = said(looked(data=tmp_path / "nowhere"))
    assert sentence == (
        f"The folder {tmp_path / 'nowhere'} does not exist. Create it and put the exports there, or set another one."
    )


def test_it_waits_for_what_every_run_needs(looked, exports):
    (exports / "customers.csv").unlink()
    (exports / "subscriptions.csv").unlink()
    assert said(looked()) == (f"A run needs customers and subscriptions, and {exports} does not have them yet.")


def test_two_formats_side_by_side_are_told_of(looked, exports):
    (exports / "customers.parquet").write_bytes(b"")
    assert "customers.csv and customers.parquet are both in" in said(looked())


def test_a_mistake_in_the_rules_is_told_of(looked, tmp_path):
    for file in SHIPPED.glob("*.yaml"):
        shutil.copy(file, tmp_path)
    assert said(looked(rules=tmp_path)) == "No source file is new."
    (tmp_path / "sources.yaml").write_text("time_zone: [")
    assert "sources.yaml is not valid YAML" in said(looked(rules=tmp_path))


def test_a_file_that_may_not_be_read_is_told_of(looked, monkeypatch):
    def forbidden(*_):
        raise PermissionError(13, "Permission denied", "customers.csv")

    monkeypatch.setattr(module, "source_digests", forbidden)
    assert "Permission denied" in said(looked())


def test_changes_are_named_in_the_usual_order():
    before, now = {"targets": "a", "customers": "a", "nps_scores": "a"}, {"customers": "b", "targets": "b"}
    assert changes(before, now) == ["customers", "nps_scores (gone)", "targets"]
