"""Looking at what is published: all of it, one metric, one customer. Nothing here starts Dagster but its history."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import click

from productpulse_assets.cli.options import STOPPED, end, home_option, misused, read_rules, read_settings, rules_option

if TYPE_CHECKING:
    from resources.home import Home
    from resources.published_snapshot import Snapshot


@contextmanager
def published(place: Home) -> Iterator[Snapshot]:
    """The snapshot of a home; ends the command with 1 if there is none, or none that can be read."""
    import duckdb

    from resources.published_snapshot import RUN_COMMAND, NoSnapshot, Snapshot, version_of

    try:
        yield Snapshot(version_of(place.published))
    except NoSnapshot as problem:
        end(str(problem), STOPPED)
    except duckdb.Error as error:
        reason = str(error).splitlines()[0]
        end(f"{place.published} cannot be read: {reason}. Make it anew with: {RUN_COMMAND} --force", STOPPED)


@click.command(short_help="The snapshot, the last run, failing checks, row counts.")
@home_option
def status(home: Path | None) -> None:
    """How old the snapshot is, how the last run went, which checks fail, how many rows there are."""
    settings = read_settings(home=home)
    from productpulse_assets.cli.snapshot_status import row_lines, snapshot_lines

    place = settings.home
    with published(place) as snapshot:
        head, rows = list(snapshot_lines(snapshot, dt.datetime.now())), list(row_lines(snapshot))
    for line in (*head, *_last_run(place), *rows):
        click.echo(line)


def _last_run(place: Home) -> Iterator[str]:
    if not (place.dagster_home / "history").is_dir():
        yield "Last run: none is recorded."
        return
    from productpulse_assets.orchestration.last_run import last_run_lines

    yield from last_run_lines(place)


@click.command(short_help="What a metric means, what it is now, how it went.")
@click.argument("name")
@rules_option
@home_option
def metric(name: str, rules: Path | None, home: Path | None) -> None:
    """Say what a metric means, what it is now and how it went; NAME is its name, label or alias."""
    settings = read_settings(rules=rules, home=home)
    from productpulse_assets.cli import metric_card

    known = read_rules(settings)
    found = metric_card.find(known.metric_catalog, name)
    if found is None:
        misused(metric_card.unknown(known.metric_catalog, name))
    with published(settings.home) as snapshot:
        lines = list(metric_card.card_lines(snapshot, found, known.currency))
    for line in lines:
        click.echo(line)


@click.command(short_help="What is planned for a customer and why, to the rows.")
@click.argument("customer")
@home_option
def explain(customer: str, home: Path | None) -> None:
    """Say what is planned for a customer and why, down to the rows; CUSTOMER is its id or name."""
    settings = read_settings(home=home)
    from productpulse_assets.cli import explanation as explaining
    from productpulse_assets.decisions.evidence import UnknownCustomer, customer_evidence, find_customer

    rules = read_rules(settings)
    try:
        with published(settings.home) as snapshot:
            terminal = explaining.Terminal(snapshot, rules)
            found = customer_evidence(snapshot, find_customer(snapshot, customer))
            lines = list(explaining.explanation_lines(terminal, found))
    except UnknownCustomer as problem:
        misused(str(problem))
    for line in lines:
        click.echo(line)
