"""A dataset's files in a folder, split by the sources step."""

from __future__ import annotations

from collections.abc import Callable

import ibis
import pytest

from rules.models import Sources
from tests.productpulse_assets.sources.staged import PLAIN, Outcome, staged


@pytest.fixture(scope="module")
def backend():
    return ibis.duckdb.connect()


@pytest.fixture
def stage(backend, tmp_path) -> Callable[..., Outcome]:
    """Splits the dataset's files in tmp_path; parents: {column: (kept keys, rejected keys)}."""

    def run(
        name: str, sources: Sources = PLAIN, parents: dict | None = None, rates: list[dict] | None = None
    ) -> Outcome:
        return staged(backend, tmp_path, name, sources, parents or {}, rates)

    return run
