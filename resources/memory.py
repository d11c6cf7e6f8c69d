"""How much memory DuckDB may use before it works on disk."""

from __future__ import annotations

import os
import re
from pathlib import Path

from resources.home import SettingsError

CONTAINER_MEMORY = Path("/sys/fs/cgroup/memory.max")
MEMORY_UNITS = ("KB", "MB", "GB", "TB", "KiB", "MiB", "GiB", "TiB")
LEAST_MEMORY = 256 * 10**6
"""Bytes; with less, DuckDB has no room for the blocks of its threads."""
MOST_MEMORY = 10**18
"""Bytes; DuckDB counts them in 64 bits, and a larger number fails without a clear message."""


def parse_memory_limit(text: str | None) -> str:
    """DuckDB's memory_limit, such as '8GB'; without one, half of the machine's memory.

    Half, because a run uses more than DuckDB counts (Python, and memory that is not yet returned to the system), and
    the dashboard and the file cache need some too. Raises SettingsError for a text that is not an amount, or not one
    between LEAST_MEMORY and MOST_MEMORY.
    """
    if not text:
        return f"{max(LEAST_MEMORY, _machine_memory() // 2) // 10**6}MB"
    found = re.fullmatch(r"(\d+(?:\.\d+)?)\s*([KMGT]i?B)", text.strip(), re.IGNORECASE)
    units = {unit.lower(): unit for unit in MEMORY_UNITS}
    if not found or not LEAST_MEMORY <= _bytes(float(found[1]), units[found[2].lower()]) <= MOST_MEMORY:
        raise SettingsError(
            "settings.memory_limit_not_an_amount",
            f"The memory limit is '{text}', which is not an amount between 256 MB and 1,000,000 TB. "
            f"Give PRODUCTPULSE_MEMORY_LIMIT as a number and a unit ({', '.join(MEMORY_UNITS)}), for example 8GB.",
        )
    return f"{found[1]}{units[found[2].lower()]}"


def _bytes(number: float, unit: str) -> float:
    return number * float(1024 if "i" in unit else 1000) ** ("KMGT".index(unit[0]) + 1)


def _machine_memory() -> int:
    """Bytes of the machine, or of the container if that has less."""
    whole = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    allowed = CONTAINER_MEMORY.read_text().strip() if CONTAINER_MEMORY.exists() else ""
    return min(whole, int(allowed)) if allowed.isdigit() else whole
