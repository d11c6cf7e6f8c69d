"""`productpulse metric`: one metric of the published snapshot."""

from __future__ import annotations

from pathlib import Path

import click

from productpulse_assets.cli.options import home_option, open_snapshot, read_settings, rules_option


@click.command(short_help="Show a metric: definition, value, history, and the rows behind it.")
@click.argument("name")
@click.option("--month", metavar="YYYY-MM", help="Its value in this month; without it, the current one.")
@click.option("--by", metavar="SLICE", help="Its value by segment, plan, country, risk_band and so on.")
@click.option(
    "--where", "members", metavar="SLICE=MEMBER", multiple=True, help="Only this member; several are possible."
)
@click.option("--rows", "with_rows", is_flag=True, help="The customers behind the value, and their parts of it.")
@click.option(
    "--csv", "csv", type=click.Path(dir_okay=False, path_type=Path), help="Write all these rows to a CSV file."
)
@rules_option
@home_option
def metric(
    name: str,
    month: str | None,
    by: str | None,
    members: tuple[str, ...],
    with_rows: bool,
    csv: Path | None,
    rules: Path | None,
    home: Path | None,
) -> None:
    """Show the definition, value, history, slices and sources of a metric; NAME is its name, label or alias.

    With --month, --by, --where, --rows or --csv: its value in that month and slice, and the rows behind it.
    """
    settings = read_settings(rules=rules, home=home)
    from productpulse_assets.cli.metric_card import card_lines, find_metric
    from rules.rule_set import read_rules

    rule_set = read_rules(settings.rules_dir)
    metric_name = find_metric(rule_set.metric_catalog, name)
    with open_snapshot(settings.home) as snapshot:
        if not (month or by or members or with_rows or csv):
            lines = list(card_lines(snapshot, metric_name, rule_set.currency))
        else:
            from productpulse_assets.cli.metric_rows import Answer, Question, answer_lines, parse_members, parse_month

            asked = parse_month(month) if month else None
            question = Question(metric_name, asked, parse_members(members), by)
            answer = Answer.of(snapshot, rule_set, question)
            lines = list(answer_lines(answer, with_rows=with_rows))
            if csv:
                csv.write_bytes(snapshot.csv(answer.rows()))
                lines.append(f"Written to {csv}.")
    for line in lines:
        click.echo(line)
