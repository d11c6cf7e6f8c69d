"""A run that would make what is there already is not made; any doubt, and it is."""

from __future__ import annotations

import dataclasses
import datetime as dt
import errno
import os
import shutil
from pathlib import Path

import dagster as dg
import duckdb
import ibis
import pytest
import yaml

from asset_checks.events import DATED
from productpulse_assets.orchestration import skip_unchanged as unchanged
from productpulse_assets.orchestration.skip_unchanged import as_of_and_end, run_inputs, skip_reason
from productpulse_assets.sources import run_inputs as inputs_module
from productpulse_assets.sources.run_inputs import look_at_inputs
from resources.home import Home
from resources.settings import Settings
from resources.snapshot_manifest import published_inputs, remove_manifest, write_manifest
from rules.rule_set import SHIPPED, read_rules
from tests.builders import dataset
from tests.graph import RULES

pytestmark = pytest.mark.slow
LOOKED_ON = dt.date(2026, 7, 3)


@pytest.fixture
def settings(home, exports) -> Settings:
    """Those of the good run, over copies of its home and its exports."""
    return Settings(home=home, data_dir=exports)


@pytest.fixture
def own_rules(tmp_path) -> Path:
    """A copy of the rules that come along."""
    folder = tmp_path / "rules"
    folder.mkdir()
    for path in SHIPPED.glob("*.yaml"):
        shutil.copy(path, folder)
    return folder


def append(path: Path, text: str) -> None:
    with path.open("a", encoding="utf-8") as file:
        file.write(text)


# --- the command ----------------------------------------------------------------------------------


def test_a_second_run_says_that_nothing_has_changed_and_touches_nothing(productpulse, good_run, home, exports):
    note = Home(home).inputs
    files = {path: path.stat().st_mtime_ns for path in home.rglob("*") if path.is_file() and path != note}
    noted = note.stat().st_mtime_ns
    result = productpulse("run", "--data", exports, "--home", home)
    assert result.exit_code == 0, result.output
    first, *rest = result.stdout.splitlines()
    assert first.startswith("Nothing has changed since the snapshot of 20")
    assert first.endswith("the same files, rules and as-of date (2026-06-30). Use --force to run anyway.")
    closing = good_run.stdout[good_run.stdout.index("As of 2026-06-30") :].replace(str(good_run_home(good_run)), "")
    assert "\n".join(rest).replace(str(home), "") == closing.rstrip("\n")
    assert files == {path: path.stat().st_mtime_ns for path in home.rglob("*") if path.is_file() and path != note}
    assert note.stat().st_mtime_ns > noted, "readers see that somebody has looked"


def good_run_home(result) -> Path:
    """The home that a run's closing summary names."""
    (line,) = (line for line in result.stdout.splitlines() if line.startswith("Reports:"))
    return Path(line.split()[-1]).parent


def test_force_runs_all_the_same_and_leaves_the_same_exports(productpulse, home, exports):
    before = {path.name: path.read_bytes() for path in (home / "exports").iterdir()}
    snapshot = (home / "published" / "productpulse.duckdb").stat().st_ino
    result = productpulse("run", "--data", exports, "--home", home, "--force")
    assert result.exit_code == 0, result.output
    assert "Done: " in result.stdout and "Nothing has changed" not in result.stdout
    assert (home / "published" / "productpulse.duckdb").stat().st_ino != snapshot
    assert {path.name: path.read_bytes() for path in (home / "exports").iterdir()} == before


def test_a_run_that_fails_is_not_taken_for_what_is_published(productpulse, home, exports):
    append(exports / "customers.csv", "".join(f"C-bad-{number},no date,,,,,\n" for number in range(20)))
    assert productpulse("run", "--data", exports, "--home", home).exit_code == 1
    assert published_inputs(Home(home)) is None


def test_a_part_of_the_graph_is_not_taken_for_all_of_it(productpulse, home, exports, settings):
    assert skip_reason(settings)
    result = productpulse("run", "--data", exports, "--home", home, "--select", "kpi_summary")
    assert result.exit_code == 0 and "Done: " in result.stdout
    assert skip_reason(settings) is None


def test_the_demo_company_is_remembered_from_its_first_run_on(demo_home):
    made_of = published_inputs(Home(demo_home))
    assert made_of.is_demo and made_of.fingerprint and made_of.as_of_date == "2026-06-30"
    assert skip_reason(Settings(home=str(demo_home)))


# --- what counts as a change ----------------------------------------------------------------------


