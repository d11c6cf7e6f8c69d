"""Texts of many rows as one in an order that is told, and names that stay from day to day."""

import ibis
import ibis.expr.types as ir


def in_order(texts: ir.StringColumn, order: ir.Column, where: ir.BooleanColumn | None = None) -> ir.ArrayScalar:
    """An aggregation: texts with their place, to be joined by `joined` in the outer query.

    A list of pairs, because an aggregation with an order of its own is not to be had in Spark.
    """
    return ibis.struct({"place": order, "text": texts}).collect(where=where)


def joined(pairs: ir.ArrayColumn, separator: str) -> ir.StringColumn:
    """The texts of `in_order` in the order of their places."""
    return pairs.sort().map(lambda pair: pair.text).join(separator)


def lasting_id(*what: ir.StringValue | str) -> ir.StringColumn:
    """16 hex digits that are the same whenever what they stand for is the same."""
    text = what[0] if isinstance(what[0], ir.Value) else ibis.literal(what[0])
    for part in what[1:]:
        text = text + "|" + part
    return text.hexdigest("sha256").substr(0, 16)
