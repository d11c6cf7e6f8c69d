"""Rejected rows by the rule that they broke: for the gate, the reports and the pages."""

import ibis.expr.types as ir
from ibis import _


def reject_counts(rejects: ir.Table, *more: str) -> ir.Table:
    """One row per dataset, column and rule broken: how often, and the first row that broke it.

    The commonest of a dataset come first. `more` are further columns of the first row.
    """
    grouped = rejects.group_by("dataset", "column_name", "check_name").aggregate(
        rows=_.count(),
        first_row=_.row_number.min(),
        **{name: _[name].argmin(_.row_number) for name in ("value", *more)},
    )
    return grouped.order_by("dataset", _.rows.desc(), "column_name", "check_name")
