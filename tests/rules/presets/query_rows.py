"""The rows of a preset's query, without the rest of the graph."""

from __future__ import annotations

from pathlib import Path

import duckdb

from productpulse_assets.sources.location import locate
from productpulse_assets.sources.query_files import read_query_with_files
from resources.duckdb_connection import FileAccess, set_up
from resources.settings import Settings
from rules.rule_set import read_rules


def query_rows(rules: Path, exports: Path, dataset: str) -> list[dict]:
    """The rows that a dataset's query in the folder `rules` gives for the files in `exports`, in their order."""
    settings = Settings(home=exports / "home", data_dir=exports)
    backend = set_up(duckdb.connect(), "UTC", FileAccess(query_folder=exports))
    location = locate(dataset, settings, read_rules(rules))
    raw = read_query_with_files(backend, location, settings.home.scratch)
    return raw.rows.order_by("row_number").drop("source_file", "row_number").to_pyarrow().to_pylist()
