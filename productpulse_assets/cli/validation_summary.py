"""What `validate` prints: by dataset, the rows that would be kept and rejected, and why."""

from __future__ import annotations

from collections.abc import Iterator

import ibis
import ibis.expr.types as ir

from asset_checks.contracts import CONTRACTS
from asset_checks.row_rules import HINTS, alias_advice
from resources.published_snapshot import Row
from resources.tables import count_of, rows_of
from rules.rejects import ALIASED, LEFT_OUT, left_out_reasons, reject_counts, source_row, unknown_words
from rules.text.formats import NAME_LIMIT, printable_line

VALUES_LISTED = 20
"""Values of a column, which the contract does not accept, that are listed at most."""


def count_rejected_rows(backend: ibis.BaseBackend, dataset: str) -> int:
    """The number of rejected rows of a dataset; a row that breaks several rules counts once."""
    table = backend.table(f"{dataset}_rejects")
    return int(source_row(table).nunique().execute())


def validation_lines(backend: ibis.BaseBackend) -> Iterator[str]:
    """For each dataset, the number of rows kept and rejected, the reasons and the absent columns."""
    for source in rows_of(backend.table("source_inventory").order_by("dataset")):
        yield from _dataset_lines(backend, source)


def _dataset_lines(backend: ibis.BaseBackend, row: Row) -> Iterator[str]:
    """The lines of one dataset; `row` is its row of source_inventory."""
    name = row["dataset"]
    if not row["is_available"]:
        yield f"{name}: not available."
        return
    kept, rejected = count_of(backend.table(name)), count_rejected_rows(backend, name)
    yield f"{name}: {kept + rejected:,} rows in {row['source']}, {kept:,} kept, {rejected:,} rejected."
    if rejected:
        yield from (f"  {line}" for line in _reject_lines(backend, name))
    if row["columns_absent"]:
        yield f"  Optional columns that are absent: {row['columns_absent']}."


def _reject_lines(backend: ibis.BaseBackend, dataset: str) -> Iterator[str]:
    """One line per broken rule, the most frequent first, with the first row that breaks it."""
    schema, rejects = CONTRACTS[dataset], backend.table(f"{dataset}_rejects")
    errors = {(name, check.name): check.error for name, column in schema.columns.items() for check in column.checks}
    row_errors = {check.name: check.error for check in schema.checks}
    unknown_values = unknown_words(rejects)
    for row in rows_of(reject_counts(rejects)):
        column, check = row["column_name"], row["check_name"]
        value = "empty" if row["value"] is None else f"'{printable_line(row['value'])}'"
        error = errors.get((column, check), row_errors.get(check))
        why = f" ({error})" if error else ""
        is_aliased = check in ALIASED and column in unknown_values
        hint = _value_advice(dataset, column, unknown_values[column]) if is_aliased else HINTS.get(check)
        place = f"in {row['rows']:,} rows, first in row {row['first_row']}"
        if check == LEFT_OUT:
            yield from _left_out_lines(rejects)
            continue
        yield f"{column or 'line'}: {check}{why} {place}: {value}{f'. {hint}' if hint else ''}"


def _left_out_lines(rejects: ir.Table) -> Iterator[str]:
    """One line per reason for which the query leaves rows out."""
    for reason, rows in left_out_reasons(rejects).items():
        yield f"left out by the query in {rows:,} rows: {printable_line(reason)}"


def _value_advice(dataset: str, column: str, counts: dict[str, int]) -> str:
    """The values that the column does not accept, with their row counts, and what to do about them."""
    counted = [
        f"'{printable_line(value, NAME_LIMIT)}' ({rows:,})" for value, rows in list(counts.items())[:VALUES_LISTED]
    ]
    more = f" and {len(counts) - VALUES_LISTED:,} more" if len(counts) > VALUES_LISTED else ""
    advice = alias_advice(dataset, column, list(counts))
    return f"Found: {', '.join(counted)}{more}. Fix the export, or {advice}."
