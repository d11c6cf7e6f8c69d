"""Rows that a query of sources.yaml leaves out, each with the reason in the query's column `left_out`.

They are listed with the rejects, so that no row is lost, but are no fault of the file: the gate reports them with a
warning, and does not count them towards max_reject_share.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import ibis
import ibis.expr.types as ir

from productpulse_assets.sources.casting import trimmed_text
from productpulse_assets.sources.errors import SourceProblem
from productpulse_assets.sources.readers.blanks import plain_name
from productpulse_assets.sources.readers.raw_rows import RawRows
from productpulse_assets.sources.rejects import rejected_for
from rules.rejects import LEFT_OUT


def reason_column(columns: Sequence[str]) -> str | None:
    """The query's own name of the column with the reasons; None if it has none."""
    return next((column for column in columns if plain_name(column) == LEFT_OUT), None)


def split_left_out(
    raw: RawRows, found: Mapping[str, str], key: Sequence[str], dataset: str
) -> tuple[ir.Table, ir.Table | None]:
    """The rows of a query without a reason, and the rejects of those with one; None if the query has no reasons.

    `found` maps our columns to those of `raw`. Raises SourceProblem for a column of reasons that is not text.
    """
    column = reason_column(raw.columns)
    if column is None:
        return raw.rows, None
    if not (raw.rows[column].type().is_string() or raw.rows[column].type().is_null()):
        raise SourceProblem(
            "query.left_out_not_text",
            f"The query for {dataset} in sources.yaml has a column {LEFT_OUT} of the type {raw.rows[column].type()}. "
            "Give the reason as text for a row that is left out, and NULL for a row that is kept.",
            dataset=dataset,
        )
    reason = trimmed_text(raw.rows[column])
    ids = [raw.rows[found[name]].cast("string") for name in key if name in found]
    row_key = trimmed_text(ids[0]) if len(ids) == len(key) == 1 else ibis.null("string")
    kept = raw.rows.filter(reason.isnull())
    return kept, rejected_for(raw.rows.filter(reason.notnull()), reason, LEFT_OUT, row_key)
