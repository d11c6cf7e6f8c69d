"""How long a run takes, in which steps, and how much longer than DuckDB alone needs to read the files.

python -m tests.benchmarks --customers 20000 --format parquet --json now.json --against before.json
"""

from __future__ import annotations

import argparse
import json
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path

from tests.benchmarks.company import DEFAULT_CACHE, PRODUCTPULSE, ensure_company
from tests.benchmarks.measure import ProcessFailed, measure
from tests.benchmarks.report import Figures, NotComparable, Run, comparison, figures, lines
from tests.benchmarks.steps import recorded_seconds


def arguments(given: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m tests.benchmarks", description=__doc__.splitlines()[0])
    parser.add_argument("--customers", type=_at_least_one, default=1000, help="size of the demo company (1000)")
    parser.add_argument("--runs", type=_at_least_one, default=3, help="runs to take the median of (3)")
    parser.add_argument("--format", choices=("csv", "parquet"), default="csv", help="format of the source files (csv)")
    parser.add_argument("--cache", type=Path, default=DEFAULT_CACHE, help="folder that keeps generated companies")
    parser.add_argument("--json", type=Path, help="file to write the figures to")
    parser.add_argument("--against", type=Path, help="file of an earlier --json to compare with")
    return parser.parse_args(given)


def _at_least_one(text: str) -> int:
    number = int(text)
    if number < 1:
        raise argparse.ArgumentTypeError(f"is {number}; at least 1 is needed")
    return number


def run_once(data: Path) -> Run:
    """DuckDB's read of the files, then the run; each in its own process, with a new home."""
    with tempfile.TemporaryDirectory(prefix="productpulse-benchmark-") as folder:
        scratch = Path(folder)
        home, log = scratch / "home", scratch / "output.txt"
        read_files = (sys.executable, "-m", "tests.benchmarks.floor", str(data), str(scratch / "floor.duckdb"))
        floor = measure(read_files, log)
        whole = measure((*PRODUCTPULSE, "run", "--data", str(data), "--home", str(home)), log)
        return Run(whole, floor, **recorded_seconds(home / "dagster_home"))


def main(given: Sequence[str] | None = None) -> int:
    """Measure and print; returns 1 if the measured program fails, 2 if the other figures are not comparable."""
    wanted = arguments(given)
    # Read first, so that a wrong file is reported before the measurement, which takes minutes.
    before: Figures | None = json.loads(wanted.against.read_text(encoding="utf-8")) if wanted.against else None
    data, rows = ensure_company(wanted.customers, wanted.format, wanted.cache.resolve())
    try:
        now = figures(wanted.customers, wanted.format, rows, [run_once(data) for _ in range(wanted.runs)])
    except ProcessFailed as failure:
        print(failure, file=sys.stderr)
        return 1
    print(*lines(now), sep="\n")
    if wanted.json:
        wanted.json.write_text(json.dumps(now, indent=2) + "\n", encoding="utf-8")
    try:
        if before:
            print("", *comparison(now, before), sep="\n")
    except NotComparable as difference:
        print(difference, file=sys.stderr)
        return 2
    return 0


if __name__ == "__main__":
    sys.exit(main())
