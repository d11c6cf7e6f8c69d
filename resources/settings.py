"""The settings of the program: one object, built from options and environment variables, and passed on.

No other module reads the environment. A `.env` file is not read.
"""

from __future__ import annotations

import datetime as dt
import math
import os
import re
from pathlib import Path
from typing import Annotated

from pydantic import BeforeValidator, Field
from pydantic_settings import BaseSettings, NoDecode, SettingsConfigDict

import rules
from resources.home import CHECKOUT, Home, SettingsError, is_utf8_path
from resources.memory import parse_memory_limit

PREFIX = "PRODUCTPULSE_"
LONGEST_WAIT = 600.0
"""Seconds that a run waits for another one by default."""
EVERY_MORNING = "0 6 * * *"
PATTERN_OR_URL = "[]*?%"
"""Dagster looks for its settings by a pattern, in which `[1]`, `*` and `?` stand for other letters: it would
not find them, and send usage data. It opens its event log by a URL, in which `?` and `%` have a meaning."""


def default_home() -> Home:
    """`data/` in the checkout, or in the current folder where the program is installed."""
    is_checkout = (CHECKOUT / "pyproject.toml").exists()
    return parse_home((CHECKOUT if is_checkout else Path.cwd()) / "data")


def parse_home(given: str | Path | Home) -> Home:
    """The home in a folder; raises SettingsError for a path that Dagster would take for another one."""
    if isinstance(given, Home):
        return given
    path = parse_folder(given)
    if found := [character for character in PATTERN_OR_URL if character in str(path)]:
        raise SettingsError(
            "settings.home_is_a_pattern",
            f"The home is {path}, and Dagster, which keeps its history there, takes {' and '.join(found)} in a path "
            f"for more than a letter. Give a folder without any of {' '.join(PATTERN_OR_URL)} in its path, with --home "
            "or PRODUCTPULSE_HOME.",
        )
    return Home(path)


def parse_folder(given: str | Path) -> Path:
    """The absolute path of a folder, which need not exist; raises SettingsError for a path that cannot exist."""
    text = str(given)
    try:
        path = Path(text).expanduser().resolve()
    except RuntimeError as error:
        user = text[1:].partition("/")[0]
        reason = f"there is no user {user}" if text.startswith("~") else "its links lead in a circle"
        raise SettingsError(
            "settings.folder_not_found",
            f"The folder {text} cannot be found: {reason}. Give the path of another one.",
        ) from error
    if not is_utf8_path(path):
        shown = os.fsencode(path).decode("utf-8", "backslashreplace")
        raise SettingsError(
            "settings.folder_name_not_text",
            f"The name of the folder {shown} is not UTF-8 text. Rename it, or give another one.",
        )
    return path


def parse_as_of(given: str | dt.date | None) -> dt.date | None:
    """An ISO date; raises SettingsError for anything else."""
    if isinstance(given, dt.date) or not given:
        return given or None
    try:
        return dt.date.fromisoformat(given)
    except ValueError as error:
        raise SettingsError(
            "settings.as_of_not_a_date",
            f"The as-of date is '{given}', which is not a date. Give it as YYYY-MM-DD, for example 2026-06-30.",
        ) from error


def refuse_after_today(as_of: dt.date | None, today: dt.date) -> None:
    """Raise SettingsError for an as-of date after today."""
    if as_of and as_of > today:
        raise SettingsError(
            "settings.as_of_after_today",
            f"The as-of date, {as_of}, is after today, {today} in the time zone of sources.yaml. What has not happened "
            "yet is in no data. Give today or an earlier day.",
        )


def parse_wait(given: str | float) -> float:
    """A number of seconds; raises SettingsError for anything else."""
    try:
        seconds = float(given)
    except ValueError:
        seconds = math.nan
    if not 0 <= seconds < math.inf:
        raise SettingsError(
            "settings.wait_not_a_number",
            f"The wait is '{given}', which is not a number of seconds. Give 0 or more, for example 60.",
        )
    return seconds


def parse_allowed_hosts(given: str | tuple[str, ...]) -> tuple[str, ...]:
    """Host names separated by commas, in lower case; raises SettingsError for anything else, such as a wildcard."""
    parts = given.split(",") if isinstance(given, str) else given
    names = tuple(name.strip().lower() for name in parts if name.strip())
    for name in names:
        if not re.fullmatch(r"[a-z0-9_-]+(\.[a-z0-9_-]+)*", name):
            raise SettingsError(
                "settings.not_a_host_name",
                f"An allowed host is '{name}', which is not a host name. Give names without scheme, port and "
                "wildcards, separated by commas, for example pulse.example.com.",
            )
    return names


Folder = Annotated[Path, BeforeValidator(parse_folder)]


class Settings(BaseSettings):
    """Where the program reads and writes, and how it runs.

    A value that is given wins over the environment variable of its name (`PRODUCTPULSE_HOME` for `home`), which wins
    over the default. Raises SettingsError for a value that cannot be used.

    home: where everything is written. data_dir: the folder of the exports; None where sources.yaml or the demo company
    takes its place. rules_dir: the rules folder. as_of: the date that all figures are computed for; None for the date
    of the newest event. wait: seconds that a run waits for another one. memory_limit: what DuckDB may use before it
    works on disk. schedule: the cron expression of the daily run. allowed_hosts: names under which a proxy shows the
    servers. snapshot: the published file that the dashboard shows; `productpulse dashboard` sets it.
    """

    model_config = SettingsConfigDict(env_prefix=PREFIX, env_ignore_empty=True, frozen=True)

    home: Annotated[Home, NoDecode, BeforeValidator(parse_home)] = Field(default_factory=default_home)
    data_dir: Folder | None = None
    rules_dir: Folder = Path(rules.__file__).resolve().parent
    as_of: Annotated[dt.date | None, BeforeValidator(parse_as_of)] = None
    wait: Annotated[float, BeforeValidator(parse_wait)] = LONGEST_WAIT
    memory_limit: Annotated[str, BeforeValidator(parse_memory_limit)] = Field(
        default_factory=lambda: parse_memory_limit(None)
    )
    schedule: str = EVERY_MORNING
    allowed_hosts: Annotated[tuple[str, ...], NoDecode, BeforeValidator(parse_allowed_hosts)] = ()
    snapshot: Path | None = None

    def environment(self) -> dict[str, str]:
        """The environment of a child process: that of this process, with these settings in it."""
        values = {name: _variable_text(getattr(self, name)) for name in type(self).model_fields}
        return os.environ | {f"{PREFIX}{name.upper()}": text for name, text in values.items() if text}


def _variable_text(value: object) -> str:
    """A setting as the text of its environment variable; an empty text where nothing is set."""
    if isinstance(value, Home):
        return str(value.root)
    if isinstance(value, tuple):
        return ",".join(value)
    return "" if value is None else str(value)
