"""What `run` prints at its end: row counts, headline metrics, the most urgent actions, and where the files are."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import ibis

from asset_checks.contracts import DATASETS
from asset_checks.validation_gate import reject_reasons
from productpulse_assets.cli.validation_summary import count_rejected_rows
from resources.duckdb_connection import open_read_only
from resources.home import Home
from resources.tables import count_of, rows_of
from rules.rule_set import Rules
from rules.text.formats import action_money, period_text

ACTIONS_LISTED = 3
HEADLINE_METRICS = ("monthly_recurring_revenue", "net_new_revenue", "customer_churn_rate")


def run_lines(home: Home, rules: Rules) -> Iterator[str]:
    """The summary at the end of a run that succeeded: what is published, and where."""
    backend = open_read_only(home.published)
    rows = {name: count_of(backend.table(name)) for name in DATASETS}
    rejected = {name: count_rejected_rows(backend, name) for name in DATASETS}
    as_of = rows_of(backend.table("calendar"))[0]["as_of_date"]
    yield f"As of {as_of}: {sum(rows.values()):,} rows kept, {sum(rejected.values()):,} rejected."
    for name, count in rejected.items():
        if count:
            reasons = reject_reasons(backend.table(f"{name}_rejects")) or "The query in sources.yaml leaves them out."
            yield f"  {name}: {count:,} rejected. {reasons}"
    absent = [name for name in DATASETS if not rows[name]]
    if absent:
        yield f"Not available: {', '.join(absent)}."
    summary = {row["metric_name"]: row for row in rows_of(backend.table("kpi_summary"))}
    for name in HEADLINE_METRICS:
        if name in summary:
            row = summary[name]
            text = row["explanation"] if row["value"] is not None else row["not_available_reason"]
            yield f"  {row['label']}, {period_text(row['period_start'], row['period_end'])}: {text}"
    yield from action_lines(backend, rules.currency)
    yield f"Reports:   {home.reports}"
    yield f"Snapshot:  {home.published}"
    yield f"Exports:   {home.exports}"


def action_lines(backend: ibis.BaseBackend, currency: str) -> Iterator[str]:
    """The most urgent interventions, and the command that explains the first."""
    first = rows_of(backend.table("intervention_plan").order_by("priority_rank").limit(ACTIONS_LISTED))
    yield "The most urgent actions:" if first else "Nothing in the data asks for an intervention."
    for row in first:
        value = action_money(row, currency)
        yield f"  {row['priority_rank']}. {row['recommendation_title']} ({value}; {row['suggested_owner']})"
    if first:
        yield f"  Why? productpulse explain {first[0]['customer_id']}"


def written_at(path: Path) -> int | None:
    """When a file was written, in nanoseconds; None if there is no file."""
    return path.stat().st_mtime_ns if path.exists() else None


def snapshot_after_failure(published: Path, before: int | None) -> str:
    """What readers see after a run that failed; the run may have published a snapshot before it failed."""
    if written_at(published) != before:
        return "The new snapshot was published before this error."
    return "The published snapshot has not changed." if before else "Nothing was published."
