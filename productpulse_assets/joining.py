"""One way to put facts beside the rows that they are about."""

from collections.abc import Sequence

import ibis.expr.types as ir


def beside(table: ir.Table, facts: ir.Table, by: str | Sequence[str] = "customer_id") -> ir.Table:
    """`table` with the columns of `facts`, which has at most one row per `by`; NULL where it has none."""
    keys = [by] if isinstance(by, str) else list(by)
    new = [name for name in facts.columns if name not in keys]
    # Named rather than dropped: a join that says its columns is one node of the query, with a drop it is two.
    return table.left_join(facts, keys).select(*table.columns, *new)
