"""`productpulse validate`: reads and checks the exports, and changes nothing."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from productpulse_assets.cli.errors import DONE, STOPPED, print_error
from productpulse_assets.cli.options import data_option, home_option, read_settings, rules_option

if TYPE_CHECKING:
    from resources.home import Home
    from resources.settings import Settings

NO_TELEMETRY = {"telemetry": {"enabled": False}}
"""Settings of a Dagster instance that has no settings file."""


@click.command(short_help="Show which rows would be rejected, and why.")
@data_option
@rules_option
@home_option
def validate(data: Path | None, rules: Path | None, home: Path | None) -> None:
    """Read and check the exports, show which rows would be rejected and why, and change nothing."""
    settings = read_settings(data=data, rules=rules, home=home)
    raise SystemExit(print_validation(settings))


def print_validation(settings: Settings) -> int:
    """Print which rows would be rejected, and why; returns the exit status, STOPPED if a run would stop."""
    from resources.run_lock import throwaway_home

    with throwaway_home(settings.home) as temporary_home:
        problems = _check_sources(settings.model_copy(update={"home": temporary_home}), plan_home=settings.home)
    for problem in problems:
        print_error(problem)
    return STOPPED if problems else DONE


def _check_sources(settings: Settings, plan_home: Home) -> list[str]:
    """Read every source into a temporary home and print its counts; returns the problems that would stop a run.

    `plan_home` is the home with the compiled plan, so that the graph is not compiled again.
    """
    from productpulse_assets.definitions import build
    from rules.rule_set import read_rules

    definitions, rules = build(settings, plan_home), read_rules(settings.rules_dir)
    import dagster as dg

    from productpulse_assets.cli.unread_files import unread_lines
    from productpulse_assets.cli.validation_summary import validation_lines
    from productpulse_assets.orchestration import execution
    from productpulse_assets.sources.assets import VALIDATION
    from resources.duckdb_connection import open_read_only
    from rules.text.formats import escape_invisible

    job = definitions.resolve_job_def(VALIDATION)
    with dg.DagsterInstance.ephemeral(str(settings.home.dagster_home), settings=NO_TELEMETRY) as instance:
        outcome = execution.execute(job, instance, settings.home, lambda event: None)
    # In this job a failed gate does not stop, so that every dataset is read even if another one fails.
    problems = sorted(outcome.failed_checks) if outcome.succeeded else outcome.failed_checks + outcome.errors
    lines = list(validation_lines(open_read_only(settings.home.warehouse))) if outcome.succeeded else []
    for line in [*lines, *unread_lines(settings, rules)]:
        click.echo(rules.with_folder(line))
    for warning in sorted(outcome.warnings):
        click.echo(escape_invisible(rules.with_folder(f"Warning: {warning}"), keep="\n"))
    if not problems:
        click.echo("Every dataset passes the gate.")
    return [rules.with_folder(problem) for problem in problems]
