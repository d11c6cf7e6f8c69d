"""Rejected rows by the rule that they broke: for the gate, the reports and the pages."""

import ibis.expr.types as ir
from ibis import _

ALIASED = ("allowed_values", "parses_as_boolean")
"""The rules that a word of the source's own breaks, where an alias can say what it means."""


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


def own_words(rejects: ir.Table) -> dict[str, dict[str, int]]:
    """By column: the words of the source that no alias explains and the rows that have each, the commonest first."""
    words = rejects.filter(_.check_name.isin(ALIASED), _.value.notnull())
    counts = words.group_by("column_name", "value").aggregate(rows=_.count())
    found: dict[str, dict[str, int]] = {}
    for row in counts.order_by("column_name", _.rows.desc(), "value").to_pyarrow().to_pylist():
        found.setdefault(row["column_name"], {})[row["value"]] = row["rows"]
    return found
