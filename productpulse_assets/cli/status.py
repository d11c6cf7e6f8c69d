"""`productpulse status`: the published snapshot and the last run."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import click

from productpulse_assets.cli.options import home_option, open_snapshot, read_settings

if TYPE_CHECKING:
    from resources.home import Home


@click.command(short_help="Show the snapshot, the last run, failing checks, rows.")
@home_option
def status(home: Path | None) -> None:
    """Show the age of the snapshot, the last run, the checks that fail and the number of rows of every table."""
    settings = read_settings(home=home)
    from productpulse_assets.cli.snapshot_status import row_lines, snapshot_lines

    with open_snapshot(settings.home) as snapshot:
        head, rows = list(snapshot_lines(snapshot, dt.datetime.now())), list(row_lines(snapshot))
    for line in (*head, *_last_run(settings.home), *rows):
        click.echo(line)


def _last_run(home: Home) -> Iterator[str]:
    """The last run of the event log; without an event log, Dagster is not imported."""
    if not (home.dagster_home / "history").is_dir():
        yield "Last run: none is recorded."
        return
    from productpulse_assets.orchestration.last_run import last_run_lines

    yield from last_run_lines(home)
