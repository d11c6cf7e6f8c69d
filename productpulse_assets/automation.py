"""When the graph runs by itself."""

from collections.abc import Sequence

import dagster as dg

from productpulse_assets.sources.assets import TELLS_ONLY


def daily_refresh(time_zone: str) -> dg.ScheduleDefinition:
    """The whole graph, every morning at six in the configured time zone."""
    job = dg.define_asset_job(
        "daily_refresh",
        selection=dg.AssetSelection.all(),
        description="Every source, metric and report, and the published snapshot.",
    )
    return dg.ScheduleDefinition(
        job=job,
        name="daily_refresh",
        cron_schedule="0 6 * * *",
        execution_timezone=time_zone,
        default_status=dg.DefaultScheduleStatus.RUNNING,
    )


def validate_sources(source_assets: Sequence[dg.AssetsDefinition]):
    """Read and judge every source; one that fails the gate is told of and stops none of the others."""
    part_of_step = [key for definition in source_assets for key in definition.check_keys]
    return dg.define_asset_job(
        "validate_sources",
        selection=dg.AssetSelection.groups("sources").without_checks() | dg.AssetSelection.checks(*part_of_step),
        tags={TELLS_ONLY: "true"},
        description="Reads every source and says what would be rejected; computes and publishes nothing.",
    )
