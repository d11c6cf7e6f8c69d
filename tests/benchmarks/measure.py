"""The time and memory that a process used, as the kernel measured them."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from tests.benchmarks.company import CHECKOUT, default_environment

PEAK_UNIT = 1 if sys.platform == "darwin" else 1024
"""Bytes in one unit of ru_maxrss."""
OUTPUT_END = 2000


@dataclass(frozen=True)
class Cost:
    """Elapsed seconds, processor seconds, and the peak of resident memory in MB."""

    wall_seconds: float
    cpu_seconds: float
    peak_memory_mb: float


class ProcessFailed(Exception):
    """A measured process failed; the message has the end of its output."""


def measure(command: Sequence[str], log: Path) -> Cost:
    """Run `command`, with its output in `log`; raises ProcessFailed if it fails.

    A child starts as a copy of its parent, whose memory counts towards the child's peak. So this process must
    import nothing large.
    """
    with log.open("wb") as output:
        started = time.perf_counter()
        child = subprocess.Popen(
            command, cwd=CHECKOUT, env=default_environment(), stdout=output, stderr=subprocess.STDOUT
        )
        _pid, status, used = os.wait4(child.pid, 0)
        wall = time.perf_counter() - started
    child.returncode = os.waitstatus_to_exitcode(status)
    if child.returncode:
        output_end = log.read_text(encoding="utf-8", errors="replace")[-OUTPUT_END:]
        raise ProcessFailed(f"{' '.join(command)} ended with {child.returncode}:\n{output_end}")
    return Cost(wall, used.ru_utime + used.ru_stime, used.ru_maxrss * PEAK_UNIT / 1e6)
