"""Many runs at once in one home, while somebody reads the snapshot over and over.

python -m tests.operations.crowd --runs 10
"""

from __future__ import annotations

import argparse
import sys
import tempfile
import time
from collections import Counter
from pathlib import Path

from resources.home import Home
from tests.operations.snapshots import company, content, printed, start

WAITED = "did not end within"


def crowd(runs: int, wait: int, folder: Path) -> tuple[Counter[str], int]:
    """How the runs ended, and how often the snapshot was read meanwhile.

    Raises AssertionError for an end other than a good one or the sentence that another is at work, and
    for a reader who sees anything but a whole snapshot.
    """
    data, home = company(folder / "exports", seed=1), folder / "home"
    first = start(home, data)
    assert first.wait() == 0, printed(first)
    whole, reads = content(Home(home).published), 0
    processes = [start(home, data, "--force", "--wait", str(wait)) for _run in range(runs)]
    while any(process.poll() is None for process in processes):
        assert content(Home(home).published) == whole
        reads += 1
        time.sleep(0.05)
    ends: Counter[str] = Counter()
    for process in processes:
        text = printed(process)
        if process.returncode == 0:
            ends["done"] += 1
        else:
            assert process.returncode == 1 and WAITED in text and "Traceback" not in text, text
            ends["told to come back"] += 1
    return ends, reads


def main() -> int:
    """Start them, and print how they ended."""
    options = argparse.ArgumentParser(prog="python -m tests.operations.crowd", description=__doc__.splitlines()[0])
    options.add_argument("--runs", type=int, default=10)
    options.add_argument("--wait", type=int, default=60, help="seconds that each waits for its turn (60)")
    given = options.parse_args()
    with tempfile.TemporaryDirectory(prefix="productpulse-crowd-") as folder:
        ends, reads = crowd(given.runs, given.wait, Path(folder))
    told = ", ".join(f"{count} {end}" for end, count in ends.items())
    print(f"{given.runs} runs at once: {told}. The snapshot was read {reads} times and was whole each time.")
    return 0


if __name__ == "__main__":
    sys.exit(main())
