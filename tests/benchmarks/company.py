"""The simulated company that a benchmark uses: generated once, then kept."""

from __future__ import annotations

import hashlib
import json
import os
import subprocess
import sys
import tempfile
from pathlib import Path

CHECKOUT = Path(__file__).resolve().parents[2]
SIMULATOR = CHECKOUT / "productpulse_assets" / "synthetic"
DEFAULT_CACHE = Path(tempfile.gettempdir()) / "productpulse-benchmarks"
PRODUCTPULSE = (sys.executable, "-m", "productpulse_assets.cli")


def ensure_company(customers: int, file_format: str, cache: Path, seed: int = 42) -> tuple[Path, dict[str, int]]:
    """The folder of a simulated company's exports, and its number of rows by dataset.

    Another version of the simulator gives another company, so the simulator's fingerprint is in the folder's name.
    """
    folder = cache / f"{customers}-{seed}-{file_format}-{_fingerprint(SIMULATOR)}"
    # The manifest is written last: without it, an earlier attempt was not completed.
    manifest = folder / "manifest.json"
    if not manifest.exists():
        wanted = ("--customers", str(customers), "--seed", str(seed), "--format", file_format, "--out", str(folder))
        subprocess.run([*PRODUCTPULSE, "generate", *wanted], check=True, cwd=CHECKOUT, stdout=subprocess.DEVNULL)
    return folder, json.loads(manifest.read_text(encoding="utf-8"))["rows"]


def _fingerprint(folder: Path) -> str:
    content = hashlib.sha256()
    for file in sorted(folder.glob("*.py")):
        content.update(file.read_bytes())
    return content.hexdigest()[:8]


def default_environment() -> dict[str, str]:
    """The environment without PRODUCTPULSE_ and DAGSTER_ variables, so that every measurement uses the defaults."""
    return {name: value for name, value in os.environ.items() if not name.startswith(("PRODUCTPULSE_", "DAGSTER_"))}
