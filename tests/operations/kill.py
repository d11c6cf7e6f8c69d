"""Kill runs at random moments: what is published stays whole, and the next run works as if nothing had been.

python -m tests.operations.kill --rounds 30
"""

from __future__ import annotations

import argparse
import random
import shutil
import sys
import tempfile
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import duckdb

from resources.home import Home
from tests.operations.snapshots import Content, company, content, papers, printed, start


@dataclass(frozen=True)
class Reference:
    """What a run over a folder of exports publishes when nobody disturbs it."""

    data: Path
    tables: Content
    papers: dict[str, bytes]
    seconds: float


class Damage(AssertionError):
    """A kill left something that it must not; the message says what."""


def reference_run(data: Path, home: Path) -> Reference:
    """A whole run, and what came of it."""
    began = time.perf_counter()
    process = start(home, data)
    text = printed(process)
    if process.returncode:
        raise Damage(f"A run that was not killed failed:\n{text}")
    return Reference(data, content(Home(home).published), papers(home), time.perf_counter() - began)


def rounds(number: int, seed: int, folder: Path) -> Iterator[str]:
    """Kill, look, run again; a line about each round. Raises Damage."""
    chance = random.Random(seed)
    now, other = (reference_run(company(folder / f"company-{n}", n), folder / f"reference-{n}") for n in (1, 2))
    home = folder / "home"
    shutil.copytree(folder / "reference-1", home)
    for round_number in range(1, number + 1):
        moment = chance.uniform(0.2, other.seconds)
        killed = start(home, other.data)
        time.sleep(moment)
        killed.kill()
        last = printed(killed).splitlines()
        seen = after_kill(home, now, other)
        again = start(home, other.data, "--force")
        text = printed(again)
        if again.returncode:
            raise Damage(f"After a kill at {moment:.2f} s the next run failed:\n{text}")
        after_run(home, other, text)
        yield f"{round_number:>3}. killed at {moment:5.2f} s, {last[-1] if last else 'starting up':<50} snapshot {seen}"
        now, other = other, now


def after_kill(home: Path, before: Reference, after: Reference) -> str:
    """Whether the snapshot is the one before or the new one; reports, exports and history are whole."""
    tables = content(Home(home).published)
    if tables not in (before.tables, after.tables):
        raise Damage("The snapshot is neither the one before nor the new one.")
    for name, found in papers(home).items():
        if found not in (before.papers[name], after.papers[name]):
            raise Damage(f"{name} is neither the one before nor the new one.")
    for file in Home(home).history.rglob("*.parquet"):
        duckdb.read_parquet(str(file)).fetchall()
    return "as it was" if tables == before.tables else "new"


def after_run(home: Path, expected: Reference, text: str) -> None:
    """Everything is new, as if there had been no kill, and nothing half lies about."""
    if content(Home(home).published) != expected.tables:
        raise Damage("The next run did not publish what a run that was not killed does.")
    if (found := papers(home)) != expected.papers:
        names = [name for name in expected.papers if found.get(name) != expected.papers[name]]
        raise Damage(f"After the next run {', '.join(names)} are not those of a run that was not killed.")
    if parts := list(home.rglob("*.part")):
        raise Damage(f"{parts[0]} was left behind.")
    if "Traceback" in text:
        raise Damage(text)


def main() -> int:
    """Play the rounds and print them; 1 at the first damage."""
    options = argparse.ArgumentParser(prog="python -m tests.operations.kill", description=__doc__.splitlines()[0])
    options.add_argument("--rounds", type=int, default=30)
    options.add_argument("--seed", type=int, default=1, help="of the moments")
    given = options.parse_args()
    with tempfile.TemporaryDirectory(prefix="productpulse-kill-") as folder:
        try:
            for line in rounds(given.rounds, given.seed, Path(folder)):
                print(line, flush=True)
        except Damage as damage:
            print(damage, file=sys.stderr)
            return 1
    print(f"{given.rounds} kills: nothing was damaged, and every next run worked.")
    return 0


if __name__ == "__main__":
    sys.exit(main())
