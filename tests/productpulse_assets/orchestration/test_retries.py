"""Wherever the graph reads and writes files, a fault that passes does not end the run."""

from __future__ import annotations

import errno
import importlib
import os

import pytest

from resources import retries

pytestmark = pytest.mark.slow


@pytest.mark.parametrize(
    ("selection", "place"),
    [
        ("source_inventory", "productpulse_assets.sources.inventory.locate"),
        ("customers", "productpulse_assets.sources.assets._read"),
        ("owner_workload", "resources.warehouse.create_table"),
        ("health_scores", "resources.warehouse.store"),
        ("executive_summary", "resources.outputs.atomic_file"),
        ("published_snapshot", "productpulse_assets.published.snapshot.copy_store"),
        ("exports", "productpulse_assets.published.exports.export"),
    ],
)
def test_a_fault_that_passes_does_not_end_the_run(productpulse, home, exports, monkeypatch, selection, place):
    module, name = place.rsplit(".", 1)
    work, tries = getattr(importlib.import_module(module), name), []

    def fails_at_first(*given, **named):
        tries.append(given)
        if len(tries) == 1:
            raise OSError(errno.EIO, os.strerror(errno.EIO))
        return work(*given, **named)

    monkeypatch.setattr(retries, "WAIT_SECONDS", 0)
    monkeypatch.setattr(place, fails_at_first)
    result = productpulse("run", "--data", exports, "--home", home, "--select", selection)
    assert result.exit_code == 0, result.output
    assert len(tries) > 1
