"""The folders that the program uses: the one place that knows paths. Commands that only look need no more than this."""

from __future__ import annotations

import datetime as dt
import os
from dataclasses import dataclass
from pathlib import Path

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
    def reports(self) -> Path:
        return self.root / "reports"

    @property
    def exports(self) -> Path:
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
    def scratch(self) -> Path:
        """Temporary files of a run; safe to delete between runs."""
        return self.root / "scratch"


def default_home() -> Path:
    """PRODUCTPULSE_HOME, else `data/` in the checkout, else `data/` in the current folder."""
    given = os.environ.get("PRODUCTPULSE_HOME")
    if given:
        return Path(given).expanduser().resolve()
    is_checkout = (CHECKOUT / "pyproject.toml").exists()
    return (CHECKOUT if is_checkout else Path.cwd()) / "data"


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
