"""What a run reads: a company to try it on, and a look at exports before anything runs."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import click

from productpulse_assets.cli.options import (
    DONE,
    STOPPED,
    complain,
    data_option,
    end,
    folder,
    home_option,
    load_definitions,
    read_rules,
    read_settings,
    rules_option,
    writable_home,
)

if TYPE_CHECKING:
    from productpulse_assets.synthetic.write import FileFormat
    from resources.home import Home
    from resources.settings import Settings

NO_TELEMETRY = {"telemetry": {"enabled": False}}
"""Settings of a Dagster instance that has no file of them."""

# The names in productpulse_assets.synthetic, which takes a second to import.
BILLING_NAMES = (
    *("anniversary", "calendar", "net-30", "annual-invoices", "unused-time-credit", "single-invoice", "retries"),
    *("seat-changes", "refund-rebill", "prepaid", "two-currencies", "migration", "mixed"),
)


@click.command(short_help="Write a simulated company's exports.")
@click.option("--customers", type=click.IntRange(1), default=1000, show_default=True)
@click.option("--months", type=click.IntRange(1), default=24, show_default=True)
@click.option("--seed", type=click.IntRange(0), default=42, show_default=True)
@click.option("--as-of", metavar="DATE", default="2026-06-30", show_default=True, help="The last day of the demo.")
@click.option(
    "--billing",
    metavar="STYLE",
    type=click.Choice(BILLING_NAMES),
    default="anniversary",
    show_default=True,
    help=f"How customers are billed and pay: {', '.join(BILLING_NAMES)}.",
)
@click.option("--losses/--no-losses", default=True, show_default=True, help="Whether revenue is lost.")
@click.option("--out", type=folder, help="Folder for the files; without it, the demo's own.")
@click.option("--format", "file_format", type=click.Choice(["csv", "parquet"]), default="csv", show_default=True)
@home_option
def generate(
    customers: int,
    months: int,
    seed: int,
    as_of: str,
    billing: str,
    losses: bool,
    out: Path | None,
    file_format: FileFormat,
    home: Path | None,
) -> None:
    """Write a simulated SaaS company's exports: the same arguments, the same bytes."""
    settings = read_settings(home=home)
    from productpulse_assets.sources.demo import generate as write
    from productpulse_assets.synthetic import CompanyPlan
    from resources.settings import parse_as_of

    last_day = parse_as_of(as_of) or CompanyPlan.as_of
    plan = CompanyPlan(customers, months, seed, last_day, billing=billing, losses=losses)
    if out:
        target, rows = out, write(plan, out, file_format)
    else:
        target = writable_home(settings).synthetic
        with _own_turn(settings):  # a run reads these files
            rows = write(plan, target, file_format)
    for name, count in rows.items():
        click.echo(f"{name:<22} {count:>12,} rows")
    click.echo(f"Written to {target}.")


@contextmanager
def _own_turn(settings: Settings) -> Iterator[None]:
    """While no run is at work in the home; ends the command with 1 if one does not end."""
    from resources.run_lock import HomeBusy, turn

    try:
        with turn(settings.home, settings.wait, say=lambda text: click.echo(text, err=True)):
            yield
    except HomeBusy as problem:
        end(str(problem), STOPPED)


@click.command(short_help="Say what of the exports would be rejected, and why.")
@data_option
@rules_option
@home_option
def validate(data: Path | None, rules: Path | None, home: Path | None) -> None:
    """Read the exports and check them; say what would be rejected and why, and change nothing."""
    settings = read_settings(data=data, rules=rules, home=home)
    from resources.run_lock import throwaway_home

    with throwaway_home(settings.home) as place:
        problems = _validate(settings.model_copy(update={"home": place}), plan_home=settings.home)
    for problem in problems:
        complain(problem)
    raise SystemExit(STOPPED if problems else DONE)


def _validate(settings: Settings, plan_home: Home) -> list[str]:
    """Read every source into a store of its own, tell what is in it, and return what would stop a run."""
    defs, rules, place = load_definitions(settings, plan_home), read_rules(settings), settings.home
    import dagster as dg

    from productpulse_assets.cli import run_summary as telling
    from productpulse_assets.cli.unread_files import unread_lines
    from productpulse_assets.orchestration import execution as running
    from productpulse_assets.sources.assets import VALIDATION
    from resources.duckdb_connection import open_read_only

    job = defs.resolve_job_def(VALIDATION)
    with dg.DagsterInstance.ephemeral(str(place.dagster_home), settings=NO_TELEMETRY) as instance:
        outcome = running.execute(job, instance, place, lambda event: None)
    # Each dataset is read, whatever is wrong with another: what would stop a run is a warning here.
    problems = sorted(outcome.warnings) if outcome.succeeded else outcome.failed_checks + outcome.errors
    if outcome.succeeded:
        backend = open_read_only(place.warehouse)
        for row in telling.rows_of(backend.table("source_inventory").order_by("dataset")):
            for line in telling.validation_lines(backend, row):
                click.echo(rules.with_folder(line))
    for line in unread_lines(settings, rules):
        click.echo(rules.with_folder(line))
    if not problems:
        click.echo("Every dataset passes the gate.")
    return [rules.with_folder(problem) for problem in problems]
