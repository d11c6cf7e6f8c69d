"""Nobody but its user can read what is in the home, whatever the umask is and whoever wrote the file."""

from __future__ import annotations

import csv
import gzip
import json
import os
import stat
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from productpulse_assets.sources.readers import raw_rows as reading
from resources.dagster_home import prepare_dagster_home
from resources.home import Home
from resources.private_files import close_to_others, keep_private

pytestmark = pytest.mark.slow

OPEN_TO_ALL, USUAL = 0o000, 0o022


@pytest.fixture(autouse=True)
def umask() -> Iterator[None]:
    """The most careless umask for each test; the one from before afterwards."""
    before = os.umask(OPEN_TO_ALL)
    yield
    os.umask(before)


def modes(folder: Path) -> dict[str, str]:
    """The permissions of a folder and of everything in it, by path."""
    paths = [folder, *folder.rglob("*")]
    return {str(path.relative_to(folder)): oct(stat.S_IMODE(path.lstat().st_mode)) for path in paths}


def open_to_others(found: dict[str, str]) -> dict[str, str]:
    return {path: mode for path, mode in found.items() if int(mode, 8) & 0o077}


def open_up(folder: Path) -> None:
    """The permissions that an earlier version gave its files."""
    for path in (folder, *folder.rglob("*")):
        path.chmod(0o755 if path.is_dir() else 0o644)


@pytest.fixture(scope="module")
def demo_home(tmp_path_factory) -> Path:
    """The home of a demo that another process ran under the most careless umask."""
    home = tmp_path_factory.mktemp("open") / "home"
    command = [sys.executable, "-m", "productpulse_assets.cli", "run", "--home", str(home)]
    subprocess.run(command, umask=OPEN_TO_ALL, check=True, capture_output=True, cwd=Path(__file__).parents[2])
    return home


def test_every_file_of_the_demo_is_private(demo_home):
    found = modes(demo_home)
    assert open_to_others(found) == {}
    assert found["."] == found["published/history"] == "0o700"
    private = {path for path, mode in found.items() if mode == "0o600"}
    assert {
        "productpulse.duckdb",
        "run.lock",
        "published/productpulse.duckdb",
        "published/inputs.json",
        "published/history/demo/kpis/2026-06-30.parquet",
        "reports/executive_summary.md",
        "reports/executive_report.html",
        "exports/customers.csv",
        "exports/customers.parquet",
        "synthetic/customers.csv",
        "synthetic/manifest.json",
        "dagster_home/dagster.yaml",
        "dagster_home/history/runs.db",
        "dagster_home/history/runs/index.db",
        "dagster_home/schedules/schedules.db",
    } <= private
    assert any(path.startswith("dagster_home/history/runs/") and path != "dagster_home/history/runs/index.db"
               for path in private)  # fmt: skip


def test_files_of_a_run_at_work_are_private(productpulse, exports, tmp_path, monkeypatch):
    packed = exports / "customers.csv.gz"
    packed.write_bytes(gzip.compress((exports / "customers.csv").read_bytes()))
    (exports / "customers.csv").unlink()
    home, seen = tmp_path / "home", {}
    load = reading.load_csv

    def look_after_loading(*arguments: object) -> None:
        load(*arguments)
        seen.update(modes(home))

    monkeypatch.setattr(reading, "load_csv", look_after_loading)
    assert productpulse("run", "--data", exports, "--home", home).exit_code == 0
    assert open_to_others(seen) == {}
    written = {Path(path).name for path in seen}
    assert {"utf8_copy.txt", "productpulse.duckdb", "productpulse.duckdb.wal", "run.lock"} <= written


def test_what_is_unpacked_stays_within_the_home_and_goes_with_the_next_run(
    productpulse, exports, tmp_path, monkeypatch
):
    """There is no folder for temporary files but the home."""
    with (exports / "customers.csv").open(encoding="utf-8", newline="") as stream:
        lines = [json.dumps(row) for row in csv.DictReader(stream)]
    (exports / "customers.jsonl.gz").write_bytes(gzip.compress("\n".join(lines).encode()))
    (exports / "customers.csv").unlink()
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path / "not there"))
    place = Home(tmp_path / "home")
    assert productpulse("validate", "--data", exports, "--home", place.root).exit_code == 0
    left = place.scratch / "tmp_of_a_killed_run" / "utf8_copy.txt"
    left.parent.mkdir(parents=True)
    left.touch()
    assert productpulse("run", "--data", exports, "--home", place.root).exit_code == 0
    assert not left.exists()


def test_what_an_earlier_version_left_is_closed_by_the_next_run(productpulse, company_exports, home):
    outside = home.parent / "outside"
    outside.mkdir(mode=0o755)
    (home / "link").symlink_to(outside)
    open_up(home)
    (home / "published" / "run.sh").touch(mode=0o755)
    assert productpulse("run", "--data", company_exports, "--home", home, "--force").exit_code == 0
    (home / "link").unlink()
    found = modes(home)
    assert open_to_others(found) == {}
    assert found["published/run.sh"] == "0o700"
    assert stat.S_IMODE(outside.stat().st_mode) == 0o755


def test_dagsters_own_folder_is_private_from_the_start(tmp_path):
    prepare_dagster_home(Home(tmp_path / "home"))
    (tmp_path / "home" / "dagster_home" / "written_later").touch()
    assert modes(tmp_path / "home") == {
        ".": "0o700",
        "dagster_home": "0o700",
        "dagster_home/dagster.yaml": "0o600",
        "dagster_home/written_later": "0o600",
    }


def test_folders_above_the_home_are_as_the_umask_wants_them(tmp_path):
    os.umask(USUAL)
    keep_private(tmp_path / "team" / "home")
    assert modes(tmp_path / "team") == {".": "0o755", "home": "0o700"}


@pytest.mark.parametrize("command", [("init", "mine"), ("generate", "--customers", "20", "--out", "mine")])
def test_files_that_are_asked_for_elsewhere_follow_the_umask(tmp_path, command):
    """Rules and a simulated company: a container's user has to read them."""
    subprocess.run(
        [sys.executable, "-m", "productpulse_assets.cli", *command],
        umask=USUAL, cwd=tmp_path, check=True, capture_output=True,
        env=os.environ | {"PYTHONPATH": str(Path(__file__).parents[2])},
    )  # fmt: skip
    found = modes(tmp_path / "mine")
    assert len(found) > 5
    assert {mode for path, mode in found.items() if path != "."} <= {"0o644", "0o755"}


@pytest.mark.skipif(os.getuid() != 0, reason="only root can become another user")
def test_a_home_that_belongs_to_another_user_is_used_as_it_is():
    """As a volume that belongs to root, in which a group may write."""
    with tempfile.TemporaryDirectory() as folder:
        home = Path(folder)
        home.chmod(0o777)
        os.seteuid(65534)
        try:
            keep_private(home)
            close_to_others(home)
            (home / "mine").touch()
        finally:
            os.seteuid(0)
        assert modes(home) == {".": "0o777", "mine": "0o600"}
