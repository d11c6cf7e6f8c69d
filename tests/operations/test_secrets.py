"""No value of an environment variable, no password and no foreign path is in what a run leaves behind or prints."""

from __future__ import annotations

import os
import re
import shutil
import sqlite3
import subprocess
import sys
import sysconfig
from pathlib import Path

import dagster as dg
import pytest

from resources.home import CHECKOUT

pytestmark = pytest.mark.slow

SECRET = "hunter2"
PLANTED = {
    "SECRET_TOKEN": f"{SECRET}-token",
    "DATABASE_URL": f"postgres://app:{SECRET}@db.internal/prod",
    "PRODUCTPULSE_DSN": f"postgres://app:{SECRET}@db.internal/prod",
    "AWS_SECRET_ACCESS_KEY": f"{SECRET}-key",
}
QUERIES = {
    "an extension": f"SELECT * FROM postgres_scan('host=db password={SECRET}', 'public', 't')",
    "an address": f"FROM 'https://app:{SECRET}@127.0.0.1:9/t.csv'",
    "a mistake": f"SELECT 'postgres://app:{SECRET}@db/prod' AS month FROM nowhere",
}
PROGRAM = tuple({str(CHECKOUT), *(str(Path(sysconfig.get_path(name)).resolve()) for name in ("stdlib", "purelib"))})
"""Where the program and its libraries are: Dagster keeps their file names in the frames of a traceback."""
PATH = re.compile(r"(?<![\w.:/])/(?:[\w.@+-]+/)+[\w.@+-]+")


def run(exports: Path, home: Path, *more: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "productpulse_assets.cli", "run", "--data", exports, "--home", home, *more]
    return subprocess.run(command, env=os.environ | PLANTED, capture_output=True, text=True, check=False)


def left_behind(home: Path) -> list[Path]:
    """Files in which the secret is, as it is."""
    return [file for file in home.rglob("*") if file.is_file() and SECRET.encode() in file.read_bytes()]


def foreign_paths(home: Path, *ours: Path) -> set[str]:
    """Absolute paths in Dagster's history that are in no folder of the run, nor the program's own."""
    known = (*PROGRAM, *(str(Path(dg.__file__).resolve().parents[1]),), *map(str, ours))
    found = set()
    for file in (home / "dagster_home").rglob("*.db"):
        with sqlite3.connect(file) as history:
            tables = [name for (name,) in history.execute("SELECT name FROM sqlite_master WHERE type = 'table'")]
            rows = [row for table in tables for row in history.execute(f'SELECT * FROM "{table}"')]
        found |= {path for row in rows for value in row for path in PATH.findall(str(value))}
    return {path for path in found if not path.startswith(known)}


def test_a_run_keeps_no_secret_and_no_foreign_path(exports, tmp_path):
    result = run(exports, tmp_path / "home")
    assert result.returncode == 0, result.stderr
    assert SECRET not in result.stdout + result.stderr
    assert left_behind(tmp_path / "home") == []
    assert foreign_paths(tmp_path / "home", tmp_path / "home", exports) == set()


@pytest.mark.parametrize("query", QUERIES.values(), ids=QUERIES)
def test_a_run_that_fails_at_a_query_keeps_no_secret_and_no_foreign_path(exports, tmp_path, query):
    rules = Path(shutil.copytree(CHECKOUT / "rules", tmp_path / "rules"))
    (rules / "sources.yaml").write_text(f"datasets:\n  targets:\n    query: |\n      {query}\n")
    result = run(exports, tmp_path / "home", "--rules", str(rules))
    assert result.returncode == 1
    assert "The query for targets in rules/sources.yaml" in result.stderr
    assert SECRET not in result.stdout + result.stderr
    assert left_behind(tmp_path / "home") == []
    assert foreign_paths(tmp_path / "home", tmp_path / "home", exports, rules) == set()
