"""`productpulse dev`: Dagster's UI, schedule and sensor on 127.0.0.1."""

from __future__ import annotations

from pathlib import Path

import click

from productpulse_assets.cli.options import (
    as_of_option,
    data_option,
    home_option,
    read_settings,
    rules_option,
    writable_home,
)


@click.command(short_help="Open Dagster's UI on 127.0.0.1.")
@click.option("--port", type=click.IntRange(1, 65535), default=3000, show_default=True)
@data_option
@as_of_option
@rules_option
@home_option
def dev(port: int, data: Path | None, as_of: str | None, rules: Path | None, home: Path | None) -> None:
    """Open Dagster's UI on 127.0.0.1 with schedule and sensor, and keep its history in the home."""
    settings = read_settings(data=data, as_of=as_of, rules=rules, home=home)
    from productpulse_assets.orchestration.services import run_services
    from resources.dagster_home import prepare_dagster_home

    prepare_dagster_home(writable_home(settings))
    click.echo(f"Dagster's UI is starting at http://127.0.0.1:{port}; Ctrl-C ends it.", err=True)
    run_services(settings, port)
