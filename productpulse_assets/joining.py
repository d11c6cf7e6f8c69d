"""One way to put facts beside the rows that they are about."""

from collections.abc import Sequence

import ibis.expr.types as ir


def beside(table: ir.Table, facts: ir.Table, by: str | Sequence[str] = "customer_id") -> ir.Table:
    """`table` with the columns of `facts`, which has at most one row per `by`; NULL where it has none."""
    keys = [by] if isinstance(by, str) else list(by)
    return table.left_join(facts, keys).drop(*(f"{key}_right" for key in keys))
