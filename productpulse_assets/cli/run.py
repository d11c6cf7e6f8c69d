"""Running the graph."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from productpulse_assets.cli.options import (
    STOPPED,
    as_of_option,
    data_option,
    home_option,
    load_definitions,
    misused,
    rules_option,
    settle,
    writable_home,
)

if TYPE_CHECKING:
    from resources.settings import Home


@click.command()
@data_option
@as_of_option
@click.option("--select", metavar="SELECTION", help="Only these assets, in Dagster's words, e.g. 'kpi_summary+'.")
@click.option("--force", is_flag=True, help="Run even if nothing has changed since the snapshot.")
@rules_option
@home_option
def run(
    data: Path | None, as_of: str | None, select: str | None, force: bool, rules: Path | None, home: Path | None
) -> None:
    """Run the graph: read the exports, check them, compute, report and publish.

    When files, rules and as-of date are those of the snapshot, there is nothing to do, and nothing is done.
    """
    settle(data=data, as_of=as_of, rules=rules, home=home)
    from productpulse_assets import running, telling
    from productpulse_assets.unchanged import nothing_new
    from resources.settings import RunSettings

    if not (select or force) and (said := nothing_new(RunSettings.from_environment())):
        click.echo(f"{said} --force runs it all the same.")
        _tell(writable_home())
        return
    defs = load_definitions()
    job, place = _job(defs, select), writable_home()
    before = telling.written_at(place.published)
    with running.lasting_instance(place) as instance, running.progress(len(job.nodes)) as follow:
        outcome = running.execute(job, instance, follow)
    for warning in outcome.warnings:
        click.echo(f"Warning: {warning}")
    if not outcome.succeeded:
        for problem in outcome.failed_checks + outcome.errors:
            click.echo(problem, err=True)
        click.echo(telling.snapshot_after_failure(place.published, before), err=True)
        raise SystemExit(STOPPED)
    click.echo(f"Done: {outcome.steps} steps in {outcome.seconds:.1f} s.")
    if not select:
        _tell(place)


def _tell(place: Home) -> None:
    """The closing summary: what is published, and where."""
    from productpulse_assets.telling import run_lines

    for line in run_lines(place):
        click.echo(line)


def _job(defs, select: str | None):
    import dagster as dg

    from productpulse_assets.running import selected_job

    try:
        return selected_job(defs, select)
    except dg.DagsterError as error:
        reason = str(error.__cause__ or error).splitlines()[0]
        return misused(f"The selection '{select}' does not fit the graph: {reason}")
