"""Killed runs and many at once, as the scripts beside this play them, a few times."""

from pathlib import Path

import pytest

from tests.operations.crowd import crowd
from tests.operations.kill import rounds

pytestmark = pytest.mark.slow


def test_killed_runs_damage_nothing_and_the_next_run_works(tmp_path: Path):
    lines = list(rounds(3, seed=7, folder=tmp_path))
    assert len(lines) == 3


def test_runs_at_once_end_well_or_with_a_sentence_and_readers_see_whole_snapshots(tmp_path: Path):
    ends, reads = crowd(10, wait=15, folder=tmp_path)
    assert sum(ends.values()) == 10
    assert ends["done"] >= 1
    assert reads > 0