def test_the_same_inputs_are_the_same_wherever_and_whenever_they_lie(settings, exports):
    moved = exports.rename(exports.with_name("moved"))
    for path in moved.iterdir():
        os.utime(path, (1, 1))
    elsewhere = Settings(home=settings.home, data_dir=str(moved))
    assert "Nothing has changed" in skip_reason(elsewhere)


@pytest.mark.parametrize(
    "change",
    [
        lambda folder: append(folder / "nps_scores.csv", "N-1,C-000001,2026-06-01,9,Price\n"),
        lambda folder: (folder / "targets.csv").unlink(),
        lambda folder: (folder / "targets.csv").rename(folder / "targets.tsv"),
    ],
    ids=["a row more", "a dataset less", "another name"],
)
def test_a_change_of_files_counts(settings, exports, change):
    assert skip_reason(settings)
    change(exports)
    assert skip_reason(settings) is None


def test_a_pipe_among_the_rules_is_no_rule(settings, own_rules):
    before = look_at_inputs(settings, read_rules(own_rules)).rules
    os.mkfifo(own_rules / "notes.yaml")
    assert look_at_inputs(settings, read_rules(own_rules)).rules == before


def test_a_new_dataset_counts(settings, exports):
    targets = (exports / "targets.csv").rename(exports.parent / "targets.csv")
    without = look_at_inputs(settings, RULES)
    write_manifest(
        settings.home,
        dataclasses.replace(published_inputs(settings.home), fingerprint=without.fingerprint, sources=without.sources),
    )
    assert skip_reason(settings)
    targets.rename(exports / "targets.csv")
    assert skip_reason(settings) is None


def test_a_change_of_rules_counts(settings, own_rules):
    settings = settings.model_copy(update={"rules_dir": own_rules})
    assert skip_reason(settings), "a copy of the same rules is the same"
    append(own_rules / "churn_rules.yaml", "# a word\n")
    assert skip_reason(settings) is None


def test_a_change_of_the_program_counts(settings, monkeypatch):
    monkeypatch.setattr(inputs_module, "program_digest", lambda: "another version")
    assert skip_reason(settings) is None


def test_the_program_is_its_code_its_templates_and_its_glossary():
    files = {str(path.relative_to(inputs_module.CHECKOUT)) for path in inputs_module._code()}
    assert {
        "productpulse_assets/metrics/cohorts.py", "productpulse_assets/reports/executive_summary.md.jinja",
        "rules/metrics/compile.py", "resources/glossary.yaml", "resources/warehouse.py", "asset_checks/contracts.py",
        "productpulse_assets/charts/mrr.py",
    } <= files  # fmt: skip
    assert not {path for path in files if path.endswith((".pyc", ".png"))}


def test_asking_for_a_day_counts(settings):
    asked = Settings(home=settings.home, data_dir=settings.data_dir, as_of="2026-06-30")
    assert skip_reason(asked) is None


@pytest.mark.parametrize("lost", ["exports/kpi_summary.csv", "reports/executive_summary.md", "productpulse.duckdb"])
def test_what_is_lost_is_made_again(settings, home, lost):
    (home / lost).unlink()
    assert skip_reason(settings) is None


def test_what_is_cut_short_is_made_again(settings, home):
    (home / "exports" / "kpi_summary.csv").write_text("half")
    assert skip_reason(settings) is None


def test_a_query_is_run_every_time(settings, own_rules):
    rules = own_rules / "sources.yaml"
    sources = yaml.safe_load(rules.read_text(encoding="utf-8"))
    sources["datasets"] = {"targets": {"query": "SELECT * FROM read_csv('targets.csv', all_varchar = true)"}}
    rules.write_text(yaml.safe_dump(sources), encoding="utf-8")
    assert look_at_inputs(settings, read_rules(own_rules)).fingerprint is None
    write_manifest(settings.home, dataclasses.replace(published_inputs(settings.home), fingerprint=None))
    assert skip_reason(settings.model_copy(update={"rules_dir": own_rules})) is None


def test_inputs_that_cannot_be_used_are_for_a_run_to_tell_of(settings, exports):
    shutil.copy(exports / "customers.csv", exports / "customers.tsv")
    assert skip_reason(settings) is None


# --- a day that comes -----------------------------------------------------------------------------


@pytest.mark.parametrize(("valid_until", "is_new"), [("2026-07-05", False), ("2026-07-04", True), (None, False)])
def test_the_same_files_are_new_when_an_event_of_theirs_has_come(settings, valid_until, is_new):
    write_manifest(settings.home, dataclasses.replace(published_inputs(settings.home), valid_until=valid_until))
    assert (skip_reason(settings, today=dt.date(2026, 7, 4)) is None) == is_new


