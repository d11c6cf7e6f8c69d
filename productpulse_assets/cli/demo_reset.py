"""Putting the demo company of the first day back: what was made of it goes, what a user brought stays."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import dagster as dg

from asset_checks.contracts import DATASETS
from productpulse_assets.sources.demo import MANIFEST, generate
from productpulse_assets.synthetic import CompanyPlan
from resources.decision_history import OF_DEMO
from resources.home import Home
from resources.outputs import ReportFiles
from resources.snapshot_manifest import published_inputs


class NotTheDemo(Exception):
    """What is in the home was not made of the demo company, or that cannot be told; the message says which."""


@dataclass(frozen=True)
class Remains:
    """What the demo company left in a home: files, and a folder that holds nothing else."""

    files: tuple[Path, ...]
    history: Path

    def __bool__(self) -> bool:
        return bool(self.files) or self.history.exists()

    def delete(self) -> None:
        """Delete them; a file that has gone meanwhile is no matter."""
        for path in self.files:
            path.unlink(missing_ok=True)
        if self.history.exists():
            shutil.rmtree(self.history)


def remains_of_demo(home: Home, defs: dg.Definitions) -> Remains:
    """What to delete; raises NotTheDemo unless the last run of the home was on the demo company.

    Only files of the names that the program gives are among them.
    """
    made_of = published_inputs(home)
    if made_of is None and (home.published.exists() or home.warehouse.exists()):
        raise NotTheDemo(
            f"What is in {home.root} may be made of your own data: no run of the whole graph has come to its end since "
            "it was changed. Nothing was deleted. If it is the demo's, run that once more: "
            f"productpulse run --home {home.root}"
        )
    if made_of is not None and not made_of.is_demo:
        raise NotTheDemo(
            f"The last run in {home.root} was on your own data, not on the demo company. Nothing was deleted. "
            "Give the demo's home with --home."
        )
    files = [*_exports_of_demo(home), *_published(home), *_made_files(home, defs)]
    return Remains(tuple(path for path in files if path.is_file()), home.history / OF_DEMO)


def put_back(home: Home) -> dict[str, int]:
    """Generate the demo company as a first run does; rows by dataset."""
    return generate(CompanyPlan(), home.synthetic, "csv")


def _exports_of_demo(home: Home) -> Iterator[Path]:
    """The company's own files; without their manifest they are not known to be ours."""
    if (home.synthetic / MANIFEST).exists():
        yield home.synthetic / MANIFEST
        yield from (home.synthetic / f"{name}.{ending}" for name in DATASETS for ending in ("csv", "parquet"))


def _published(home: Home) -> Iterator[Path]:
    yield from (home.inputs, home.published, home.warehouse, home.warehouse.with_name(f"{home.warehouse.name}.wal"))


def _made_files(home: Home, defs: dg.Definitions) -> Iterator[Path]:
    """Reports and exports, by the names of the assets that make them."""
    reports = ReportFiles(folder=str(home.reports))
    for definition in defs.assets:
        for key, spec in definition.specs_by_key.items():
            manager = definition.get_io_manager_key_for_asset_key(key)
            if manager == "warehouse":
                yield from (home.exports / f"{key.path[-1]}.{ending}" for ending in ("csv", "parquet"))
            elif manager == "reports":
                yield reports.path_of(spec.metadata.get("file", key.path[-1]))
