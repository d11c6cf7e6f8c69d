"""`productpulse metric`: one metric of the published snapshot."""

from __future__ import annotations

from pathlib import Path

import click

from productpulse_assets.cli.options import home_option, open_snapshot, read_settings, rules_option


@click.command(short_help="Show a metric: definition, value, history, sources.")
@click.argument("name")
@rules_option
@home_option
def metric(name: str, rules: Path | None, home: Path | None) -> None:
    """Show the definition, value, history, slices and sources of a metric; NAME is its name, label or alias."""
    settings = read_settings(rules=rules, home=home)
    from productpulse_assets.cli.metric_card import card_lines, find_metric
    from rules.rule_set import read_rules

    rule_set = read_rules(settings.rules_dir)
    metric_name = find_metric(rule_set.metric_catalog, name)
    with open_snapshot(settings.home) as snapshot:
        lines = list(card_lines(snapshot, metric_name, rule_set.currency))
    for line in lines:
        click.echo(line)
