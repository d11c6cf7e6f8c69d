"""`productpulse generate`: the exports of a simulated company."""

from __future__ import annotations

from pathlib import Path
from typing import Literal

import click

from productpulse_assets.cli.options import folder, home_option, read_settings, writable_home

# A copy of the names in productpulse_assets.synthetic, which takes a second to import.
BILLING_NAMES = (
    *("anniversary", "calendar", "net-30", "annual-invoices", "unused-time-credit", "single-invoice", "retries"),
    *("seat-changes", "refund-rebill", "prepaid", "two-currencies", "migration", "mixed"),
)


@click.command(short_help="Write a simulated company's exports.")
@click.option("--customers", type=click.IntRange(1), default=1000, show_default=True)
@click.option("--months", type=click.IntRange(1), default=24, show_default=True)
@click.option("--seed", type=click.IntRange(0), default=42, show_default=True)
@click.option("--as-of", metavar="DATE", default="2026-06-30", show_default=True, help="The last day of the exports.")
@click.option(
    "--billing",
    metavar="STYLE",
    type=click.Choice(BILLING_NAMES),
    default="anniversary",
    show_default=True,
    help=f"How customers are billed and pay: {', '.join(BILLING_NAMES)}.",
)
@click.option("--losses/--no-losses", default=True, show_default=True, help="Whether revenue is lost.")
@click.option("--out", type=folder, help="Folder for the files; without it, the demo company's folder in the home.")
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
    file_format: Literal["csv", "parquet"],
    home: Path | None,
) -> None:
    """Write a simulated SaaS company's exports; the same arguments give the same bytes."""
    settings = read_settings(home=home)
    from productpulse_assets.sources.demo import generate as write_exports
    from productpulse_assets.synthetic import CompanyPlan
    from resources.run_lock import run_lock
    from resources.settings import parse_as_of

    last_day = parse_as_of(as_of) or CompanyPlan().as_of
    plan = CompanyPlan(customers, months, seed, last_day, billing=billing, losses=losses)
    if out:
        target, rows = out, write_exports(plan, out, file_format)
    else:
        target = writable_home(settings).synthetic
        # A run reads these files, so they are written while no run is active.
        with run_lock(settings.home, settings.wait, notify=lambda message: click.echo(message, err=True)):
            rows = write_exports(plan, target, file_format)
    for name, count in rows.items():
        click.echo(f"{name:<22} {count:>12,} rows")
    click.echo(f"Written to {target}.")
