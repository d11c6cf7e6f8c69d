"""The settings of a run and the folders it uses: the one place that knows paths."""

from __future__ import annotations

import datetime as dt
import os
import re
from dataclasses import dataclass
from pathlib import Path

import dagster as dg

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


CONTAINER_MEMORY = Path("/sys/fs/cgroup/memory.max")
MEMORY_UNITS = ("KB", "MB", "GB", "TB", "KiB", "MiB", "GiB", "TiB")
LEAST_MEMORY = 256 * 10**6
"""Bytes; below it DuckDB has no room for the blocks that its threads work on."""


def parse_memory_limit(text: str | None) -> str:
    """DuckDB's memory_limit, such as '8GB'; without one, half of the machine's memory.

    Half, because what DuckDB counts is not all that a run takes (Python, and memory on its way
    back to the system), and a dashboard and the file cache want their share. Raises SettingsError
    for what is no amount, or under 256 MB.
    """
    if not text:
        return f"{max(LEAST_MEMORY, _machine_memory() // 2) // 10**6}MB"
    found = re.fullmatch(r"(\d+(?:\.\d+)?)\s*([KMGT]i?B)", text.strip(), re.IGNORECASE)
    units = {unit.lower(): unit for unit in MEMORY_UNITS}
    if not found or _bytes(float(found[1]), units[found[2].lower()]) < LEAST_MEMORY:
        raise SettingsError(
            f"The memory limit is '{text}', which is not an amount of at least 256 MB. "
            f"Give PRODUCTPULSE_MEMORY_LIMIT as a number and a unit ({', '.join(MEMORY_UNITS)}), for example 8GB."
        )
    return f"{found[1]}{units[found[2].lower()]}"


def _bytes(number: float, unit: str) -> float:
    return number * (1024 if "i" in unit else 1000) ** ("KMGT".index(unit[0]) + 1)


def _machine_memory() -> int:
    """Bytes of the machine, or of the container if that has less."""
    whole = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    allowed = CONTAINER_MEMORY.read_text().strip() if CONTAINER_MEMORY.exists() else ""
    return min(whole, int(allowed)) if allowed.isdigit() else whole


class RunSettings(dg.ConfigurableResource):
    """What a run is a function of, besides the rules: the as-of date and the source files."""

    home_dir: str
    data_dir: str | None = None
    as_of: str | None = None

    @classmethod
    def from_environment(cls) -> RunSettings:
        """PRODUCTPULSE_HOME, PRODUCTPULSE_DATA_DIR and PRODUCTPULSE_AS_OF, all optional."""
        data_dir = os.environ.get("PRODUCTPULSE_DATA_DIR")
        return cls(
            home_dir=str(default_home()),
            data_dir=str(Path(data_dir).expanduser().resolve()) if data_dir else None,
            as_of=os.environ.get("PRODUCTPULSE_AS_OF") or None,
        )

    @property
    def home(self) -> Home:
        return Home(Path(self.home_dir))

    @property
    def source_folder(self) -> Path | None:
        return Path(self.data_dir) if self.data_dir else None

    @property
    def as_of_date(self) -> dt.date | None:
        return parse_as_of(self.as_of)
