"""Rules that a test may spoil."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

RULES = Path(__file__).parents[3] / "rules"


@pytest.fixture
def rules(tmp_path) -> Path:
    """A copy of the rules that come along, for a test to spoil."""
    folder = tmp_path / "rules"
    folder.mkdir()
    for path in RULES.glob("*.yaml"):
        shutil.copy(path, folder)
    return folder
