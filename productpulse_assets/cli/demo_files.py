"""Restoring the demo company: the results of the demo are deleted, files of the user stay."""

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
from rules.text.errors import ProductPulseError


class NotDemoHome(ProductPulseError):
    """The results in the home come from the user's data, or it is not known from which data they come."""


@dataclass(frozen=True)
class DemoFiles:
    """What the demo company's runs wrote to a home: files, and the folder of the demo's history."""

    files: tuple[Path, ...]
    history: Path

    def __bool__(self) -> bool:
        return bool(self.files) or self.history.exists()

    def delete(self) -> None:
        """Delete them; a file that no longer exists is skipped."""
        for path in self.files:
            path.unlink(missing_ok=True)
        if self.history.exists():
            shutil.rmtree(self.history)


def files_of_demo(home: Home, defs: dg.Definitions) -> DemoFiles:
    """The files that runs of the demo company wrote, by the names that the program gives.

    Raises NotDemoHome if the last run did not use the demo company, or if it is not known which data it used.
    """
    inputs = published_inputs(home)
    if inputs is None and (home.published.exists() or home.warehouse.exists()):
        raise NotDemoHome(
            "demo.unknown_data",
            f"{home.root} may hold results of your own data: no complete run has finished since it was changed. "
            "Nothing was deleted. If it is the demo's home, run the demo once more, and then reset it: "
            f"productpulse run --home {home.root}",
            home=home.root,
        )
    if inputs is not None and not inputs.is_demo:
        raise NotDemoHome(
            "demo.own_data",
            f"The last run in {home.root} used your own data, not the demo company. Nothing was deleted. "
            "Give the demo's home with --home.",
            home=home.root,
        )
    files = [*_company_files(home), *_published_files(home), *_result_files(home, defs)]
    return DemoFiles(tuple(path for path in files if path.is_file()), home.history / OF_DEMO)


def generate_demo(home: Home) -> dict[str, int]:
    """Write the demo company's exports as a first run does; returns the number of rows by dataset."""
    return generate(CompanyPlan(), home.synthetic, "csv")


def _company_files(home: Home) -> Iterator[Path]:
    """The demo company's exports; without their manifest they may be the user's."""
    if (home.synthetic / MANIFEST).exists():
        yield home.synthetic / MANIFEST
        yield from (home.synthetic / f"{name}.{ending}" for name in DATASETS for ending in ("csv", "parquet"))


def _published_files(home: Home) -> Iterator[Path]:
    yield from (home.inputs, home.published, home.warehouse, home.warehouse.with_name(f"{home.warehouse.name}.wal"))


def _result_files(home: Home, defs: dg.Definitions) -> Iterator[Path]:
    """Reports and exported tables, named after their assets."""
    reports = ReportFiles(folder=str(home.reports))
    for definition in defs.assets or ():
        if not isinstance(definition, dg.AssetsDefinition):
            continue
        for key, spec in definition.specs_by_key.items():
            manager = definition.get_io_manager_key_for_asset_key(key)
            if manager == "warehouse":
                yield from (home.exports / f"{key.path[-1]}.{ending}" for ending in ("csv", "parquet"))
            elif manager == "reports":
                yield reports.path_of(spec.metadata.get("file", key.path[-1]))
