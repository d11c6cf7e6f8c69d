"""`productpulse backfill`: risk, leakage and metrics at past month ends, for the history."""

from __future__ import annotations

import datetime as dt
import re
from pathlib import Path

import click

from productpulse_assets.cli.options import home_option, read_settings, rules_option, writable_home
from rules.text.errors import ProductPulseError


@click.command(short_help="Compute past month ends for the history of risk and metrics.")
@click.option("--from", "first", metavar="YYYY-MM", help="The first month; by default 12 months with the last one.")
@click.option("--to", "last", metavar="YYYY-MM", help="The last month; by default the last complete one.")
@click.option("--force", is_flag=True, help="Compute also the days that are recorded already.")
@rules_option
@home_option
def backfill(first: str | None, last: str | None, force: bool, rules: Path | None, home: Path | None) -> None:
    """Compute past month ends from the published snapshot, and add them to the history.

    What only the present knows, such as Past Due, is unknown on these days. A day is skipped if it is recorded with
    the same data and rules, or by the run of that day. The snapshot does not change: the next run shows these days.
    """
    months = month_of(first, "--from"), month_of(last, "--to")
    settings = read_settings(rules=rules, home=home)
    from productpulse_assets.orchestration import backfill as past_days
    from rules.rule_set import read_rules

    writable_home(settings)
    outcomes = []
    with past_days.open_past(settings, read_rules(settings.rules_dir), lambda text: click.echo(text, err=True)) as past:
        for each in past_days.backfill(past, past_days.months_asked(past, *months), force=force):
            outcomes.append(each.outcome)
            click.echo(day_line(each))
    computed = outcomes.count(past_days.COMPUTED)
    click.echo(f"Done: {computed} of {len(outcomes)} month ends computed.")
    if computed:
        click.echo("The next `productpulse run` shows them in risk_history, kpi_history and the dashboard.")


def month_of(text: str | None, option: str) -> dt.date | None:
    """The first day of a month such as 2026-06; raises ProductPulseError for anything else."""
    if text is None:
        return None
    try:
        if not re.fullmatch(r"\d{4}-\d{2}", text, re.ASCII):
            raise ValueError
        return dt.date.fromisoformat(f"{text}-01")
    except ValueError:
        raise ProductPulseError(
            "backfill.not_a_month", f"{option} is '{text}', which is not a month. Give it as YYYY-MM, such as 2026-06."
        ) from None


def day_line(day: object) -> str:
    """What became of a day, in a line."""
    from productpulse_assets.orchestration.backfill import KEPT, UNCHANGED, Day

    assert isinstance(day, Day)
    words = {
        UNCHANGED: "already there, from the same data and rules",
        KEPT: "already there, recorded on the day itself",
    }.get(day.outcome, f"computed in {day.seconds:.1f} s")
    return f"{day.day}  {day.customers:,} customers  {words}"
