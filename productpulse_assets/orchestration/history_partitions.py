"""Past days as partitions: materializing them in Dagster's UI computes them as `productpulse backfill` does."""

import datetime as dt

import dagster as dg

from productpulse_assets.orchestration.backfill import backfill, first_and_last_day, month_ends, open_past
from productpulse_assets.orchestration.schedules import HISTORY
from resources.failures import step_failures
from resources.home import Home
from resources.settings import Settings
from rules.rule_set import Rules
from rules.today import company_today

LIVE_DAYS = 31
"""Data whose as-of date is older than this is not that of a company at work, such as the demo: no day follows it."""
MONTHS_BEFORE = 24


def history_assets(settings: Settings, rules: Rules) -> list[dg.AssetsDefinition]:
    """The two assets of the history: by month, for its last day, and by day."""
    first, end = span(settings.home, company_today(rules.sources.time_zone))
    months = dg.MonthlyPartitionsDefinition(start_date=first.replace(day=1), end_date=end, fmt="%Y-%m")
    days = dg.DailyPartitionsDefinition(start_date=first, end_date=end)
    return [
        _asset("month_end_history", months, "One Parquet file per month: risk, leakage and KPI rows on its last day.",
               settings, rules, at_month_end=True),
        _asset("daily_history", days, "One Parquet file per day: risk, leakage and KPI rows on it.",
               settings, rules, at_month_end=False),
    ]  # fmt: skip


def span(home: Home, today: dt.date) -> tuple[dt.datetime, dt.datetime | None]:
    """The first day that can be computed, and the day after the last; None for the last means up to today.

    Taken from the published snapshot when the graph is loaded.
    """
    found = first_and_last_day(home)
    if found is None:
        return at_midnight(today.replace(day=1) - dt.timedelta(days=30 * MONTHS_BEFORE)), None
    first, as_of = found
    is_live = (today - as_of).days <= LIVE_DAYS
    return at_midnight(first), None if is_live else at_midnight(as_of + dt.timedelta(days=1))


def at_midnight(day: dt.date) -> dt.datetime:
    """The beginning of a day."""
    return dt.datetime.combine(day, dt.time())


def _asset(
    name: str,
    partitions: dg.PartitionsDefinition,
    purpose: str,
    settings: Settings,
    rules: Rules,
    *,
    at_month_end: bool,
) -> dg.AssetsDefinition:
    @dg.asset(
        name=name,
        group_name=HISTORY,
        owners=["team:data"],
        kinds={"parquet"},
        partitions_def=partitions,
        deps=["published_snapshot"],
        description=f"{purpose}\n\nMaterialize partitions to compute past days from the published snapshot, as "
        "`productpulse backfill` does. The next run of daily_refresh shows them.",
        config_schema={},
    )
    def recorded(context: dg.AssetExecutionContext) -> dg.MaterializeResult[None]:
        days = [day_of(key, at_month_end=at_month_end) for key in context.partition_keys]
        with step_failures(), open_past(settings, rules, context.log.warning) as past:
            for each in backfill(past, days):
                context.log.info(f"{each.day}: {each.customers:,} customers, {each.seconds:.1f} s")
            return dg.MaterializeResult(
                metadata={"days": [day.isoformat() for day in days], "path": dg.MetadataValue.path(str(past.history))}
            )

    return recorded


def day_of(key: str, *, at_month_end: bool) -> dt.date:
    """The day that a partition stands for: the last day of a month such as 2026-06, or a day."""
    if not at_month_end:
        return dt.date.fromisoformat(key)
    month = dt.date.fromisoformat(f"{key}-01")
    return month_ends(month, month)[0]
