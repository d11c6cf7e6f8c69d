"""Rules that a test may change."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

RULES = Path(__file__).parents[3] / "rules"


@pytest.fixture
def rules(tmp_path) -> Path:
    """A copy of the shipped rules, which a test may change."""
    folder = tmp_path / "rules"
    folder.mkdir()
    for path in RULES.glob("*.yaml"):
        shutil.copy(path, folder)
    return folder
