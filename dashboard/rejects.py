"""The rejected rows of all datasets."""

from __future__ import annotations

import ibis
import ibis.expr.types as ir

from dashboard.reading import Reading


def rejects(reading: Reading) -> ir.Table:
    """One row per rejected row and broken rule, over all datasets."""
    datasets = reading.rows(reading.table("source_inventory").select("dataset"))
    names = sorted(f"{row['dataset']}_rejects" for row in datasets)
    return ibis.union(*(reading.table(name) for name in names if name in reading))
