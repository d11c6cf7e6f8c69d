"""What the commands share: their options, the settings made of them, and how a command ends."""

from __future__ import annotations

import datetime as dt
import os
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, NoReturn

import click

if TYPE_CHECKING:
    import dagster as dg

    from rules.rule_set import Rules

DONE, STOPPED, MISUSED = 0, 1, 2
"""Exit statuses: done; the gate or a check stopped it; bad usage or configuration."""

folder = click.Path(file_okay=False, path_type=Path)
data_option = click.option("--data", type=folder, help="Folder with your exports; without it, the demo company.")
rules_option = click.option("--rules", type=folder, help="Folder with your rules; without it, those that come along.")
home_option = click.option("--home", type=folder, help="Folder for everything that is written.")
as_of_option = click.option("--as-of", metavar="DATE", help="Look at the data as of this day, YYYY-MM-DD.")


def settle(**given: object) -> None:
    """Make the options of a command the settings of the program; end with 2 if one is wrong."""
    from resources.home import (
        SettingsError,
        parse_allowed_hosts,
        parse_as_of,
        parse_folder,
        parse_wait,
        refuse_after_today,
    )

    names = {"data": "PRODUCTPULSE_DATA_DIR", "rules": "PRODUCTPULSE_RULES_DIR", "home": "PRODUCTPULSE_HOME"}
    for option, name in names.items():
        folder = given.get(option) or os.environ.get(name)
        try:
            if folder:
                os.environ[name] = str(parse_folder(str(folder)))
        except SettingsError as error:
            misused(str(error))
    for option, name in {"as_of": "PRODUCTPULSE_AS_OF", "wait": "PRODUCTPULSE_WAIT"}.items():
        if given.get(option):
            os.environ[name] = str(given[option])
    for name in ("PRODUCTPULSE_DATA_DIR", "PRODUCTPULSE_RULES_DIR"):
        if os.environ.get(name) and not Path(os.environ[name]).is_dir():
            misused(f"{os.environ[name]} is not a folder. Give one that exists.")
    try:
        as_of = parse_as_of(os.environ.get("PRODUCTPULSE_AS_OF"))
        parse_wait(os.environ.get("PRODUCTPULSE_WAIT"))
        parse_allowed_hosts(os.environ.get("PRODUCTPULSE_ALLOWED_HOSTS"))
        if as_of and "as_of" in given:
            refuse_after_today(as_of, _today())
    except SettingsError as error:
        misused(str(error))


def _today() -> dt.date:
    """Today in the company's time zone; ends the command with 2 if the rules have a mistake."""
    from rules.today import company_today

    return company_today(read_rules().sources.time_zone)


def writable_home():
    """The home folder, made if need be; ends the command with 2 if nothing can be written there."""
    from resources.home import Home, default_home
    from resources.private_files import keep_private

    place = Home(default_home())
    try:
        keep_private(place.root)
        with tempfile.TemporaryFile(dir=place.root):
            return place
    except OSError as error:
        return misused(f"Nothing can be written to {place.root} ({error.strerror}). Give another folder with --home.")


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
    from rules.text.formats import escaped, without_credentials

    click.echo(escaped(without_credentials(message), keep="\n"), err=True)


def rules_folder() -> Path:
    """The rules folder in use: PRODUCTPULSE_RULES_DIR, else the rules that come with the program."""
    from rules.rule_set import SHIPPED

    given = os.environ.get("PRODUCTPULSE_RULES_DIR")
    return Path(given).expanduser().resolve() if given else SHIPPED


def read_rules() -> Rules:
    """The rules; a mistake in them ends the command with 2 and its sentence."""
    from rules import rule_set
    from rules.loading.problems import RulesError

    try:
        return rule_set.read_rules(rules_folder())
    except RulesError as error:
        misused(str(error))


def load_definitions() -> dg.Definitions:
    """The graph; a mistake in the rules or the settings ends the command with 2 and its sentence."""
    from productpulse_assets.definitions import build
    from resources.home import SettingsError
    from resources.settings import RunSettings
    from rules.loading.problems import RulesError

    try:
        return build(RunSettings.from_environment(), rules_folder())
    except (RulesError, SettingsError) as error:
        misused(str(error))
