"""What most reports read: the metrics by name, and the as-of date."""

import datetime as dt
from typing import cast

import ibis.expr.types as ir

from productpulse_assets.metrics.summary import SummaryRow
from resources.tables import rows_of


def metrics_by_name(kpi_summary: ir.Table) -> dict[str, SummaryRow]:
    """The rows of kpi_summary by metric_name, in their order."""
    return {row["metric_name"]: row for row in cast(list[SummaryRow], rows_of(kpi_summary))}


def as_of_date(calendar: ir.Table) -> dt.date:
    """The as-of date of the run."""
    day: dt.date = rows_of(calendar)[0]["as_of_date"]
    return day
