"""Looking at what is published: all of it, one metric, one customer."""

from __future__ import annotations

import datetime as dt
from pathlib import Path

import click

from productpulse_assets.cli.options import STOPPED, home_option, misused, rules_option, settle


@click.command()
@home_option
def status(home: Path | None) -> None:
    """How old the snapshot is, how the last run went, which checks fail, how many rows there are."""
    settle(home=home)
    from productpulse_assets import running, telling
    from resources.settings import Home, default_home

    place = Home(default_home())
    if not place.published.exists():
        click.echo(f"There is no snapshot in {place.root}. Make one with: productpulse run")
        raise SystemExit(STOPPED)
    backend = telling.read_only(place.published)
    as_of = telling.rows_of(backend.table("calendar"))[0]["as_of_date"]
    click.echo(f"Snapshot: as of {as_of}, {telling.age(place.published, dt.datetime.now())}, {place.published}")
    for line in running.last_run_lines(place):
        click.echo(line)
    for name, rows in telling.row_counts(backend).items():
        click.echo(f"  {name:<32} {rows:>12,} rows")


@click.command()
@click.argument("name")
@rules_option
@home_option
def metric(name: str, rules: Path | None, home: Path | None) -> None:
    """Say what a metric means, what it is now and how it went; NAME is its name, label or alias."""
    settle(rules=rules, home=home)
    from productpulse_assets import metric_card, telling
    from resources.settings import Home, default_home
    from rules.catalog import load_catalog
    from rules.files import RulesError, load
    from rules.models import Sources

    try:
        catalog, currency = load_catalog(), load("sources", Sources).reporting_currency
    except RulesError as error:
        misused(str(error))
    found = metric_card.find(catalog, name)
    if found is None:
        misused(f"There is no metric '{name}'. There are: {', '.join(catalog.metrics)}.")
    place = Home(default_home())
    if not place.published.exists():
        telling.fail(f"There is no snapshot in {place.root}. Make one with: productpulse run", STOPPED)
    for line in metric_card.card_lines(telling.read_only(place.published), found, currency):
        click.echo(line)


@click.command()
@click.argument("customer")
@home_option
def explain(customer: str, home: Path | None) -> None:
    """Say what is planned for a customer and why, down to the rows; CUSTOMER is its id or name."""
    settle(home=home)
    from dashboard.evidence import UnknownCustomer, find_customer, story
    from dashboard.snapshot import NoSnapshot, Snapshot, version_of
    from productpulse_assets import explaining, telling
    from resources.settings import Home, default_home
    from rules.files import RulesError, load
    from rules.models import Sources

    try:
        snapshot = Snapshot(version_of(Home(default_home()).published))
        terminal = explaining.Terminal(snapshot, load("sources", Sources).reporting_currency)
        found = story(snapshot, find_customer(snapshot, customer))
        lines = list(explaining.explanation_lines(terminal, found))  # all or nothing, should the file be damaged
    except NoSnapshot as problem:
        telling.fail(str(problem), STOPPED)
    except (UnknownCustomer, RulesError) as problem:
        misused(str(problem))
    for line in lines:
        click.echo(line)
