"""What the commands share: their options, the settings from them, the writable home and the snapshot."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from rules.text.errors import ProductPulseError

if TYPE_CHECKING:
    from resources.home import Home
    from resources.published_snapshot import Snapshot
    from resources.settings import Settings

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
    help="Folder with your rules; without it, the rules that come with the program.",
)
home_option = click.option(
    "--home", type=folder, envvar="PRODUCTPULSE_HOME", show_envvar=True, help="Folder for everything that is written."
)
as_of_option = click.option(
    "--as-of",
    metavar="DATE",
    envvar="PRODUCTPULSE_AS_OF",
    show_envvar=True,
    help="Compute all figures for this day, YYYY-MM-DD.",
)


def read_settings(**options: object) -> Settings:
    """The settings of a command: its options, and the environment for options that are not given.

    Raises SettingsError for a value that cannot be used, and RulesError if an as-of date is compared with today in the
    time zone of a rules folder that cannot be read.
    """
    from resources.home import SettingsError
    from resources.settings import Settings, refuse_after_today

    names = {"data": "data_dir", "rules": "rules_dir"}
    given: dict[str, Any] = {names.get(option, option): value for option, value in options.items() if value}
    settings = Settings(**given)
    for path in (settings.data_dir, settings.rules_dir):
        if path and not path.is_dir():
            raise SettingsError("settings.not_a_folder", f"{path} is not a folder. Give one that exists.", folder=path)
    if settings.as_of and "as_of" in options:
        from rules.rule_set import read_rules
        from rules.today import company_today

        refuse_after_today(settings.as_of, company_today(read_rules(settings.rules_dir).sources.time_zone))
    return settings


def writable_home(settings: Settings) -> Home:
    """The home folder, which is created if it does not exist; raises ProductPulseError if it cannot be written."""
    from resources.private_files import keep_private

    home = settings.home
    try:
        keep_private(home.root)
        with tempfile.TemporaryFile(dir=home.root):
            return home
    except OSError as error:
        raise ProductPulseError(
            "settings.home_not_writable",
            f"Nothing can be written to {home.root} ({error.strerror}). Give another folder with --home.",
            folder=home.root,
        ) from error


@contextmanager
def open_snapshot(home: Home) -> Iterator[Snapshot]:
    """The published snapshot of a home; raises NoSnapshot if there is none or if it is damaged."""
    import duckdb

    from resources.published_snapshot import RUN_COMMAND, NoSnapshot, Snapshot, version_of

    try:
        yield Snapshot(version_of(home.published))
    except duckdb.Error as error:
        reason = str(error).splitlines()[0]
        raise NoSnapshot(
            "snapshot.unreadable",
            f"{home.published} cannot be read: {reason}. Make a new one with: {RUN_COMMAND} --force",
            file=home.published,
        ) from error
