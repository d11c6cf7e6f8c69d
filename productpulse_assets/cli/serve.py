"""Pages on 127.0.0.1."""

from __future__ import annotations

import os
import sys
from pathlib import Path

import click

from productpulse_assets.cli.options import (
    STOPPED,
    as_of_option,
    data_option,
    end,
    home_option,
    read_settings,
    rules_option,
    writable_home,
)


@click.command(short_help="Open the dashboard on 127.0.0.1.")
@click.option("--port", type=click.IntRange(1, 65535), default=8501, show_default=True)
@rules_option
@home_option
def dashboard(port: int, rules: Path | None, home: Path | None) -> None:
    """Open the dashboard on 127.0.0.1; it shows the published snapshot, and a new one by itself."""
    settings = read_settings(rules=rules, home=home)
    from importlib.resources import files

    from resources.own_address import LOCAL_HOSTS

    settings = settings.model_copy(update={"snapshot": settings.home.published})
    script = files("dashboard") / "server.py"
    click.echo(f"The dashboard is at http://127.0.0.1:{port}", err=True)
    command = [sys.executable, "-m", "streamlit", "run", str(script), "--server.port", str(port)]
    for name in (*LOCAL_HOSTS, *settings.allowed_hosts):
        command += ["--server.allowedHosts", name]
    os.execve(sys.executable, command, settings.environment())


@click.command(short_help="Open Dagster's UI on 127.0.0.1.")
@click.option("--port", type=click.IntRange(1, 65535), default=3000, show_default=True)
@data_option
@as_of_option
@rules_option
@home_option
def dev(port: int, data: Path | None, as_of: str | None, rules: Path | None, home: Path | None) -> None:
    """Open Dagster's UI on 127.0.0.1, with a history that lasts."""
    settings = read_settings(data=data, as_of=as_of, rules=rules, home=home)
    from productpulse_assets.orchestration.execution import prepare_dagster_home
    from productpulse_assets.orchestration.services import ServiceEnded, run_services

    prepare_dagster_home(writable_home(settings))
    click.echo(f"Dagster's UI is starting at http://127.0.0.1:{port}; Ctrl-C ends it.", err=True)
    try:
        run_services(settings, port)
    except ServiceEnded as problem:
        end(str(problem), STOPPED)
