"""The daily run of the whole graph, unless its inputs are those of the snapshot."""

from collections.abc import Sequence
from contextlib import suppress

import dagster as dg

from productpulse_assets.orchestration.skip_unchanged import skip_reason
from resources.home import SettingsError
from resources.run_lock import retire_dead_runs
from resources.settings import EVERY_MORNING, LONGEST_WAIT, Settings
from rules.rule_set import Rules

BECAUSE = "productpulse/started_because"
"""Tag of a run that a schedule or a sensor started: the reason."""

HISTORY = "history"
"""The group of past days as partitions, which only a person materializes."""

everything = dg.define_asset_job(
    "daily_refresh",
    selection=dg.AssetSelection.all() - dg.AssetSelection.groups(HISTORY),
    description="Every source, metric and report, and the published snapshot.",
)


def daily_refresh(settings: Settings, rules: Rules) -> dg.ScheduleDefinition:
    """The whole graph, at the times of `settings.schedule`. Raises SettingsError if that is not a cron expression."""
    try:
        declare = dg.schedule(
            job=everything,
            name="daily_refresh",
            cron_schedule=settings.schedule,
            execution_timezone=rules.sources.time_zone,
            default_status=dg.DefaultScheduleStatus.RUNNING,
            description="Runs everything in the morning, unless files, rules and as-of date are those of the snapshot.",
        )
        return declare(lambda context: refresh_if_changed(context, settings))
    except dg.DagsterInvalidDefinitionError as error:
        raise SettingsError(
            "settings.schedule_not_cron",
            f"PRODUCTPULSE_SCHEDULE is '{settings.schedule}', which is not a cron expression. Give minute, hour, day "
            f"of the month, month and day of the week, for example '{EVERY_MORNING}' for six every morning.",
        ) from error


def refresh_if_changed(context: dg.ScheduleEvaluationContext, settings: Settings) -> dg.RunRequest | dg.SkipReason:
    """A run of everything, or the reason to skip it; the rules are read again."""
    with suppress(OSError):  # in a home that cannot be written, the run reports it
        fail_dead_runs(context.instance, settings)
    if reason := skip_reason(settings):
        return dg.SkipReason(f"{reason} Launch the job by hand to run it anyway.")
    return dg.RunRequest(tags={BECAUSE: "the schedule"})


def fail_dead_runs(instance: dg.DagsterInstance, settings: Settings) -> None:
    """Record killed runs as failed, so that queued runs can start."""
    retire_dead_runs(instance, settings.home, max(settings.wait, LONGEST_WAIT))


def validation_selection(source_assets: Sequence[dg.AssetsDefinition]) -> dg.AssetSelection:
    """What the job VALIDATION runs: every source and the checks in its step. A failed gate stops no other source."""
    part_of_step = [key for definition in source_assets for key in definition.check_keys]
    return dg.AssetSelection.groups("sources").without_checks() | dg.AssetSelection.checks(*part_of_step)
