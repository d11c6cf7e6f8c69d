"""What runs by itself: the schedule, what it skips, and how old what is published may grow."""

from __future__ import annotations

import dataclasses
import datetime as dt
import shutil
from collections.abc import Iterator
from pathlib import Path

import dagster as dg
import pytest

from productpulse_assets.orchestration import schedules
from productpulse_assets.orchestration.schedules import BECAUSE, daily_refresh
from resources.home import SettingsError
from resources.settings import Settings
from rules.models import Sources
from rules.rule_set import SHIPPED
from tests.errors import raises
from tests.graph import RULES

pytestmark = pytest.mark.slow

CHECKOUT = Path(__file__).parents[3]


@pytest.fixture
def instance(tmp_path_factory) -> Iterator[dg.DagsterInstance]:
    with dg.DagsterInstance.local_temp(str(tmp_path_factory.mktemp("history"))) as instance:
        yield instance


@pytest.fixture
def settings(home, company_exports) -> Settings:
    """Those of the good run, over a copy of its home."""
    return Settings(home=home, data_dir=company_exports)


def tick(settings: Settings, instance: dg.DagsterInstance) -> dg.RunRequest | dg.SkipReason:
    """What the schedule does at its hour."""
    return daily_refresh(settings, RULES)(dg.build_schedule_context(instance=instance))


def test_everything_runs_at_six_by_default_in_the_time_zone_of_the_rules(defs):
    (schedule,) = defs.schedules
    assert schedule.name == "daily_refresh"
    assert schedule.cron_schedule == "0 6 * * *"
    assert schedule.execution_timezone == "UTC"
    assert schedule.default_status == dg.DefaultScheduleStatus.RUNNING
    in_berlin = dataclasses.replace(RULES, sources=Sources(time_zone="Europe/Berlin"))
    assert daily_refresh(Settings(home="data"), in_berlin).execution_timezone == "Europe/Berlin"
    made = defs.resolve_job_def(schedule.job_name).asset_layer.executable_asset_keys
    assert made == defs.resolve_asset_graph().materializable_asset_keys


def test_the_hour_can_be_set():
    assert daily_refresh(Settings(home="data", schedule="30 7 * * 1-5"), RULES).cron_schedule == "30 7 * * 1-5"


@pytest.mark.parametrize("text", ["at six", "61 6 * * *", "6:00"])
def test_an_hour_that_is_not_a_cron_expression_is_refused(text):
    with raises("settings.schedule_not_cron", SettingsError):
        daily_refresh(Settings(home="data", schedule=text), RULES)


def test_a_wrong_hour_ends_a_command_with_2(productpulse, tmp_path):
    result = productpulse("run", "--home", tmp_path / "home", SCHEDULE="at six")
    assert result.exit_code == 2
    assert result.stderr.startswith("PRODUCTPULSE_SCHEDULE is 'at six', which is not a cron expression.")


def test_when_nothing_has_changed_the_schedule_says_so_and_runs_nothing(settings, instance):
    skipped = tick(settings, instance)
    assert isinstance(skipped, dg.SkipReason)
    assert skipped.skip_message.startswith("Nothing has changed since the snapshot of 20")
    assert skipped.skip_message.endswith("Launch the job by hand to run it anyway.")


def test_when_something_has_changed_the_schedule_runs_everything(settings, instance, tmp_path):
    for file in SHIPPED.glob("*.yaml"):
        shutil.copy(file, tmp_path)
    settings = settings.model_copy(update={"rules_dir": tmp_path})
    assert isinstance(tick(settings, instance), dg.SkipReason)
    with (tmp_path / "segments.yaml").open("a", encoding="utf-8") as file:
        file.write("# a word\n")
    requested = tick(settings, instance)
    assert isinstance(requested, dg.RunRequest)
    assert requested.tags[BECAUSE] == "the schedule"


def test_a_run_that_was_killed_is_out_of_the_way_before_the_next(defs, settings, instance):
    run = instance.create_run_for_job(defs.resolve_job_def("daily_refresh"), status=dg.DagsterRunStatus.STARTED)
    instance.add_run_tags(run.run_id, {"productpulse/at_work": "true"})
    tick(settings, instance)
    assert instance.get_run_by_id(run.run_id).status == dg.DagsterRunStatus.FAILURE


def test_a_home_that_cannot_be_locked_does_not_keep_the_schedule_from_running(settings, instance, monkeypatch):
    def read_only(*_):
        raise PermissionError("the home is read-only")

    monkeypatch.setattr(schedules, "retire_dead_runs", read_only)
    (settings.home.warehouse).unlink()
    assert isinstance(tick(settings, instance), dg.RunRequest)


@pytest.mark.parametrize("name", ["published_snapshot", "executive_summary"])
def test_what_is_read_every_morning_warns_when_it_is_late_and_fails_when_it_is_old(defs, name):
    policy = defs.resolve_asset_graph().get(dg.AssetKey(name)).freshness_policy
    assert policy.warn_window.to_timedelta() == dt.timedelta(hours=25)
    assert policy.fail_window.to_timedelta() == dt.timedelta(days=2)


def test_one_run_at_a_time_and_no_word_leaves_the_machine(tmp_path):
    shutil.copy(CHECKOUT / "dagster.yaml", tmp_path)
    with dg.DagsterInstance.from_config(str(tmp_path)) as instance:
        assert instance.get_concurrency_config().run_queue_config.max_concurrent_runs == 1
        assert instance.run_monitoring_enabled
        assert not instance.telemetry_enabled
        assert not instance.run_retries_enabled
        assert "FRESHNESS_DAEMON" in instance.get_required_daemon_types()
