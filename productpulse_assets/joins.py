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


FIRST_DAY, LAST_DAY = "0001-01-01", "9999-12-31"


def with_span(rows: ir.Table, by: str, start: str) -> ir.Table:
    """Add from_day and until_day: each row of `by` is the one of a day from its `start` on, until the next one starts.

    The first row is also that of all days before it, so that every day has exactly one row. `start` is unique in `by`.
    """
    window = ibis.window(group_by=rows[by], order_by=rows[start])
    is_first = rows[start].lag().over(window).isnull()
    return rows.mutate(
        from_day=ibis.ifelse(is_first, ibis.date(FIRST_DAY), rows[start]),
        until_day=rows[start].lead().over(window).coalesce(ibis.date(LAST_DAY)),
    )


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
