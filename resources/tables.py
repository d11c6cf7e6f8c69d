"""Small tables as Python rows, such as one row per metric or per dataset."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any

import ibis
import ibis.expr.types as ir
import pyarrow as pa


def table_of(rows: Sequence[Mapping[str, object]], schema: ibis.Schema) -> ir.Table:
    """`rows` as a table of exactly these columns and types; None is NULL."""
    return ibis.memtable(pa.Table.from_pylist(list(rows), schema=schema.to_pyarrow()))


def rows_of(table: ir.Table) -> list[dict[str, Any]]:
    """A small table's rows as Python values, in stored order; NULL is None."""
    rows: list[dict[str, Any]] = table.to_pyarrow().to_pylist()
    return rows


def markdown_rows(columns: Sequence[str], rows: Sequence[Mapping[str, object]]) -> str:
    """Rows as a Markdown table; characters that would break its layout are escaped."""
    if not rows:
        return "no rows"
    lines = [columns, ["---"] * len(columns), *(row.values() for row in rows)]
    return "\n".join("| " + " | ".join(_cell(value) for value in line) + " |" for line in lines)


def _cell(value: object) -> str:
    text = "" if value is None else re.sub(r"\s+", " ", str(value))[:80]
    return re.sub(r"([|<>\[\]`*])", r"\\\1", text) if text.strip("-") else text
