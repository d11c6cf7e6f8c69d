"""The stored columns that a column is computed from, found in its expression."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Iterator, Mapping

import ibis.expr.datatypes as dt
import ibis.expr.operations as ops
import ibis.expr.types as ir

from resources.compiled_plan import Source

Carries = Callable[[dt.DataType], bool]


def anything(_kind: dt.DataType) -> bool:
    """Values of every type count."""
    return True


def text(kind: dt.DataType) -> bool:
    """Only values that can contain words count: text, JSON, and lists or structs of these."""
    if kind.is_struct():
        return any(map(text, kind.types))
    if kind.is_array() or kind.is_map():
        return text(kind.value_type)
    return bool(kind.is_string() or kind.is_json())


def column_sources(table: ir.Table, carries: Carries = anything) -> dict[str, set[Source]]:
    """For each column of `table` the stored columns that its value is computed from.

    Join keys and filters do not count: they select rows and do not change values. Values of a type for which
    `carries` is false are not followed: with `text`, a count of names has no source.
    """
    walk = _Walk(carries)
    node = table.op()
    return {name: set(walk.of_field(node, name)) if carries(kind) else set() for name, kind in table.schema().items()}


def reached_columns(seeds: Mapping[str, Collection[str]], queries: Mapping[str, ir.Table]) -> dict[str, set[str]]:
    """By table: the columns of `seeds`, and the columns of computed tables that can contain words of them.

    `queries` has the expression of each computed table, in the order of computing them.
    """
    found = {table: set(columns) for table, columns in seeds.items()}
    for name, table in queries.items():
        found.setdefault(name, set()).update(carrying_columns(table, found))
    return found


def carrying_columns(table: ir.Table, marked: Mapping[str, Collection[str]]) -> set[str]:
    """The columns of `table` that can contain words of the `marked` columns, which are given by table."""
    return {
        column
        for column, sources in column_sources(table, text).items()
        if any(name in marked.get(source, ()) for source, name in sources)
    }


def origins(columns: Iterable[Source], queries: Mapping[str, ir.Table]) -> set[Source]:
    """The source columns that `columns` are computed from; `queries` has the expression of each computed table."""
    below: dict[str, dict[str, set[Source]]] = {}
    found: set[Source] = set()
    waiting, seen = list(columns), set(columns)
    while waiting:
        table, column = waiting.pop()
        if table not in queries:
            found.add((table, column))
            continue
        if table not in below:
            below[table] = column_sources(queries[table])
        waiting += below[table][column] - seen
        seen |= below[table][column]
    return found


class _Walk:
    """A walk through an expression, which visits each part once."""

    def __init__(self, carries: Carries):
        self.carries = carries
        self.known: dict[ops.Node, frozenset[Source]] = {}

    def of_field(self, relation: ops.Relation, name: str) -> frozenset[Source]:
        if isinstance(relation, ops.Union | ops.Intersection | ops.Difference):
            return self.of_field(relation.left, name) | self.of_field(relation.right, name)
        if isinstance(relation, ops.Reference):
            return self.of_field(relation.parent, name)
        if isinstance(relation, ops.UnboundTable | ops.DatabaseTable):
            return frozenset({(relation.name, name)})
        if isinstance(relation, ops.PhysicalTable):
            return frozenset()
        return self.of_value(relation.values[name])

    def of_value(self, node: ops.Node) -> frozenset[Source]:
        if node not in self.known:
            self.known[node] = frozenset().union(*map(self._of_part, _inputs(node)))
        return self.known[node]

    def _of_part(self, part: ops.Node) -> frozenset[Source]:
        if isinstance(part, ops.Relation):
            columns = [column for column, kind in part.schema.items() if self.carries(kind)]
            return frozenset().union(*(self.of_field(part, column) for column in columns))
        if not isinstance(part, ops.Value) or not self.carries(part.dtype):
            return frozenset()
        return self.of_field(part.rel, part.name) if isinstance(part, ops.Field) else self.of_value(part)


def _inputs(node: ops.Node) -> Iterator[ops.Node]:
    if isinstance(node, ops.Field):
        yield node
    elif isinstance(node, ops.WindowFunction):
        # Partition and order select the rows of the window, as join keys do.
        yield node.func
    elif isinstance(node, ops.CountStar):
        return
    else:
        yield from node.__children__
