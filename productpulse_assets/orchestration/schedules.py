"""When the graph runs by itself, and how old what it publishes may grow."""

from collections.abc import Sequence
from contextlib import suppress

import dagster as dg

from productpulse_assets.orchestration.skip_unchanged import nothing_new
from resources.home import SettingsError
from resources.run_lock import retire_dead_runs
from resources.settings import EVERY_MORNING, LONGEST_WAIT, Settings
from rules.rule_set import Rules

BECAUSE = "productpulse/started_because"
"""Tag of a run that nobody started by hand: what for."""

everything = dg.define_asset_job(
    "daily_refresh",
    selection=dg.AssetSelection.all(),
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
    """A run of everything, or why there is nothing to do; the rules are read as they are now."""
    with suppress(OSError):  # a home that cannot be written: the run says so
        free_the_queue(context.instance, settings)
    if said := nothing_new(settings):
        return dg.SkipReason(f"{said} Launch the job by hand to run it all the same.")
    return dg.RunRequest(tags={BECAUSE: "the schedule"})


def free_the_queue(instance: dg.DagsterInstance, settings: Settings) -> None:
    """Take runs that were killed out of the way of those that wait."""
    retire_dead_runs(instance, settings.home, max(settings.wait, LONGEST_WAIT))


def validation_selection(source_assets: Sequence[dg.AssetsDefinition]) -> dg.AssetSelection:
    """What the job VALIDATION runs: every source and the checks in its step. A failed gate stops no other source."""
    part_of_step = [key for definition in source_assets for key in definition.check_keys]
    return dg.AssetSelection.groups("sources").without_checks() | dg.AssetSelection.checks(*part_of_step)
