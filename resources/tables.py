"""Small tables as Python rows, such as one row per metric or per dataset."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any

import ibis
import ibis.expr.types as ir
import pyarrow as pa
from ibis.backends.duckdb import Backend

from resources.kept_statements import describe_expression, kept_statement


def table_of(rows: Sequence[Mapping[str, object]], schema: ibis.Schema) -> ir.Table:
    """`rows` as a table of exactly these columns and types; None is NULL."""
    return ibis.memtable(pa.Table.from_pylist(list(rows), schema=schema.to_pyarrow()))


def rows_of(table: ir.Table) -> list[dict[str, Any]]:
    """A small table's rows as Python values, in stored order; NULL is None."""
    description = describe_expression(table)
    backend = description.backend
    if description.in_memory or not isinstance(backend, Backend):
        found = table.to_pyarrow()
    else:
        sql = kept_statement(lambda: str(backend.compile(table)), description, "rows")
        found = backend.con.sql(sql).to_arrow_table().cast(table.schema().to_pyarrow())
    rows: list[dict[str, Any]] = found.to_pylist()
    return rows


def count_of(table: ir.Table) -> int:
    """The number of rows of a table."""
    count: int = rows_of(table.aggregate(rows=table.count()))[0]["rows"]
    return count


def markdown_rows(columns: Sequence[str], rows: Sequence[Mapping[str, object]]) -> str:
    """Rows as a Markdown table; characters that would break its layout are escaped."""
    if not rows:
        return "no rows"
    lines = [columns, ["---"] * len(columns), *(row.values() for row in rows)]
    return "\n".join("| " + " | ".join(_cell(value) for value in line) + " |" for line in lines)


def _cell(value: object) -> str:
    text = "" if value is None else re.sub(r"\s+", " ", str(value))[:80]
    return re.sub(r"([|<>\[\]`*])", r"\\\1", text) if text.strip("-") else text
