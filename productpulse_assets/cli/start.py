"""Beginning: rules of one's own, and the demo company as it was on the first day."""

from __future__ import annotations

from pathlib import Path

import click

from productpulse_assets.cli.options import (
    STOPPED,
    end,
    folder,
    home_option,
    load_definitions,
    misused,
    read_settings,
)
from productpulse_assets.cli.starter import PRESETS


@click.command(short_help="Copy the rules and a commented sources.yaml.")
@click.argument("target", metavar="[FOLDER]", type=folder, default=Path("my-rules"))
@click.option("--preset", type=click.Choice(PRESETS), help="A sources.yaml for the exports of this system.")
def init(target: Path, preset: str | None) -> None:
    """Copy the rules and a commented sources.yaml into FOLDER (my-rules), to make them yours."""
    from productpulse_assets.cli.starter import FilesInTheWay, write_starter

    try:
        written = write_starter(target, preset)
    except FilesInTheWay as problem:
        misused(str(problem))
    click.echo(f"Written to {target}: {', '.join(written)}.")
    click.echo("Next:")
    for number, step in enumerate(_next_steps(target, preset), start=1):
        click.echo(f"  {number}. {step}")


def _next_steps(target: Path, preset: str | None) -> tuple[str, ...]:
    described = f"{target / 'sources.yaml'}"
    brought = (
        f"Put the exports that {described} names at its top into a folder, say my-exports."
        if preset
        else "Put your exports into a folder, say my-exports: customers.csv, subscriptions.csv and what else you have."
    )
    return (
        brought,
        f"Say in {described} what is called differently in them; the examples there show how.",
        f"productpulse validate --data my-exports --rules {target}",
        f"productpulse run --data my-exports --rules {target}",
    )


@click.command("reset-demo", short_help="Put the demo company of the first day back.")
@click.option("--yes", is_flag=True, help="Do not ask.")
@home_option
def reset_demo(yes: bool, home: Path | None) -> None:
    """Put the demo company of the first day back, and delete what was made of it in this home."""
    settings = read_settings(home=home)
    from productpulse_assets.cli.demo_reset import NotTheDemo, put_back, remains_of_demo
    from resources.run_lock import HomeBusy, run_lock

    place = settings.home
    try:
        with run_lock(place, 0, notify=lambda _: None):
            remains = remains_of_demo(place, load_definitions(settings))
            if remains and not yes:
                click.confirm(
                    f"Delete the demo company in {place.root} and what was made of it ({len(remains.files)} files)?",
                    abort=True,
                )
            remains.delete()
            rows = put_back(place)
    except NotTheDemo as problem:
        misused(str(problem))
    except HomeBusy as problem:
        end(str(problem), STOPPED)
    click.echo(f"The demo company is as on its first day: {sum(rows.values()):,} rows in {place.synthetic}.")
    click.echo(f"Next: productpulse run --home {place.root}")
