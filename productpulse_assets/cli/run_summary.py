"""What the command line says about a run, the store and the sources."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import ibis

from asset_checks.contracts import CONTRACTS, DATASETS
from asset_checks.row_rules import HINTS, alias_advice
from asset_checks.validation_gate import reject_reasons
from resources.duckdb_connection import open_read_only
from resources.home import Home
from resources.tables import rows_of
from rules.rejects import ALIASED, reject_counts, unknown_words
from rules.rule_set import Rules
from rules.text.formats import NAME_LIMIT, money, period_text, printable_line

ACTIONS, WORDS = 3, 20
"""Interventions, and words of a column that no alias explains, that are listed at most."""

HEADLINES = ("monthly_recurring_revenue", "net_new_revenue", "customer_churn_rate")


def rejected_rows(backend: ibis.BaseBackend, dataset: str) -> int:
    """How many rows of a dataset were rejected, each counted once."""
    table = backend.table(f"{dataset}_rejects")
    return int(table.select("source_file", "row_number").distinct().count().execute())


def run_lines(home: Home, rules: Rules) -> Iterator[str]:
    """The closing summary of a good run."""
    backend = open_read_only(home.published)
    rows = {name: int(backend.table(name).count().execute()) for name in DATASETS}
    rejected = {name: rejected_rows(backend, name) for name in DATASETS}
    as_of = rows_of(backend.table("calendar"))[0]["as_of_date"]
    yield f"As of {as_of}: {sum(rows.values()):,} rows kept, {sum(rejected.values()):,} rejected."
    for name, count in rejected.items():
        if count:
            yield f"  {name}: {count:,} rejected. {reject_reasons(backend.table(f'{name}_rejects'))}"
    absent = [name for name in DATASETS if not rows[name]]
    if absent:
        yield f"Not available: {', '.join(absent)}."
    summary = {row["metric_name"]: row for row in rows_of(backend.table("kpi_summary"))}
    for name in HEADLINES:
        if name in summary:
            row = summary[name]
            said = row["explanation"] if row["value"] is not None else row["not_available_reason"]
            yield f"  {row['label']}, {period_text(row['period_start'], row['period_end'])}: {said}"
    yield from action_lines(backend, rules.currency)
    yield f"Reports:   {home.reports}"
    yield f"Snapshot:  {home.published}"
    yield f"Exports:   {home.exports}"


def action_lines(backend: ibis.BaseBackend, currency: str) -> Iterator[str]:
    """The most urgent interventions, and how to see what each rests on."""
    first = rows_of(backend.table("intervention_plan").order_by("priority_rank").limit(ACTIONS))
    yield "First of all:" if first else "Nothing in the data asks for an intervention."
    for row in first:
        impact = money(row["estimated_revenue_impact"], currency)
        yield f"  {row['priority_rank']}. {row['recommendation_title']} ({impact}; {row['suggested_owner']})"
    if first:
        yield f"  Why? productpulse explain {first[0]['customer_id']}"


def validation_lines(backend: ibis.BaseBackend, row: dict[str, object]) -> Iterator[str]:
    """What was read of a dataset, what would be rejected and why; `row` is its inventory."""
    name = row["dataset"]
    if not row["is_available"]:
        yield f"{name}: not available."
        return
    kept, rejected = int(backend.table(name).count().execute()), rejected_rows(backend, name)
    yield f"{name}: {kept + rejected:,} rows in {row['source']}, {kept:,} kept, {rejected:,} rejected."
    if rejected:
        yield from (f"  {line}" for line in reject_lines(backend, name))
    if row["columns_absent"]:
        yield f"  Optional columns that are absent: {row['columns_absent']}."


def reject_lines(backend: ibis.BaseBackend, dataset: str) -> Iterator[str]:
    """One line per rule broken, commonest first, with the first row that broke it."""
    schema, rejects = CONTRACTS[dataset], backend.table(f"{dataset}_rejects")
    errors = {(name, check.name): check.error for name, column in schema.columns.items() for check in column.checks}
    of_rows = {check.name: check.error for check in schema.checks}
    words = unknown_words(rejects)
    for row in rows_of(reject_counts(rejects)):
        column, check = row["column_name"], row["check_name"]
        value = "empty" if row["value"] is None else f"'{printable_line(row['value'])}'"
        error = errors.get((column, check), of_rows.get(check))
        why = f" ({error})" if error else ""
        hint = _words(dataset, column, words[column]) if check in ALIASED and column in words else HINTS.get(check)
        place = f"in {row['rows']:,} rows, first in row {row['first_row']}"
        yield f"{column or 'line'}: {check}{why} {place}: {value}{f'. {hint}' if hint else ''}"


def _words(dataset: str, column: str, counts: dict[str, int]) -> str:
    """The words that a column has and no alias explains, and what to do about them."""
    counted = [f"'{printable_line(value, NAME_LIMIT)}' ({rows:,})" for value, rows in list(counts.items())[:WORDS]]
    more = f" and {len(counts) - WORDS:,} more" if len(counts) > WORDS else ""
    advice = alias_advice(dataset, column, list(counts))
    return f"Found: {', '.join(counted)}{more}. Mend the export, or {advice}."


def written_at(path: Path) -> int | None:
    """When a file was written, in nanoseconds, if it is there."""
    return path.stat().st_mtime_ns if path.exists() else None


def snapshot_after_failure(published: Path, before: int | None) -> str:
    """What readers see after a run that failed, which may have been after it published."""
    if written_at(published) != before:
        return "The snapshot was published before that: it is new."
    return "The published snapshot is as it was." if before else "Nothing was published."
