"""Small tables whose rows come from the rules, as part of a query's SQL."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import ibis
import ibis.expr.types as ir


def literal_rows(rows: Sequence[Mapping[str, object]], schema: ibis.Schema) -> ir.Table:
    """`rows` as a table of exactly these columns and types; None is NULL.

    The rows are part of the SQL, so that the compiled query can be run without registering a table first.
    """
    fields = ", ".join(f"{name}: {kind}" for name, kind in schema.items())
    listed = ibis.literal([dict(row) for row in rows], type=f"array<struct<{fields}>>")
    table = listed.unnest().name("row").as_table()
    return table.select(**{name: table.row[name] for name in schema})
