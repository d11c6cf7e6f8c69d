"""Whether a run would make anything new."""

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
from resources.snapshot_manifest import PublishedInputs, confirm_inputs, outputs_of, published_inputs, remember_inputs
from rules.rule_set import Rules, read_rules
from rules.today import company_today

NOT_NOTED = "What the snapshot was made of could not be noted, so the next run works even if nothing changes"


def nothing_new(settings: Settings, today: dt.date | None = None) -> str | None:
    """The sentence that says that a run would make what is there already; None if it may make something else.

    The rules are read as they are now. `today` is the day in the company's time zone unless another one is meant.
    """
    home, made_of = settings.home, published_inputs(settings.home)
    if made_of is None or made_of.fingerprint is None:
        return None
    if not home.warehouse.exists() or outputs_of(home) != made_of.outputs:
        return None
    try:
        rules = read_rules(settings.rules_dir)
        if not made_of.is_valid_on(today or company_today(rules.sources.time_zone)):
            return None
        if look_at_inputs(settings, rules).fingerprint != made_of.fingerprint:
            return None
    except UNUSABLE:
        return None
    confirm_inputs(home)
    published = dt.datetime.fromtimestamp(home.published.stat().st_mtime)
    return (
        f"Nothing has changed since the snapshot of {published:%Y-%m-%d %H:%M}: it was made of the same files, "
        f"rules and as-of date ({made_of.as_of_date})."
    )


def run_inputs(steps: frozenset[str], settings: Settings, rules: Rules) -> dg.ResourceDefinition:
    """Remembers what a run was made of, if every one of `steps`, which are all there are, went well in it."""

    # Needs the warehouse, so that it ends while the run still has its turn.
    @dg.resource(required_resource_keys={"warehouse"}, config_schema={})
    def inputs_of_run(context: dg.InitResourceContext) -> Iterator[RunInputs]:
        inputs = RunInputs(settings, rules)
        yield inputs
        if inputs.seen and inputs.day and steps <= _steps_done(context):
            try:
                remember_inputs(settings.home, published(settings.home, inputs.seen, inputs.day))
            except (OSError, duckdb.IOException) as error:  # all is published; a note is no reason to fail
                assert context.log  # Dagster gives every run one
                context.log.warning(f"{NOT_NOTED} ({error}).")

    return inputs_of_run


def _steps_done(context: dg.InitResourceContext) -> set[str | None]:
    """The steps that this very run has done: not those of a run that it repeats in part."""
    assert context.instance and context.run  # as every run has
    entries = context.instance.all_logs(context.run.run_id, of_type=dg.DagsterEventType.STEP_SUCCESS)
    return {entry.step_key for entry in entries}


def published(home: Home, inputs: Inputs, looked_on: dt.date) -> PublishedInputs:
    """What to remember of `inputs`, which were looked at on a day, once everything made of them is published."""
    as_of, valid_until = as_of_and_end(home.published, looked_on)
    return PublishedInputs(
        fingerprint=inputs.fingerprint,
        sources=inputs.sources,
        as_of_date=as_of.isoformat(),
        valid_until=valid_until.isoformat() if valid_until else None,
        is_demo=inputs.is_demo,
        outputs=outputs_of(home),
    )


def as_of_and_end(snapshot: Path, looked_on: dt.date) -> tuple[dt.date, dt.date | None]:
    """The as-of date of a snapshot, and the day from which the same files give another answer.

    That is the first event after `looked_on`, the day of the run: then it lay ahead and counted for nothing.
    Where the data had newer events already, the as-of date was asked for, and no later day matters.
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
