"""`productpulse reset-demo`: the demo company as it was at first."""

from __future__ import annotations

from pathlib import Path

import click

from productpulse_assets.cli.options import home_option, read_settings


@click.command("reset-demo", short_help="Restore the demo company and delete its results.")
@click.option("--yes", is_flag=True, help="Do not ask.")
@home_option
def reset_demo(yes: bool, home: Path | None) -> None:
    """Restore the demo company as it was at first, and delete the results of its runs in this home."""
    settings = read_settings(home=home)
    from productpulse_assets.cli.demo_files import files_of_demo, generate_demo
    from productpulse_assets.definitions import build
    from resources.run_lock import run_lock

    with run_lock(settings.home, 0, notify=lambda _message: None):
        demo = files_of_demo(settings.home, build(settings))
        if demo and not yes:
            question = f"Delete the demo company in {settings.home.root} and its results ({len(demo.files)} files)?"
            click.confirm(question, abort=True)
        demo.delete()
        rows = generate_demo(settings.home)
    click.echo(f"The demo company is restored: {sum(rows.values()):,} rows in {settings.home.synthetic}.")
    click.echo(f"Next: productpulse run --home {settings.home.root}")
