"""Where a column comes from, read off the expression that makes it."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping

import ibis.expr.operations as ops
import ibis.expr.types as ir

from resources.compiled_plan import Source


def column_sources(table: ir.Table) -> dict[str, set[Source]]:
    """For each column of `table` the stored columns that its value is computed from.

    Join keys and filters decide which rows there are, not what a value is; they do not count.
    """
    memo: dict[ops.Node, frozenset[Source]] = {}
    node = table.op()
    return {name: set(_field_sources(node, name, memo)) for name in table.columns}


def origins(columns: Iterable[Source], made: Mapping[str, ir.Table]) -> set[Source]:
    """Where `columns` come from in the end; `made` has the expression behind each table that is made of others."""
    below: dict[str, dict[str, set[Source]]] = {}
    found: set[Source] = set()
    waiting, seen = list(columns), set(columns)
    while waiting:
        table, column = waiting.pop()
        if table not in made:
            found.add((table, column))
            continue
        if table not in below:
            below[table] = column_sources(made[table])
        waiting += below[table][column] - seen
        seen |= below[table][column]
    return found


def _field_sources(relation: ops.Relation, name: str, memo: dict) -> frozenset[Source]:
    if isinstance(relation, ops.Union | ops.Intersection | ops.Difference):
        return _field_sources(relation.left, name, memo) | _field_sources(relation.right, name, memo)
    if isinstance(relation, ops.Reference):
        return _field_sources(relation.parent, name, memo)
    if isinstance(relation, ops.UnboundTable | ops.DatabaseTable):
        return frozenset({(relation.name, name)})
    if isinstance(relation, ops.PhysicalTable):
        return frozenset()
    return _value_sources(relation.values[name], memo)


def _value_sources(node: ops.Node, memo: dict) -> frozenset[Source]:
    if node not in memo:
        found: frozenset[Source] = frozenset()
        for part in _inputs(node):
            if isinstance(part, ops.Field):
                found |= _field_sources(part.rel, part.name, memo)
            elif isinstance(part, ops.Value):
                found |= _value_sources(part, memo)
            elif isinstance(part, ops.Relation):
                found |= frozenset().union(*(_field_sources(part, column, memo) for column in part.schema))
        memo[node] = found
    return memo[node]


def _inputs(node: ops.Node) -> Iterator[ops.Node]:
    if isinstance(node, ops.Field):
        yield node
    elif isinstance(node, ops.WindowFunction):
        # Partition and order choose the rows of the window, as join keys do.
        yield node.func
    elif isinstance(node, ops.CountStar):
        return
    else:
        yield from node.__children__
