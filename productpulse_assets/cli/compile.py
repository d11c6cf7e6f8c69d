"""Compiling the graph: its SQL, without running anything."""

from __future__ import annotations

from pathlib import Path

import click

from productpulse_assets.cli.options import (
    folder,
    home_option,
    misused,
    read_rules,
    read_settings,
    rules_option,
    writable_home,
)


@click.command("compile", short_help="Write the SQL of every table.")
@click.option("--out", type=folder, help="Folder for the files; without it, compiled/ in the home.")
@rules_option
@home_option
def compile_command(out: Path | None, rules: Path | None, home: Path | None) -> None:
    """Compile the graph and write one SQL file a table; the rules are validated on the way, and nothing runs."""
    settings = read_settings(rules=rules, home=home)
    from productpulse_assets.orchestration.compile_graph import compile_graph
    from resources.compiled_plan import write_plan
    from rules.loading.problems import RulesError

    try:
        plan = compile_graph(read_rules(settings))
    except RulesError as error:
        misused(str(error))
    target = out or writable_home(settings).compiled
    try:
        write_plan(plan, target)
    except OSError as error:
        misused(f"Nothing can be written to {target} ({error.strerror}). Give another folder with --out.")
    click.echo(f"Compiled {len(plan.tables)} tables into {target}.")
