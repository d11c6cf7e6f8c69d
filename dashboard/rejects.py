"""Rows that were kept out, of all datasets together."""

from __future__ import annotations

import ibis
import ibis.expr.types as ir

from dashboard.reading import Reading


def rejects(reading: Reading) -> ir.Table:
    """One row per broken rule of a rejected row, over all datasets."""
    stock = reading.rows(reading.table("source_inventory").select("dataset"))
    names = sorted(f"{row['dataset']}_rejects" for row in stock)
    return ibis.union(*(reading.table(name) for name in names if name in reading))
