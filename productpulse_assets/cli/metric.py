"""`productpulse metric`: one metric of the published snapshot."""

from __future__ import annotations

from pathlib import Path

import click

from productpulse_assets.cli.options import home_option, open_snapshot, read_settings, rules_option


@click.command(short_help="Show a metric: definition, value, history, and the rows behind it.")
@click.argument("name")
@click.option(
    "--period",
    "--month",
    "period",
    metavar="PERIOD",
    help="Its value in 2026-06, 2026-Q2, 2026, FY2026, 2026-02..2026-04, last-3-months or this-month; without it, the "
    "current one.",
)
@click.option("--by", metavar="SLICE", help="Its value by segment, plan, country, risk_band and so on.")
@click.option(
    "--where", "members", metavar="SLICE=MEMBER", multiple=True, help="Only this member; several are possible."
)
@click.option(
    "--trend", type=click.IntRange(2, 120), help="This many periods of that length, the last one this period."
)
@click.option("--bridge", "with_bridge", is_flag=True, help="How MRR got from the start of the period to its end.")
@click.option("--rows", "with_rows", is_flag=True, help="The customers behind the value, and their parts of it.")
@click.option(
    "--csv", "csv", type=click.Path(dir_okay=False, path_type=Path), help="Write all these rows to a CSV file."
)
@rules_option
@home_option
def metric(
    name: str,
    period: str | None,
    by: str | None,
    members: tuple[str, ...],
    trend: int | None,
    with_bridge: bool,
    with_rows: bool,
    csv: Path | None,
    rules: Path | None,
    home: Path | None,
) -> None:
    """Show the definition, value, history, slices and sources of a metric; NAME is its name, label or alias.

    With one of the other options: its value in that period and slice beside earlier ones, and the rows behind it.
    """
    settings = read_settings(rules=rules, home=home)
    from productpulse_assets.cli.metric_card import card_lines, find_metric
    from rules.rule_set import read_rules

    rule_set = read_rules(settings.rules_dir)
    metric_name = find_metric(rule_set.metric_catalog, name)
    with open_snapshot(settings.home) as snapshot:
        if not (period or by or members or trend or with_bridge or with_rows or csv):
            lines = list(card_lines(snapshot, metric_name, rule_set.currency))
        else:
            from productpulse_assets.cli.metric_rows import Answer, Question, answer_lines, parse_members

            question = Question(metric_name, period, parse_members(members), by, trend, with_bridge)
            answer = Answer.of(snapshot, rule_set, question)
            lines = list(answer_lines(answer, with_rows=with_rows))
            if csv:
                csv.write_bytes(snapshot.csv(answer.rows()))
                lines.append(f"Written to {csv}.")
    for line in lines:
        click.echo(line)
