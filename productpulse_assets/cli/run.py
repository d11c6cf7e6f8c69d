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
@click.option("--wait", metavar="SECONDS", help="How long to wait for another run of the same home; 600 by default.")
@rules_option
@home_option
def run(
    data: Path | None, as_of: str | None, select: str | None, wait: str | None, rules: Path | None, home: Path | None
) -> None:
    """Run the graph: read the exports, check them, compute, report and publish."""
    settle(data=data, as_of=as_of, wait=wait, rules=rules, home=home)
    defs = load_definitions()
    from productpulse_assets import running, telling
    from productpulse_assets.faults import MachineFault
    from resources.turns import HomeBusy

    job, place = _job(defs, select), writable_home()
    before = telling.written_at(place.published)
    try:
        with running.undisturbed(place, say=lambda text: click.echo(text, err=True)) as instance:
            _work(job, instance, place, is_whole=not select)
    except (HomeBusy, MachineFault) as problem:
        click.echo(str(problem), err=True)
        click.echo(telling.snapshot_after_failure(place.published, before), err=True)
        raise SystemExit(STOPPED) from problem


def _work(job, instance, place, *, is_whole: bool) -> None:
    from productpulse_assets import running, telling

    before = telling.written_at(place.published)
    with running.progress(len(job.nodes)) as follow:
        outcome = running.execute(job, instance, place, follow)
    for warning in outcome.warnings:
        click.echo(f"Warning: {warning}")
    if not outcome.succeeded:
        for problem in outcome.failed_checks + outcome.errors:
            click.echo(problem, err=True)
        click.echo(telling.snapshot_after_failure(place.published, before), err=True)
        raise SystemExit(STOPPED)
    click.echo(f"Done: {outcome.steps} steps in {outcome.seconds:.1f} s.")
    if is_whole:
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
