"""Rows that were kept out, of all datasets together."""

from __future__ import annotations

import ibis
import ibis.expr.types as ir
from ibis import _

from dashboard.reading import Reading


def rejects(reading: Reading) -> ir.Table:
    """One row per broken rule of a rejected row, over all datasets."""
    stock = reading.rows(reading.table("source_inventory").select("dataset"))
    names = sorted(f"{row['dataset']}_rejects" for row in stock)
    return ibis.union(*(reading.table(name) for name in names if name in reading))


def reject_counts(found: ir.Table) -> ir.Table:
    """One row per dataset, column and rule broken: how many rows, and the first of them."""
    return (
        found.group_by("dataset", "column_name", "check_name")
        .aggregate(rows=_.row_number.nunique(), first_row=_.row_number.min())
        .order_by(_.rows.desc(), "dataset", "column_name", "check_name")
    )
