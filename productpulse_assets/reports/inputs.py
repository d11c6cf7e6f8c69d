"""What most reports read: the metrics by name, and the as-of date."""

import datetime as dt

import ibis.expr.types as ir

from productpulse_assets.charts.look import Row
from resources.tables import rows_of


def metrics_by_name(kpi_summary: ir.Table) -> dict[str, Row]:
    """The rows of kpi_summary by metric_name, in their order."""
    return {row["metric_name"]: row for row in rows_of(kpi_summary)}


def as_of_date(calendar: ir.Table) -> dt.date:
    """The as-of date of the run."""
    day: dt.date = rows_of(calendar)[0]["as_of_date"]
    return day
