"""Running the graph."""

from __future__ import annotations

from pathlib import Path

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


@click.command()
@data_option
@as_of_option
@click.option("--select", metavar="SELECTION", help="Only these assets, in Dagster's words, e.g. 'kpi_summary+'.")
@rules_option
@home_option
def run(data: Path | None, as_of: str | None, select: str | None, rules: Path | None, home: Path | None) -> None:
    """Run the graph: read the exports, check them, compute, report and publish."""
    settle(data=data, as_of=as_of, rules=rules, home=home)
    defs = load_definitions()
    from productpulse_assets import running, telling

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
        for line in telling.run_lines(place):
            click.echo(line)


def _job(defs, select: str | None):
    import dagster as dg

    from productpulse_assets.running import selected_job

    try:
        return selected_job(defs, select)
    except dg.DagsterError as error:
        reason = str(error.__cause__ or error).splitlines()[0]
        return misused(f"The selection '{select}' does not fit the graph: {reason}")
