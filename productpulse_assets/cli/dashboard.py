"""`productpulse dashboard`: the pages on 127.0.0.1."""

from __future__ import annotations

import os
import sys
from pathlib import Path

import click

from productpulse_assets.cli.options import home_option, read_settings, rules_option


@click.command(short_help="Open the dashboard on 127.0.0.1.")
@click.option("--port", type=click.IntRange(1, 65535), default=8501, show_default=True)
@rules_option
@home_option
def dashboard(port: int, rules: Path | None, home: Path | None) -> None:
    """Open the dashboard on 127.0.0.1. It shows the published snapshot, and each new one without a restart."""
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
