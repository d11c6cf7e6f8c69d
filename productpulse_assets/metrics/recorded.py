"""Past values of the metrics whose tables have the present state alone, from the history."""

from __future__ import annotations

import datetime as dt
from pathlib import Path

import ibis
import ibis.expr.types as ir
from ibis import _

from productpulse_assets.sources.location import history_of
from productpulse_assets.tables import Rows, table
from resources.decision_history import KPIS, read_days, recorded_days
from resources.settings import Settings
from resources.tables import rows_of
from rules.metrics.models import MetricCatalog
from rules.metrics.parts import is_present_only, metric_parts
from rules.rule_set import Rules
from rules.units import MONEY, month_start

KPI_COLUMNS = ibis.schema(
    {
        "as_of_date": "date",
        "metric_name": "string",
        "value": "float64",
        "amount": MONEY,
        "is_current": "boolean",
        "rules_hash": "string",
    }
)
"""What is read of a file of history/kpis."""

METRICS = ibis.schema(
    {"metric_name": "string", "month": "date", "value": "float64", "amount": MONEY, "rules_hash": "string"}
)
OF_THE_FILES = "data_quality_scores"
"""A table about the files that a run read: what an earlier day's files were like, only the run of that day knows."""


def month_ends(days: list[dt.date], as_of: dt.date) -> list[dt.date]:
    """The dates that are the last day of a month, of months before that of `as_of`."""
    this_month = month_start(as_of, 0)
    return [day for day in days if day < this_month and (day + dt.timedelta(days=1)).day == 1]


def present_only(catalog: MetricCatalog) -> list[str]:
    """The metrics that are computed from tables of the present state."""
    return [name for name in catalog.metrics if is_present_only(catalog, name)]


def about_files(catalog: MetricCatalog) -> list[str]:
    """The metrics that are computed from the files of a run."""
    return [
        name for name in catalog.metrics if any(part.use.model == OF_THE_FILES for part in metric_parts(catalog, name))
    ]


@table(group="metrics", owner="team:finance", key=("metric_name", "month"), schema=METRICS)
def recorded_metrics(calendar: ir.Table, settings: Settings, rules: Rules) -> Rows:
    """One row per metric of the present state and earlier month: its value on the month's last day.

    From the KPI rows that the run of that day or a backfill recorded; without these, there is no row. Values are in
    the metric's unit. The quality of data counts only as the run of the day itself saw it.
    """
    as_of = rows_of(calendar.select("as_of_date").limit(1))[0]["as_of_date"]
    return past_rows(history_of(settings, rules), as_of, rules.metric_catalog)


def past_rows(history: Path, as_of: dt.date, catalog: MetricCatalog) -> Rows:
    """The rows of recorded_metrics on an as-of date."""
    recorded = read_days(history, KPIS, month_ends(recorded_days(history, KPIS), as_of), KPI_COLUMNS)
    rows = ibis.memtable(recorded).filter(_.metric_name.isin(present_only(catalog)), _.value.notnull())
    is_seen = ~rows.metric_name.isin(about_files(catalog)) | rows.is_current.fill_null(False)
    known = rows.filter(is_seen).mutate(month=rows.as_of_date.truncate("month").cast("date"))
    return rows_of(known.select(*METRICS).order_by("metric_name", "month"))
