"""When the graph runs by itself."""

import dagster as dg


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
