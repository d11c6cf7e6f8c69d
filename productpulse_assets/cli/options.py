"""What the commands share: their options, the settings they set, and how a command ends."""

from __future__ import annotations

import datetime as dt
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, NoReturn

import click

if TYPE_CHECKING:
    import dagster as dg

    from resources.home import Home
    from resources.settings import Settings
    from rules.rule_set import Rules

DONE, STOPPED, MISUSED = 0, 1, 2
"""Exit statuses: done; the gate or a check stopped it; bad usage or configuration."""

folder = click.Path(file_okay=False, path_type=Path)
data_option = click.option(
    "--data",
    type=folder,
    envvar="PRODUCTPULSE_DATA_DIR",
    show_envvar=True,
    help="Folder with your exports; without it, the demo company.",
)
rules_option = click.option(
    "--rules",
    type=folder,
    envvar="PRODUCTPULSE_RULES_DIR",
    show_envvar=True,
    help="Folder with your rules; without it, those that come along.",
)
home_option = click.option(
    "--home", type=folder, envvar="PRODUCTPULSE_HOME", show_envvar=True, help="Folder for everything that is written."
)
as_of_option = click.option(
    "--as-of",
    metavar="DATE",
    envvar="PRODUCTPULSE_AS_OF",
    show_envvar=True,
    help="Look at the data as of this day, YYYY-MM-DD.",
)


def read_settings(**options: object) -> Settings:
    """The settings of a command: its options, and the environment for what is not given; end with 2 if one is wrong."""
    from resources.settings import Settings, refuse_after_today

    names = {"data": "data_dir", "rules": "rules_dir"}
    settings = Settings(**{names.get(option, option): value for option, value in options.items() if value})
    for place in (settings.data_dir, settings.rules_dir):
        if place and not place.is_dir():
            misused(f"{place} is not a folder. Give one that exists.")
    if settings.as_of and "as_of" in options:
        refuse_after_today(settings.as_of, _today(settings))
    return settings


def _today(settings: Settings) -> dt.date:
    """Today in the company's time zone; ends the command with 2 if the rules have a mistake."""
    from rules.today import company_today

    return company_today(read_rules(settings).sources.time_zone)


def writable_home(settings: Settings) -> Home:
    """The home folder, made if need be; ends the command with 2 if nothing can be written there."""
    from resources.private_files import keep_private

    place = settings.home
    try:
        keep_private(place.root)
        with tempfile.TemporaryFile(dir=place.root):
            return place
    except OSError as error:
        misused(f"Nothing can be written to {place.root} ({error.strerror}). Give another folder with --home.")


def misused(message: str) -> NoReturn:
    """End the command with a sentence on standard error and status 2."""
    end(message, MISUSED)


def end(message: str, status: int) -> NoReturn:
    """End the command with a sentence on standard error."""
    complain(message)
    raise SystemExit(status)


def complain(message: str) -> None:
    """A message on standard error, without a password that a setting may have in it.

    What it has of the data cannot colour or turn the terminal's text.
    """
    from rules.text.formats import escape_invisible, without_credentials

    click.echo(escape_invisible(without_credentials(message), keep="\n"), err=True)


def read_rules(settings: Settings) -> Rules:
    """The rules; a mistake in them ends the command with 2 and its sentence."""
    from rules import rule_set
    from rules.loading.problems import RulesError

    try:
        return rule_set.read_rules(settings.rules_dir)
    except RulesError as error:
        misused(str(error))


def load_definitions(settings: Settings, plan_home: Home | None = None) -> dg.Definitions:
    """The graph, with the compiled plan of `plan_home` if given; a wrong rule or setting ends the command with 2."""
    from productpulse_assets.definitions import build
    from resources.home import SettingsError
    from rules.loading.problems import RulesError

    try:
        return build(settings, plan_home)
    except (RulesError, SettingsError) as error:
        misused(str(error))
