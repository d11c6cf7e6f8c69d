"""`productpulse run`: the whole graph, or a part of it."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from productpulse_assets.cli.errors import STOPPED, print_error
from productpulse_assets.cli.options import (
    as_of_option,
    data_option,
    home_option,
    read_settings,
    rules_option,
    writable_home,
)
from rules.text.errors import ProductPulseError

if TYPE_CHECKING:
    import dagster as dg

    from productpulse_assets.orchestration.execution import Outcome
    from resources.settings import Settings
    from rules.rule_set import Rules


@click.command(short_help="Read, check, compute, report and publish.")
@data_option
@as_of_option
@click.option("--select", metavar="SELECTION", help="Only these assets, as a Dagster selection: 'kpi_summary+'.")
@click.option("--force", is_flag=True, help="Run even if nothing has changed, or the as-of date is far ahead.")
@click.option(
    "--wait",
    metavar="SECONDS",
    envvar="PRODUCTPULSE_WAIT",
    show_envvar=True,
    help="How long to wait for another run of the same home; 600 by default.",
)
@rules_option
@home_option
def run(select: str | None, force: bool, **options: object) -> None:
    """Run the graph: read the exports, check them, compute, report and publish.

    A run is skipped if files, rules and as-of date are those of the published snapshot.
    """
    settings = read_settings(**options)
    may_skip = not (select or force)
    if may_skip and _skip_unchanged(settings):
        return
    from productpulse_assets.cli.run_summary import snapshot_after_failure, written_at
    from productpulse_assets.definitions import build
    from productpulse_assets.facts.calendar import FORCED
    from productpulse_assets.orchestration import execution
    from productpulse_assets.orchestration.progress import progress
    from productpulse_assets.orchestration.system_errors import MachineFault
    from resources.run_lock import HomeBusy
    from rules.rule_set import read_rules

    job, home = select_job(build(settings), select), writable_home(settings)
    published_before, messages = written_at(home.published), []

    def report_waiting(message: str) -> None:
        messages.append(message)
        click.echo(message, err=True)

    try:
        with execution.exclusive_instance(settings, report_waiting) as instance:
            # The run that this one waited for may have computed the same.
            if messages and may_skip and _skip_unchanged(settings):
                return
            if select and (problem := execution.as_of_problem(job, settings)):
                raise ProductPulseError("selection.other_as_of", problem)
            with progress(len(job.asset_layer.selected_asset_keys)) as follow:
                outcome = execution.execute(job, instance, home, follow, {FORCED: "true"} if force else {})
    except (HomeBusy, MachineFault) as error:
        outcome = execution.Outcome(errors=[str(error)])
    rules = read_rules(settings.rules_dir)
    _print_outcome(outcome, snapshot_after_failure(home.published, published_before), rules)
    if not select:
        _print_results(settings, rules)


def _print_outcome(outcome: Outcome, snapshot: str, rules: Rules) -> None:
    """Print warnings, errors and duration; a run that failed ends the command with 1 and the sentence `snapshot`."""
    from rules.text.formats import escape_invisible

    for warning in outcome.warnings:
        click.echo(escape_invisible(rules.with_folder(f"Warning: {warning}"), keep="\n"))
    if not outcome.succeeded:
        for problem in [*outcome.failed_checks, *outcome.errors, snapshot]:
            print_error(rules.with_folder(problem))
        raise SystemExit(STOPPED)
    checks = f"Warnings: {len(outcome.warnings)}, see above." if outcome.warnings else "Every check passed."
    assets = f"{outcome.assets} asset{'' if outcome.assets == 1 else 's'}"
    click.echo(f"Done: {assets} in {outcome.seconds:.1f} s. {checks}")


def _skip_unchanged(settings: Settings) -> bool:
    """Whether the run would change nothing; if so, print the reason and the published results."""
    from productpulse_assets.orchestration.skip_unchanged import skip_reason
    from rules.rule_set import read_rules

    reason = skip_reason(settings)
    if reason:
        click.echo(f"{reason} Use --force to run anyway.")
        _print_results(settings, read_rules(settings.rules_dir))
    return bool(reason)


def _print_results(settings: Settings, rules: Rules) -> None:
    """Print what is published, and where."""
    from productpulse_assets.cli.run_summary import run_lines

    for line in run_lines(settings.home, rules):
        click.echo(line)


def select_job(definitions: dg.Definitions, selection: str | None) -> dg.JobDefinition:
    """The job of the selected assets, of all without a selection; raises ProductPulseError for an invalid selection."""
    import dagster as dg

    from productpulse_assets.orchestration.execution import selected_job

    try:
        return selected_job(definitions, selection)
    except dg.DagsterError as error:
        reason = str(error.__cause__ or error).splitlines()[0]
        raise ProductPulseError("selection.invalid", f"The selection '{selection}' is not valid: {reason}") from error
