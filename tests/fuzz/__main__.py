"""Search for inputs that an entrance fails on, guided by the coverage of our code.

python -m tests.fuzz csv --seconds 1200 --corpus /tmp/fuzz-csv

Needs atheris (pip install atheris), which is not a dependency of the project: the suite tests the same
entrances with a few hundred inputs. The search writes each finding to a file next to the corpus; add its
bytes to tests/fuzz/findings.py.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path

OURS = ["productpulse_assets.sources", "rules", "yaml", "json", "csv"]
MISSING = "This needs atheris, which is not installed: pip install atheris. Nothing was tried."


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.fuzz", description=__doc__.splitlines()[0])
    parser.add_argument("entrance", choices=("csv", "json", "yaml"))
    parser.add_argument("--seconds", type=int, default=1200, help="duration of the search (1200)")
    parser.add_argument("--corpus", type=Path, required=True, help="folder for the inputs that reach new code")
    given = parser.parse_args()
    try:
        import atheris
    except ImportError:
        print(MISSING, file=sys.stderr)
        return 2
    given.corpus.mkdir(parents=True, exist_ok=True)
    with atheris.instrument_imports(include=OURS, enable_loader_override=False):
        target = prepare(given.entrance, given.corpus)
    options = [
        f"-max_total_time={given.seconds}",
        "-max_len=4096",
        "-len_control=20",
        "-timeout=60",
        "-rss_limit_mb=4096",
    ]
    found = f"-artifact_prefix={given.corpus.parent}/{given.entrance}-"
    atheris.Setup([sys.argv[0], *options, found, str(given.corpus)], target)
    atheris.Fuzz()
    return 0


def prepare(entrance: str, corpus: Path) -> Callable[[bytes], None]:
    """Write the seeds; returns the entrance as a function of bytes, the first of which selects name and encoding."""
    import ibis

    from tests.fuzz import entrances
    from tests.fuzz.seeds import seeds

    folder = Path(tempfile.mkdtemp(prefix="fuzz-"))
    backend = ibis.duckdb.connect()
    backend.con.execute("SET threads = 1")
    for number, seed in enumerate(seeds(entrance)):
        (corpus / f"seed-{number}").write_bytes(seed)

    def csv(variant: int, content: bytes) -> None:
        entrances.csv_entrance(backend, folder, content, *entrances.CSV[variant % len(entrances.CSV)])

    def json(variant: int, content: bytes) -> None:
        entrances.json_entrance(backend, folder, content, *entrances.JSON[variant % len(entrances.JSON)])

    def yaml(variant: int, content: bytes) -> None:
        entrances.yaml_entrance(folder / "rules", content, entrances.YAML[variant % len(entrances.YAML)])

    judge = {"csv": csv, "json": json, "yaml": yaml}[entrance]
    return lambda data: judge(data[0], data[1:]) if data else None


if __name__ == "__main__":
    sys.exit(main())
