"""Small tables that rules spell out, as part of a query's own text."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import ibis
import ibis.expr.types as ir


def literal_rows(rows: Sequence[Mapping[str, object]], schema: ibis.Schema) -> ir.Table:
    """`rows` as a table of exactly these columns and types; None is NULL.

    The rows stand in the SQL itself, so that the query can be kept and run without them being registered first.
    """
    fields = ", ".join(f"{name}: {kind}" for name, kind in schema.items())
    listed = ibis.literal([dict(row) for row in rows], type=f"array<struct<{fields}>>")
    table = listed.unnest().name("row").as_table()
    return table.select(**{name: table.row[name] for name in schema})
