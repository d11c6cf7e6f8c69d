"""`productpulse compile`: the SQL of every table; nothing runs."""

from __future__ import annotations

from pathlib import Path

import click

from productpulse_assets.cli.options import folder, home_option, read_settings, rules_option, writable_home
from rules.text.errors import ProductPulseError


@click.command("compile", short_help="Write the SQL of every table.")
@click.option("--out", type=folder, help="Folder for the files; without it, compiled/ in the home.")
@rules_option
@home_option
def compile_command(out: Path | None, rules: Path | None, home: Path | None) -> None:
    """Validate the rules, compile the graph and write one SQL file a table; nothing runs."""
    settings = read_settings(rules=rules, home=home)
    from productpulse_assets.orchestration.compile_graph import compile_graph
    from resources.compiled_plan import write_plan
    from rules.rule_set import read_rules

    plan = compile_graph(read_rules(settings.rules_dir))
    target = out or writable_home(settings).compiled
    try:
        write_plan(plan, target)
    except OSError as error:
        raise ProductPulseError(
            "compile.not_writable",
            f"Nothing can be written to {target} ({error.strerror}). Give another folder with --out.",
            folder=target,
        ) from error
    click.echo(f"Compiled {len(plan.tables)} tables into {target}.")