@pytest.fixture
def snapshot(tmp_path) -> Path:
    """A snapshot as of 2026-06-30 whose only event is a score of that day."""
    path = tmp_path / "snapshot.duckdb"
    with duckdb.connect(str(path)) as database:
        database.execute("CREATE TABLE calendar AS SELECT DATE '2026-06-30' AS as_of_date, true AS is_current")
    backend = ibis.duckdb.connect(path)
    for name in DATED:
        backend.create_table(name, dataset(name, *({"date": "2026-06-30"},) if name == "nps_scores" else ()))
    backend.disconnect()
    return path


def execute(path: Path, statement: str) -> None:
    with duckdb.connect(str(path)) as database:
        database.execute(statement)


def test_without_events_ahead_no_day_matters(snapshot):
    assert as_of_and_end(snapshot, LOOKED_ON) == (dt.date(2026, 6, 30), None)


def test_the_first_event_ahead_is_the_day_and_a_planned_end_is_none(snapshot):
    execute(snapshot, "INSERT INTO subscriptions (start_date, end_date) VALUES ('2026-06-01', '2026-07-10')")
    execute(snapshot, "INSERT INTO transactions (transaction_date) VALUES ('2026-07-15'), ('2026-07-16')")
    assert as_of_and_end(snapshot, LOOKED_ON) == (dt.date(2026, 6, 30), dt.date(2026, 7, 15))


def test_a_date_that_had_come_already_and_was_not_believed_is_not_waited_for(snapshot):
    execute(snapshot, "INSERT INTO transactions (transaction_date) VALUES ('2026-07-03')")
    assert as_of_and_end(snapshot, LOOKED_ON) == (dt.date(2026, 6, 30), None)


def test_at_a_past_date_no_day_matters(snapshot):
    execute(snapshot, "UPDATE calendar SET is_current = false")
    execute(snapshot, "INSERT INTO transactions (transaction_date) VALUES ('2026-07-15')")
    assert as_of_and_end(snapshot, LOOKED_ON) == (dt.date(2026, 6, 30), None)


# --- what a run remembers -------------------------------------------------------------------------


def run_of(
    settings: Settings, selection: list[str] | None = None, fails: str | None = None
) -> dg.ExecuteInProcessResult:
    """A run of two steps that make nothing, the first of which looks at the inputs."""

    @dg.op(required_resource_keys={"inputs"})
    def first(context):
        context.resources.inputs.look()
        if fails == "first":
            raise ValueError("it fails")

    @dg.op
    def second():
        if fails == "second":
            raise ValueError("it fails")

    @dg.job(
        resource_defs={
            "warehouse": dg.ResourceDefinition.none_resource(),
            "inputs": run_inputs(frozenset({"first", "second"}), settings, RULES),
        }
    )
    def both():
        first()
        second()

    with dg.DagsterInstance.ephemeral() as instance:
        return both.execute_in_process(instance=instance, op_selection=selection, raise_on_error=False)


def test_a_run_of_everything_remembers_what_it_saw(settings):
    before = published_inputs(settings.home)
    remove_manifest(settings.home)
    run_of(settings)
    assert published_inputs(settings.home) == before
    assert skip_reason(settings)


@pytest.mark.parametrize("what", [{"selection": ["first"]}, {"fails": "first"}, {"fails": "second"}], ids=str)
def test_a_part_or_a_failure_remembers_nothing(settings, what):
    remove_manifest(settings.home)
    run_of(settings, **what)
    assert published_inputs(settings.home) is None


def test_a_note_that_cannot_be_written_is_no_failure(settings, monkeypatch):
    def full(*_):
        raise OSError(errno.ENOSPC, "No space left on device")

    remove_manifest(settings.home)
    monkeypatch.setattr(unchanged, "write_manifest", full)
    assert run_of(settings).success
    assert published_inputs(settings.home) is None


def test_a_change_while_a_run_works_is_new_after_it(settings, exports, monkeypatch):
    remove_manifest(settings.home)
    look = unchanged.RunInputs.look

    def and_then_a_file_changes(inputs) -> None:
        look(inputs)
        append(exports / "nps_scores.csv", "N-1,C-000001,2026-06-01,9,Price\n")

    monkeypatch.setattr(unchanged.RunInputs, "look", and_then_a_file_changes)
    run_of(settings)
    assert published_inputs(settings.home)
    assert skip_reason(settings) is None
