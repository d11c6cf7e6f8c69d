"""Joins and aggregations that several tables need: one home each."""

from collections.abc import Sequence

import ibis
import ibis.expr.types as ir


def left_join_unique(table: ir.Table, facts: ir.Table, by: str | Sequence[str] = "customer_id") -> ir.Table:
    """`table` with the columns of `facts`, which has at most one row per `by`; NULL where it has none."""
    keys = [by] if isinstance(by, str) else list(by)
    new = [name for name in facts.columns if name not in keys]
    # Selecting by name makes one node of the query; dropping columns afterwards would make two.
    return table.left_join(facts, keys).select(*table.columns, *new)


def collect_ordered(texts: ir.StringColumn, order: ir.Column, where: ir.BooleanColumn | None = None) -> ir.ArrayScalar:
    """An aggregation: texts with their place, to be joined by `join_ordered` in the outer query.

    A list of pairs, because Ibis has no ordered aggregation for Spark.
    """
    return ibis.struct({"place": order, "text": texts}).collect(where=where)


def join_ordered(pairs: ir.ArrayColumn, separator: str) -> ir.StringColumn:
    """The texts of `collect_ordered` in the order of their places."""
    return pairs.sort().map(lambda pair: pair.text).join(separator)


def stable_id(*parts: ir.StringValue | str) -> ir.StringColumn:
    """16 hex digits, the same whenever `parts` are the same."""
    text = parts[0] if isinstance(parts[0], ir.Value) else ibis.literal(parts[0])
    for part in parts[1:]:
        text = text + "|" + part
    return text.hexdigest("sha256").substr(0, 16)
