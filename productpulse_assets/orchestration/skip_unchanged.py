"""Skipping a run whose inputs are those of the published snapshot."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator
from pathlib import Path

import dagster as dg
import duckdb
from ibis import _

from asset_checks.events import DATED, event_days
from productpulse_assets.facts.calendar import scalar
from productpulse_assets.sources.run_inputs import UNUSABLE, Inputs, RunInputs, look_at_inputs
from resources.duckdb_connection import open_read_only
from resources.home import Home
from resources.settings import Settings
from resources.snapshot_manifest import PublishedInputs, output_sizes, published_inputs, touch_manifest, write_manifest
from rules.rule_set import Rules, read_rules
from rules.today import company_today

NOT_WRITTEN = (
    "The inputs of the snapshot could not be written down, so the next run is not skipped even if nothing changes"
)


def skip_reason(settings: Settings, today: dt.date | None = None) -> str | None:
    """A sentence that says why a run would change nothing; None if it may change something.

    The rules are read again. `today` is the current day in the company's time zone unless it is given.
    """
    home, inputs = settings.home, published_inputs(settings.home)
    if inputs is None or inputs.fingerprint is None:
        return None
    if not home.warehouse.exists() or output_sizes(home) != inputs.outputs:
        return None
    try:
        rules = read_rules(settings.rules_dir)
        if not inputs.is_valid_on(today or company_today(rules.sources.time_zone)):
            return None
        if look_at_inputs(settings, rules).fingerprint != inputs.fingerprint:
            return None
    except UNUSABLE:
        return None
    touch_manifest(home)
    published_at = dt.datetime.fromtimestamp(home.published.stat().st_mtime)
    return (
        f"Nothing has changed since the snapshot of {published_at:%Y-%m-%d %H:%M}: it has the same files, "
        f"rules and as-of date ({inputs.as_of_date})."
    )


def run_inputs(steps: frozenset[str], settings: Settings, rules: Rules) -> dg.ResourceDefinition:
    """Writes the inputs of a run beside the snapshot if each of `steps`, which are all steps, succeeded in it."""

    # Needs the warehouse, so that it ends while the run still holds the lock.
    @dg.resource(required_resource_keys={"warehouse"}, config_schema={})
    def inputs_of_run(context: dg.InitResourceContext) -> Iterator[RunInputs]:
        inputs = RunInputs(settings, rules)
        yield inputs
        if inputs.seen and inputs.day and steps <= _steps_done(context):
            try:
                write_manifest(settings.home, published(settings.home, inputs.seen, inputs.day))
            except (OSError, duckdb.IOException) as error:  # everything is published, so the run does not fail
                assert context.log  # Dagster gives every run one
                context.log.warning(f"{NOT_WRITTEN} ({error}).")

    return inputs_of_run


def _steps_done(context: dg.InitResourceContext) -> set[str | None]:
    """The steps that succeeded in this run, without those of an earlier run of which it repeats a part."""
    assert context.instance and context.run  # as every run has
    entries = context.instance.all_logs(context.run.run_id, of_type=dg.DagsterEventType.STEP_SUCCESS)
    return {entry.step_key for entry in entries}


def published(home: Home, inputs: Inputs, looked_on: dt.date) -> PublishedInputs:
    """The manifest of the published snapshot; `looked_on` is the day of the run."""
    as_of, valid_until = as_of_and_end(home.published, looked_on)
    return PublishedInputs(
        fingerprint=inputs.fingerprint,
        sources=inputs.sources,
        as_of_date=as_of.isoformat(),
        valid_until=valid_until.isoformat() if valid_until else None,
        is_demo=inputs.is_demo,
        outputs=output_sizes(home),
    )


def as_of_and_end(snapshot: Path, looked_on: dt.date) -> tuple[dt.date, dt.date | None]:
    """The as-of date of a snapshot, and the first day on which the same files give other figures.

    That is the day of the first event after `looked_on`, the day of the run, which did not count in that run. If the
    data has events after the as-of date, that date was set, and later days change nothing.
    """
    backend = open_read_only(snapshot)
    try:
        calendar = backend.table("calendar")
        as_of = scalar(calendar.as_of_date.max())
        assert as_of  # the calendar of a published snapshot has rows
        if not scalar(calendar.is_current.all()):
            return as_of, None
        days = event_days({name: backend.table(name) for name in DATED})
        return as_of, scalar(days.filter(_.day > max(as_of, looked_on)).day.min())
    finally:
        backend.disconnect()
