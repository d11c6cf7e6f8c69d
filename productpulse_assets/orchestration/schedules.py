"""When the graph runs by itself, and how old what it publishes may grow."""

import os
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path

import dagster as dg

from productpulse_assets.orchestration.skip_unchanged import nothing_new
from productpulse_assets.sources.assets import VALIDATION
from resources.home import LONGEST_WAIT, SettingsError, parse_wait
from resources.run_lock import retire_dead_runs
from resources.settings import RunSettings
from rules.rule_set import Rules

SCHEDULE = "PRODUCTPULSE_SCHEDULE"
EVERY_MORNING = "0 6 * * *"
BECAUSE = "productpulse/started_because"
"""Tag of a run that nobody started by hand: what for."""

everything = dg.define_asset_job(
    "daily_refresh",
    selection=dg.AssetSelection.all(),
    description="Every source, metric and report, and the published snapshot.",
)


def daily_refresh(settings: RunSettings, rules: Rules) -> dg.ScheduleDefinition:
    """The whole graph, at PRODUCTPULSE_SCHEDULE (a cron expression) or every morning at six.

    Raises SettingsError for what is no cron expression.
    """
    cron = os.environ.get(SCHEDULE) or EVERY_MORNING
    try:
        declare = dg.schedule(
            job=everything,
            name="daily_refresh",
            cron_schedule=cron,
            execution_timezone=rules.sources.time_zone,
            default_status=dg.DefaultScheduleStatus.RUNNING,
            description="Runs everything in the morning, unless files, rules and as-of date are those of the snapshot.",
        )
        return declare(lambda context: refresh_if_changed(context, settings, rules.folder))
    except dg.DagsterInvalidDefinitionError as error:
        raise SettingsError(
            f"{SCHEDULE} is '{cron}', which is not a cron expression. Give minute, hour, day of the month, month and "
            f"day of the week, for example '{EVERY_MORNING}' for six every morning."
        ) from error


def refresh_if_changed(
    context: dg.ScheduleEvaluationContext, settings: RunSettings, rules_folder: Path
) -> dg.RunRequest | dg.SkipReason:
    """A run of everything, or why there is nothing to do; the rules are read as they are now."""
    with suppress(OSError):  # a home that cannot be written: the run says so
        free_the_queue(context.instance, settings)
    if said := nothing_new(settings, rules_folder):
        return dg.SkipReason(f"{said} Launch the job by hand to run it all the same.")
    return dg.RunRequest(tags={BECAUSE: "the schedule"})


def free_the_queue(instance: dg.DagsterInstance, settings: RunSettings) -> None:
    """Take runs that were killed out of the way of those that wait."""
    wait = parse_wait(os.environ.get("PRODUCTPULSE_WAIT"))
    retire_dead_runs(instance, settings.home, max(wait, LONGEST_WAIT))


def validate_sources(source_assets: Sequence[dg.AssetsDefinition]):
    """Read and judge every source; one that fails the gate is told of and stops none of the others."""
    part_of_step = [key for definition in source_assets for key in definition.check_keys]
    return dg.define_asset_job(
        VALIDATION,
        selection=dg.AssetSelection.groups("sources").without_checks() | dg.AssetSelection.checks(*part_of_step),
        description="Reads every source and says what would be rejected; computes and publishes nothing.",
    )
