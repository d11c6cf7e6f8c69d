"""Ids that are whole numbers in one file and decimals in the other: 7 in customers, 7.0 in transactions.

Pandas and spreadsheets turn a column of whole numbers into decimals as soon as one of them is missing.
"""

from __future__ import annotations

from collections.abc import Sequence

import ibis
import ibis.expr.types as ir

from productpulse_assets.sources.staging import Parent

WHOLE = r"^(0|[1-9][0-9]{0,14})$"
DECIMAL = r"^(0|[1-9][0-9]{0,14})\.0$"
"""Up to the digits that a floating-point number represents exactly: with more, it may already be another id."""

PADDED = r"^0[0-9]"
"""7.0 may stand for 7 and for 007."""


def detect_id_forms(table: ir.Table, parents: Sequence[Parent]) -> ir.Table:
    """One row: whether each reference, and the keys that it refers to, are decimals."""
    counted = [part for parent in parents for part in _forms_of(table, parent)]
    row = counted[0]
    for part in counted[1:]:
        row = row.cross_join(part)
    return row


def _forms_of(table: ir.Table, parent: Parent) -> tuple[ir.Table, ir.Table]:
    keys = [each.as_table().rename(id=each.get_name()) for each in (parent.kept, parent.rejected)]
    return (
        _forms(table.select(id=table[parent.column]), f"{parent.column}_child"),
        _forms(ibis.union(*keys), f"{parent.column}_parent"),
    )


def _forms(ids: ir.Table, side: str) -> ir.Table:
    is_decimal = ids.id.re_search(DECIMAL)
    return ids.aggregate(
        **{
            f"{side}_all_decimal": is_decimal.all().fill_null(False),
            f"{side}_some_decimal": is_decimal.any().fill_null(False),
            f"{side}_some_padded": ids.id.re_search(PADDED).any().fill_null(False),
        }
    )


def match_parent_form(table: ir.Table, parents: Sequence[Parent], forms: dict[str, bool]) -> ir.Table:
    """The references in the form of the keys that they refer to: whole numbers or decimals.

    A column changes as a whole or not at all, and only where the other side has one form, so that two
    ids that differ in one column, 7 and 7.0, never become one.
    """
    return table.mutate(**{parent.column: _reference(table[parent.column], parent.column, forms) for parent in parents})


def _reference(ids: ir.StringColumn, name: str, forms: dict[str, bool]) -> ir.StringColumn:
    child, parent = f"{name}_child", f"{name}_parent"
    if forms[f"{child}_all_decimal"] and not (forms[f"{parent}_some_decimal"] or forms[f"{parent}_some_padded"]):
        return ids.re_replace(r"\.0$", "")
    if forms[f"{parent}_all_decimal"] and not (forms[f"{child}_some_decimal"] or forms[f"{child}_some_padded"]):
        return ibis.ifelse(ids.re_search(WHOLE), ids + ".0", ids)
    return ids
