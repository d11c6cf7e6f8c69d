"""Running the graph."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from productpulse_assets.cli.options import (
    STOPPED,
    as_of_option,
    complain,
    data_option,
    home_option,
    load_definitions,
    misused,
    read_rules,
    read_settings,
    rules_option,
    writable_home,
)

if TYPE_CHECKING:
    from productpulse_assets.orchestration.execution import Outcome
    from resources.settings import Settings
    from rules.rule_set import Rules


@click.command(short_help="Read, check, compute, report and publish.")
@data_option
@as_of_option
@click.option("--select", metavar="SELECTION", help="Only these assets, in Dagster's words, e.g. 'kpi_summary+'.")
@click.option("--force", is_flag=True, help="Run even if nothing has changed, or the as-of date lies far ahead.")
@click.option(
    "--wait",
    metavar="SECONDS",
    envvar="PRODUCTPULSE_WAIT",
    show_envvar=True,
    help="How long to wait for another run of the same home; 600 by default.",
)
@rules_option
@home_option
def run(select: str | None, force: bool, **given: object) -> None:
    """Run the graph: read the exports, check them, compute, report and publish.

    When files, rules and as-of date are those of the snapshot, there is nothing to do, and nothing is done.
    """
    settings = read_settings(**given)
    may_skip = not (select or force)
    if may_skip and _skipped(settings):
        return
    defs = load_definitions(settings)
    from productpulse_assets.cli.run_summary import snapshot_after_failure, written_at
    from productpulse_assets.facts.calendar import FORCED
    from productpulse_assets.orchestration import execution as running
    from productpulse_assets.orchestration.progress import progress
    from productpulse_assets.orchestration.system_errors import MachineFault
    from resources.run_lock import HomeBusy

    job, place = _job(defs, select), writable_home(settings)
    before, waited = written_at(place.published), []

    def say(text: str) -> None:
        waited.append(text)
        click.echo(text, err=True)

    try:
        with running.exclusive_instance(settings, say) as instance:
            # The run that this one waited for may have done the work.
            if waited and may_skip and _skipped(settings):
                return
            if select and (problem := running.as_of_problem(job, settings)):
                misused(problem)
            with progress(len(job.asset_layer.selected_asset_keys)) as follow:
                outcome = running.execute(job, instance, place, follow, {FORCED: "true"} if force else {})
    except (HomeBusy, MachineFault) as problem:
        outcome = running.Outcome(errors=[str(problem)])
    _conclude(outcome, snapshot_after_failure(place.published, before), read_rules(settings))
    if not select:
        _tell(settings)


def _conclude(outcome: Outcome, snapshot: str, rules: Rules) -> None:
    """What came of the run; ends the command with 1 if it failed, with what became of the snapshot."""
    from rules.text.formats import escape_invisible

    for warning in outcome.warnings:
        click.echo(escape_invisible(rules.with_folder(f"Warning: {warning}"), keep="\n"))
    if not outcome.succeeded:
        for problem in [*outcome.failed_checks, *outcome.errors, snapshot]:
            complain(rules.with_folder(problem))
        raise SystemExit(STOPPED)
    checks = f"Warnings: {len(outcome.warnings)}, above." if outcome.warnings else "Every check passed."
    made = f"{outcome.assets} asset{'' if outcome.assets == 1 else 's'}"
    click.echo(f"Done: {made} in {outcome.seconds:.1f} s. {checks}")


def _skipped(settings: Settings) -> bool:
    """Whether there is nothing to do; says so, and what is published."""
    from productpulse_assets.orchestration.skip_unchanged import nothing_new

    said = nothing_new(settings)
    if said:
        click.echo(f"{said} --force runs it all the same.")
        _tell(settings)
    return bool(said)


def _tell(settings: Settings) -> None:
    """The closing summary: what is published, and where."""
    from productpulse_assets.cli.run_summary import run_lines

    for line in run_lines(settings.home, read_rules(settings)):
        click.echo(line)


def _job(defs, select: str | None):
    import dagster as dg

    from productpulse_assets.orchestration.execution import selected_job

    try:
        return selected_job(defs, select)
    except dg.DagsterError as error:
        reason = str(error.__cause__ or error).splitlines()[0]
        return misused(f"The selection '{select}' does not fit the graph: {reason}")
