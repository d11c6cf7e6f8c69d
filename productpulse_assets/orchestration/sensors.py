"""A sensor that starts a run when a source file appears or changes."""

from __future__ import annotations

import json
import time

import dagster as dg

from asset_checks.contracts import CONTRACTS, DATASETS
from productpulse_assets.orchestration.last_run import ended_early
from productpulse_assets.orchestration.schedules import BECAUSE, everything, fail_dead_runs
from productpulse_assets.sources.location import Location, locate, uses_demo
from productpulse_assets.sources.run_inputs import UNUSABLE, source_digests
from resources.digests import digest_of
from resources.settings import Settings
from resources.snapshot_manifest import published_inputs
from rules.rule_set import Rules, read_rules

INTERVAL_SECONDS = 30
UNCHANGED_SECONDS = 10
"""A file that changed within this time may be incomplete."""
NAMES_SHOWN = 3
AT_WORK = [
    dg.DagsterRunStatus.QUEUED,
    dg.DagsterRunStatus.NOT_STARTED,
    dg.DagsterRunStatus.STARTING,
    dg.DagsterRunStatus.STARTED,
    dg.DagsterRunStatus.CANCELING,
]
NO_FOLDER = (
    "This is the demo company, whose files do not change. To watch a folder of exports, set it with "
    "PRODUCTPULSE_DATA_DIR or `productpulse dev --data DIR`."
)

NOTHING_NEW = "No source file is new."
FILES = "productpulse/files"
"""Tag of a run of new files: a digest of all of them."""
SECOND_RUN = "productpulse/run_again_after"
"""Tag of the second run of the same files: the id of the first run, which ended early."""

Digests = dict[str, str]
"""SHA-256 over each dataset's files, by dataset."""


def new_files(settings: Settings) -> dg.SensorDefinition:
    """Starts a run when the content of the source files is new: neither that of the snapshot nor that of its last run.

    So files that stop a run at the gate are run once. Files whose run ended early, killed or with the machine, are run
    a second time. Rules are not watched: people edit them in steps, and the next run by schedule or by hand reads them.
    """

    @dg.sensor(
        job=everything,
        name="new_files",
        minimum_interval_seconds=INTERVAL_SECONDS,
        default_status=dg.DefaultSensorStatus.RUNNING,
        description="Runs everything when a source file appears or changes, by its content.",
    )
    def sensor(context: dg.SensorEvaluationContext) -> dg.SensorResult:
        try:
            fail_dead_runs(context.instance, settings)
            return evaluate(context, settings, read_rules(settings.rules_dir))
        except UNUSABLE as problem:
            return dg.SensorResult(skip_reason=str(problem))

    return sensor


def evaluate(context: dg.SensorEvaluationContext, settings: Settings, rules: Rules) -> dg.SensorResult:
    """A run request, or the reason to skip. The cursor has the digests of the files of the last run."""
    if uses_demo(settings, rules):
        return dg.SensorResult(skip_reason=NO_FOLDER)
    locations = [locate(name, settings, rules) for name in DATASETS]
    if reason := not_ready_reason(locations, time.time()):
        return dg.SensorResult(skip_reason=reason)
    if context.instance.get_runs_count(dg.RunsFilter(statuses=AT_WORK)):
        return dg.SensorResult(skip_reason="A run is at work. New files are read after it.")
    found = source_digests(locations)
    published = published_inputs(settings.home)
    ran_last: Digests = json.loads(context.cursor or "{}")
    cursor = json.dumps(found)
    files = {FILES: digest_of([cursor])}
    if published and found == published.sources:
        return dg.SensorResult(skip_reason=NOTHING_NEW, cursor=cursor)
    if found == ran_last:
        return second_run(context.instance, files, cursor)
    changed = ", ".join(changes(published.sources if published else ran_last, found))
    return dg.SensorResult(run_requests=[dg.RunRequest(tags={BECAUSE: f"new files: {changed}"} | files)], cursor=cursor)


def second_run(instance: dg.DagsterInstance, files: dict[str, str], cursor: str) -> dg.SensorResult:
    """A request to run the same files again if their only run ended early; `files` is the tag of that run."""
    last = instance.get_runs(dg.RunsFilter(tags=files), limit=1)
    if not last or not ended_early(instance, last[0]):
        return dg.SensorResult(skip_reason=NOTHING_NEW, cursor=cursor)
    (run,) = last
    if SECOND_RUN in run.tags:
        return dg.SensorResult(
            skip_reason=f"{NOTHING_NEW} Their run ended early twice. Launch the job daily_refresh to run them.",
            cursor=cursor,
        )
    tags = {BECAUSE: f"new files, whose run {run.run_id[:8]} ended early", SECOND_RUN: run.run_id} | files
    return dg.SensorResult(run_requests=[dg.RunRequest(tags=tags)], cursor=cursor)


def not_ready_reason(locations: list[Location], now: float) -> str | None:
    """Why the files cannot be read yet: a required dataset is missing, or a file has just changed."""
    folder = locations[0].folder
    if not folder.is_dir():
        return f"The folder {folder} does not exist. Create it and put the exports there, or set another one."
    missing = [each.dataset for each in locations if not each.is_available and is_required(each.dataset)]
    if missing:
        return f"A run needs {' and '.join(missing)}, and {folder} does not have them yet."
    # The change time: a copy that keeps the time of the file sets it too.
    files = [file for each in locations for file in each.all_files]
    recent = [file.name for file in files if now - file.stat().st_ctime < UNCHANGED_SECONDS]
    if recent:
        others = " and others" if len(recent) > NAMES_SHOWN else ""
        names = f"{', '.join(recent[:NAMES_SHOWN])}{others}"
        return f"{names} changed within the last {UNCHANGED_SECONDS} s and may be incomplete."
    return None


def is_required(dataset: str) -> bool:
    """Whether a run needs the dataset."""
    return bool(CONTRACTS[dataset].metadata["is_required"])


def changes(before: Digests, now: Digests) -> list[str]:
    """The datasets whose files have changed or are gone, in the usual order."""
    return [name if name in now else f"{name} (gone)" for name in DATASETS if before.get(name) != now.get(name)]
