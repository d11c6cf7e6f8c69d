"""The folders and files that the program writes: the one place that knows their paths.

Imports nothing heavy, so that a command that only reads starts quickly.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from rules.text.errors import ProductPulseError

CHECKOUT = Path(__file__).resolve().parent.parent


class SettingsError(ProductPulseError):
    """A setting cannot be used; the message says which, what was found and what is accepted."""


@dataclass(frozen=True)
class Home:
    """The folder that the program writes to, with the paths of everything in it."""

    root: Path

    @property
    def warehouse(self) -> Path:
        """The working DuckDB file; only a run opens it."""
        return self.root / "productpulse.duckdb"

    @property
    def published(self) -> Path:
        """The snapshot that readers open; replaced in one step at the end of a successful run."""
        return self.root / "published" / "productpulse.duckdb"

    @property
    def inputs(self) -> Path:
        """The inputs of the snapshot; missing while a run works and after a failed run."""
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
        """Dagster's own folder, with its event log."""
        return self.root / "dagster_home"

    @property
    def history(self) -> Path:
        """KPI rows and open decisions, a Parquet file for each as-of date; no run deletes them."""
        return self.root / "published" / "history"

    @property
    def run_lock(self) -> Path:
        """The lock file of the home; its text names the process of the run at work."""
        return self.root / "run.lock"

    @property
    def compiled(self) -> Path:
        """The compiled graph: an SQL file for each table, replaced when rules or program change."""
        return self.root / "compiled"

    @property
    def scratch(self) -> Path:
        """Temporary files of a run; safe to delete between runs."""
        return self.root / "scratch"


def is_utf8_path(path: Path) -> bool:
    """Whether the path can be given to a database: file systems accept any bytes as a name."""
    try:
        return bool(str(path).encode("utf-8"))
    except UnicodeEncodeError:
        return False
