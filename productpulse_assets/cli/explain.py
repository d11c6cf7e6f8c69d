"""`productpulse explain`: the actions of one customer, with their reasons down to the rows."""

from __future__ import annotations

from pathlib import Path

import click

from productpulse_assets.cli.options import home_option, open_snapshot, read_settings


@click.command(short_help="Show a customer's actions and why, down to the rows.")
@click.argument("customer")
@home_option
def explain(customer: str, home: Path | None) -> None:
    """Show what is planned for a customer and why, down to the rows; CUSTOMER is its id or name."""
    settings = read_settings(home=home)
    from productpulse_assets.cli.explanation import Terminal, explanation_lines
    from productpulse_assets.decisions.evidence import customer_evidence, find_customer
    from rules.rule_set import read_rules

    rules = read_rules(settings.rules_dir)
    with open_snapshot(settings.home) as snapshot:
        evidence = customer_evidence(snapshot, find_customer(snapshot, customer))
        lines = list(explanation_lines(Terminal(snapshot, rules), evidence))
    for line in lines:
        click.echo(line)
