"""What a published home holds, in a form to compare."""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
from pathlib import Path

import duckdb

from productpulse_assets.synthetic import CompanyPlan, write_company
from resources.home import Home

CHECKOUT = Path(__file__).resolve().parents[2]
RUN = (sys.executable, "-m", "productpulse_assets.cli", "run")
OF_THE_PAST = {"previous_decisions", "decision_changes"}
"""Tables that also depend on what was published before."""

Content = dict[str, tuple[int, int]]
"""Rows and a hash over them, by table."""


def environment() -> dict[str, str]:
    """Without settings of its own, so that a run has the program's defaults."""
    return {name: value for name, value in os.environ.items() if not name.startswith(("PRODUCTPULSE_", "DAGSTER_"))}


def start(home: Path, data: Path, *options: str) -> subprocess.Popen:
    """`productpulse run` in a process of its own; what it prints is kept in a file that goes with it."""
    output = tempfile.TemporaryFile("w+")  # noqa: SIM115  read after the process has ended
    command = [*RUN, "--home", str(home), "--data", str(data), *options]
    process = subprocess.Popen(command, stdout=output, stderr=subprocess.STDOUT, cwd=CHECKOUT, env=environment())
    process.printed = output
    return process


def printed(process: subprocess.Popen) -> str:
    """All that an ended run printed."""
    process.wait()
    process.printed.seek(0)
    return process.printed.read()


def company(folder: Path, seed: int, customers: int = 60) -> Path:
    """The exports of a small company, other for every seed."""
    write_company(CompanyPlan(customers=customers, months=14, seed=seed), folder, "csv")
    return folder


def content(snapshot: Path) -> Content:
    """Rows and hash of every table that today's inputs alone decide."""
    with duckdb.connect(str(snapshot), read_only=True) as store:
        names = [name for (name,) in store.execute("SELECT table_name FROM duckdb_tables()").fetchall()]
        wanted = sorted(set(names) - OF_THE_PAST)
        return {
            name: store.execute(f'SELECT count(*), coalesce(sum(hash(t)), 0)::HUGEINT FROM "{name}" AS t').fetchone()
            for name in wanted
        }


def papers(home: Path) -> dict[str, bytes]:
    """Reports and exports by name, but for what depends on the past."""
    place = Home(home)
    files = [path for folder in (place.reports, place.exports) if folder.exists() for path in folder.iterdir()]
    return {
        f"{path.parent.name}/{path.name}": path.read_bytes()
        for path in files
        if path.stem not in OF_THE_PAST and not path.name.startswith(".")
    }
