"""A run as soon as a source file appears or changes."""

from __future__ import annotations

import json
import time

import dagster as dg

from asset_checks.contracts import CONTRACTS, DATASETS
from productpulse_assets.orchestration.last_run import ended_early
from productpulse_assets.orchestration.schedules import BECAUSE, everything, free_the_queue
from productpulse_assets.sources.location import Location, locate, uses_demo
from productpulse_assets.sources.run_inputs import UNUSABLE, source_digests
from resources.digests import digest_of
from resources.settings import Settings
from resources.snapshot_manifest import published_inputs
from rules.rule_set import Rules, read_rules

LOOKS_EVERY = 30
STILL_FOR = 10
"""Seconds; a file that was written to since may be half there."""
NAMED = 3
AT_WORK = [
    dg.DagsterRunStatus.QUEUED,
    dg.DagsterRunStatus.NOT_STARTED,
    dg.DagsterRunStatus.STARTING,
    dg.DagsterRunStatus.STARTED,
    dg.DagsterRunStatus.CANCELING,
]
NO_FOLDER = (
    "This is the demo company, to which nothing is added. To watch a folder of exports, name it with "
    "PRODUCTPULSE_DATA_DIR or `productpulse dev --data DIR`."
)

NOTHING_NEW = "No source file is new."
FILES = "productpulse/files"
"""Tag of a run of new files: a digest of all of them."""
AGAIN = "productpulse/run_again_after"
"""Tag of the second run of the same files: the run before it, which ended early."""

Digests = dict[str, str]
"""SHA-256 over each dataset's files, by dataset."""


def new_files(settings: Settings) -> dg.SensorDefinition:
    """Starts a run when the content of the source files is neither what is published nor what it ran last.

    So files that stop a run at the gate are run once. Files whose run ended early, killed or with the machine, are
    run again, once. Rules are not watched: they are edited in steps, and
    the next run by schedule or by hand takes them up.
    """

    @dg.sensor(
        job=everything,
        name="new_files",
        minimum_interval_seconds=LOOKS_EVERY,
        default_status=dg.DefaultSensorStatus.RUNNING,
        description="Runs everything when a source file appears or changes, by its content.",
    )
    def sensor(context: dg.SensorEvaluationContext) -> dg.SensorResult:
        try:
            free_the_queue(context.instance, settings)
            return look(context, settings, read_rules(settings.rules_dir))
        except UNUSABLE as problem:
            return dg.SensorResult(skip_reason=str(problem))

    return sensor


def look(context: dg.SensorEvaluationContext, settings: Settings, rules: Rules) -> dg.SensorResult:
    """Whether to run, and if not, why. The cursor holds the digests of the files that were run last."""
    if uses_demo(settings, rules):
        return dg.SensorResult(skip_reason=NO_FOLDER)
    locations = [locate(name, settings, rules) for name in DATASETS]
    if said := not_ready(locations, time.time()):
        return dg.SensorResult(skip_reason=said)
    if context.instance.get_runs_count(dg.RunsFilter(statuses=AT_WORK)):
        return dg.SensorResult(skip_reason="A run is at work. Files that are new are looked at when it has ended.")
    found = source_digests(locations)
    made_of = published_inputs(settings.home)
    ran_last: Digests = json.loads(context.cursor or "{}")
    cursor = json.dumps(found)
    files = {FILES: digest_of([cursor])}
    if made_of and found == made_of.sources:
        return dg.SensorResult(skip_reason=NOTHING_NEW, cursor=cursor)
    if found == ran_last:
        return again(context.instance, files, cursor)
    changed = ", ".join(changes(made_of.sources if made_of else ran_last, found))
    return dg.SensorResult(run_requests=[dg.RunRequest(tags={BECAUSE: f"new files: {changed}"} | files)], cursor=cursor)


def again(instance: dg.DagsterInstance, files: dict[str, str], cursor: str) -> dg.SensorResult:
    """A second run of files that were run already, if their only run ended early; `files` is its tag."""
    last = instance.get_runs(dg.RunsFilter(tags=files), limit=1)
    if not last or not ended_early(instance, last[0]):
        return dg.SensorResult(skip_reason=NOTHING_NEW, cursor=cursor)
    (run,) = last
    if AGAIN in run.tags:
        return dg.SensorResult(
            skip_reason=f"{NOTHING_NEW} Their run ended early twice. Launch the job daily_refresh to run them.",
            cursor=cursor,
        )
    tags = {BECAUSE: f"new files, whose run {run.run_id[:8]} ended early", AGAIN: run.run_id} | files
    return dg.SensorResult(run_requests=[dg.RunRequest(tags=tags)], cursor=cursor)


def not_ready(locations: list[Location], now: float) -> str | None:
    """Why the files are not to be read yet: a required dataset is missing, or one is being written."""
    folder = locations[0].folder
    if not folder.is_dir():
        return f"There is no folder {folder}. Make it and put the exports there, or name another one."
    missing = [each.dataset for each in locations if not each.is_available and is_required(each.dataset)]
    if missing:
        return f"{' and '.join(missing)} must be there for a run, and {folder} has no such file yet."
    # The change time, which a copy that keeps the file's own time does not set back.
    restless = [file.name for each in locations for file in each.files if now - file.stat().st_ctime < STILL_FOR]
    if restless:
        others = " and others" if len(restless) > NAMED else ""
        return f"{', '.join(restless[:NAMED])}{others} changed within the last {STILL_FOR} s and may be half there."
    return None


def is_required(dataset: str) -> bool:
    """Whether a run needs the dataset."""
    return bool(CONTRACTS[dataset].metadata["is_required"])


def changes(before: Digests, now: Digests) -> list[str]:
    """The datasets whose files are others than before, or gone, in the usual order."""
    return [name if name in now else f"{name} (gone)" for name in DATASETS if before.get(name) != now.get(name)]
