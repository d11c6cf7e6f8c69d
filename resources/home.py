"""The folders that the program uses: the one place that knows paths, and what settings may be.

Free of Dagster, so that a look at the snapshot need not wait for it.
"""

from __future__ import annotations

import datetime as dt
import math
import os
import re
from dataclasses import dataclass
from pathlib import Path

LONGEST_WAIT = 600.0
"""Seconds that a run waits for another one, unless PRODUCTPULSE_WAIT says otherwise."""

CHECKOUT = Path(__file__).resolve().parent.parent


class SettingsError(Exception):
    """A setting cannot be used; the message says which, what was found and what is accepted."""


@dataclass(frozen=True)
class Home:
    """Where everything the program writes lives."""

    root: Path

    @property
    def warehouse(self) -> Path:
        """The working DuckDB file; only a run opens it."""
        return self.root / "productpulse.duckdb"

    @property
    def published(self) -> Path:
        """The snapshot that readers open; replaced in one step at the end of a good run."""
        return self.root / "published" / "productpulse.duckdb"

    @property
    def inputs(self) -> Path:
        """What the snapshot was made of; not there while a run works, nor after one that failed."""
        return self.root / "published" / "inputs.json"

    @property
    def reports(self) -> Path:
        """The reports of the last run."""
        return self.root / "reports"

    @property
    def exports(self) -> Path:
        """The published tables as files."""
        return self.root / "exports"

    @property
    def synthetic(self) -> Path:
        """The generated demo company."""
        return self.root / "synthetic"

    @property
    def dagster_home(self) -> Path:
        """Dagster's own history of runs."""
        return self.root / "dagster_home"

    @property
    def history(self) -> Path:
        """KPI rows and open decisions by as-of date, one Parquet file each; only ever added to."""
        return self.root / "published" / "history"

    @property
    def run_lock(self) -> Path:
        """Held by the one run that is at work; its text says which."""
        return self.root / "run.lock"

    @property
    def compiled(self) -> Path:
        """The compiled graph: one SQL file a table; written again whenever rules or program change."""
        return self.root / "compiled"

    @property
    def scratch(self) -> Path:
        """Temporary files of a run; safe to delete between runs."""
        return self.root / "scratch"


def default_home() -> Path:
    """PRODUCTPULSE_HOME, else `data/` in the checkout, else `data/` in the current folder.

    Raises SettingsError for a path that Dagster would take for another one.
    """
    given = os.environ.get("PRODUCTPULSE_HOME")
    if given:
        return usable_home(parse_folder(given))
    is_checkout = (CHECKOUT / "pyproject.toml").exists()
    return usable_home((CHECKOUT if is_checkout else Path.cwd()) / "data")


PATTERN_OR_URL = "[]*?%"
"""Dagster looks for its settings by a pattern, in which `[1]`, `*` and `?` stand for other letters: it would
not find them, and send usage data. Its history it opens by a URL, in which `?` and `%` mean something."""


def usable_home(path: Path) -> Path:
    """The path of a home; raises SettingsError for one that Dagster would take for another."""
    found = [character for character in PATTERN_OR_URL if character in str(path)]
    if found:
        raise SettingsError(
            f"The home is {path}, and Dagster, which keeps its history there, takes {' and '.join(found)} in a path "
            f"for more than a letter. Give a folder without any of {' '.join(PATTERN_OR_URL)} in its path, with --home "
            "or PRODUCTPULSE_HOME."
        )
    return path


def parse_folder(text: str) -> Path:
    """The absolute path of a folder, which need not be there; raises SettingsError if there cannot be one."""
    try:
        path = Path(text).expanduser().resolve()
    except RuntimeError as error:
        user = text[1:].partition("/")[0]
        reason = f"there is no user {user}" if text.startswith("~") else "its links lead in a circle"
        raise SettingsError(f"The folder {text} cannot be found: {reason}. Give the path of another one.") from error
    if not is_utf8_path(path):
        shown = os.fsencode(path).decode("utf-8", "backslashreplace")
        raise SettingsError(f"The name of the folder {shown} is not UTF-8 text. Rename it, or give another one.")
    return path


def is_utf8_path(path: Path) -> bool:
    """Whether the path can be handed to a database: file systems take any bytes for a name."""
    try:
        return bool(str(path).encode("utf-8"))
    except UnicodeEncodeError:
        return False


def parse_as_of(text: str | None) -> dt.date | None:
    """An ISO date; raises SettingsError for anything else."""
    if not text:
        return None
    try:
        return dt.date.fromisoformat(text)
    except ValueError as error:
        raise SettingsError(
            f"The as-of date is '{text}', which is not a date. Give it as YYYY-MM-DD, for example 2026-06-30."
        ) from error


def refuse_after_today(as_of: dt.date | None, today: dt.date) -> None:
    """Raise SettingsError for an as-of date that is still to come."""
    if as_of and as_of > today:
        raise SettingsError(
            f"The as-of date, {as_of}, is after today, {today} in the time zone of sources.yaml. What has not happened "
            "yet is in no data. Give today or an earlier day."
        )


def parse_wait(text: str | None) -> float:
    """Seconds that a run waits for another one; raises SettingsError for what is no such number."""
    try:
        seconds = float(text) if text else LONGEST_WAIT
    except ValueError:
        seconds = math.nan
    if not 0 <= seconds < math.inf:
        raise SettingsError(f"The wait is '{text}', which is not a number of seconds. Give 0 or more, for example 60.")
    return seconds


def parse_allowed_hosts(text: str | None) -> tuple[str, ...]:
    """Host names separated by commas, in lower case; raises SettingsError for anything else, such as a wildcard."""
    names = tuple(name.strip().lower() for name in (text or "").split(",") if name.strip())
    for name in names:
        if not re.fullmatch(r"[a-z0-9_-]+(\.[a-z0-9_-]+)*", name):
            raise SettingsError(
                f"An allowed host is '{name}', which is not a host name. Give names without scheme, port and "
                "wildcards, separated by commas, for example pulse.example.com."
            )
    return names
