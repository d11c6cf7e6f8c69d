"""Pages on 127.0.0.1."""

from __future__ import annotations

import os
import sys
from pathlib import Path

import click

from productpulse_assets.cli.options import as_of_option, data_option, home_option, rules_option, settle, writable_home


@click.command(short_help="Open the dashboard on 127.0.0.1.")
@click.option("--port", type=click.IntRange(1, 65535), default=8501, show_default=True)
@rules_option
@home_option
def dashboard(port: int, rules: Path | None, home: Path | None) -> None:
    """Open the dashboard on 127.0.0.1; it shows the published snapshot, and a new one by itself."""
    settle(rules=rules, home=home)
    from importlib.resources import files

    from resources.home import Home, default_home

    os.environ["PRODUCTPULSE_SNAPSHOT"] = str(Home(default_home()).published)
    script = files("dashboard") / "app.py"
    click.echo(f"The dashboard is at http://127.0.0.1:{port}", err=True)
    os.execv(sys.executable, [sys.executable, "-m", "streamlit", "run", str(script), "--server.port", str(port)])


@click.command(short_help="Open Dagster's UI on 127.0.0.1.")
@click.option("--port", type=click.IntRange(1, 65535), default=3000, show_default=True)
@data_option
@as_of_option
@rules_option
@home_option
def dev(port: int, data: Path | None, as_of: str | None, rules: Path | None, home: Path | None) -> None:
    """Open Dagster's UI on 127.0.0.1, with a history that lasts."""
    settle(data=data, as_of=as_of, rules=rules, home=home)
    from productpulse_assets.orchestration.execution import prepare_dagster_home

    prepare_dagster_home(writable_home())
    command = [sys.executable, "-m", "dagster", "dev", "-m", "productpulse_assets.definitions"]
    os.execv(sys.executable, [*command, "--host", "127.0.0.1", "--port", str(port)])
