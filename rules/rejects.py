"""Rejected rows by the rule that they break: for the gate, the reports and the pages."""

import ibis
import ibis.expr.types as ir
from ibis import _

ALIASED = ("allowed_values", "parses_as_boolean")
"""The rules that are broken by a word which only the source uses; an alias can give its meaning."""

IGNORED_STATUS = "ignored_status"
"""The rule of rows that are left out because of their status, as an alias says."""
LEFT_OUT = "left_out"
"""The rule of rows that a query leaves out: its column with the reason, and the name of the rule."""


def source_row(rejects: ir.Table) -> ir.StringValue:
    """The row of a source that each reject is about: its file, its number and its key.

    Several periods of an export in another shape may begin in one row.
    """
    place = rejects.source_file + "|" + rejects.row_number.cast("string")
    return place + "|" + rejects.row_key.fill_null("")


def reject_counts(rejects: ir.Table, *more: str) -> ir.Table:
    """One row per dataset, column and broken rule: the number of rows that break it, and the first of them.

    Within a dataset, the rule with the most rows comes first. `more` are further columns of the first row.
    """
    grouped = rejects.group_by("dataset", "column_name", "check_name").aggregate(
        rows=_.count(),
        first_row=_.row_number.min(),
        **{name: _[name].argmin(_.row_number) for name in ("value", *more)},
    )
    return grouped.order_by("dataset", _.rows.desc(), "column_name", "check_name")


def unknown_words(rejects: ir.Table) -> dict[str, dict[str, int]]:
    """By column: the words without an alias, each with its number of rows, the most frequent first."""
    return _value_counts(rejects.filter(_.check_name.isin(ALIASED), _.value.notnull()))


def left_out_reasons(rejects: ir.Table) -> dict[str, int]:
    """The reasons for which a query leaves rows out, each with its number of rows, the most frequent first."""
    return _value_counts(rejects.filter(_.check_name == LEFT_OUT).mutate(column_name=ibis.literal(""))).get("", {})


def _value_counts(rejects: ir.Table) -> dict[str, dict[str, int]]:
    """By column: each value with its number of rows, the most frequent first."""
    counts = rejects.group_by("column_name", "value").aggregate(rows=_.count())
    found: dict[str, dict[str, int]] = {}
    for row in counts.order_by("column_name", _.rows.desc(), "value").to_pyarrow().to_pylist():
        found.setdefault(row["column_name"], {})[row["value"]] = row["rows"]
    return found
