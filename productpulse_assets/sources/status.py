"""The status of rows of which the source has only the dates."""

from __future__ import annotations

import ibis
import ibis.expr.types as ir

from rules.models import DatasetSource

STATUS_OF_DATE = {
    "subscriptions": ("end_date", "Canceled", "Active"),
    "support_tickets": ("date_closed", "closed", "open"),
}
"""By dataset: the date that decides, the status of a row that has it, and that of a row without."""


def status_from_dates(table: ir.Table, dataset: str, source: DatasetSource) -> ir.Table:
    """The status by the date of the end, where sources.yaml asks for it."""
    if "status" not in source.from_dates:
        return table
    date, ended, running = STATUS_OF_DATE[dataset]
    status = ibis.ifelse(table[f"has_{date}"], ended, running)
    return table.mutate(status=status, has_status=ibis.literal(True))
