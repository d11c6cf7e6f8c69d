"""A full disk, a home that cannot be written, a working file that is gone or damaged: a sentence, and nothing
published is lost."""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from resources.home import Home
from tests.operations.snapshots import content, papers

pytestmark = pytest.mark.slow

ROOM = 256 << 20
LEAVE = {"nothing": 0, "a little": 300_000, "some": 2 << 20, "more": 4 << 20, "all but the snapshot's": 6 << 20}


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A disk of its own of 256 MB."""
    place = tmp_path / "disk"
    place.mkdir()
    mounted = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", f"size={ROOM}", "none", str(place)], capture_output=True, check=False
    )
    if mounted.returncode:
        pytest.skip("only root may mount a small disk here")
    yield place
    subprocess.run(["umount", "--lazy", str(place)], check=True)


@pytest.fixture
def small_home(good_run, good_home, small_disk) -> Path:
    """Yesterday's good run, on the small disk."""
    return Path(shutil.copytree(good_home, small_disk / "home"))


def fill_up(disk: Path, leave: int) -> Path:
    """A file that takes all room but `leave` bytes."""
    filler, free = disk / "filler", shutil.disk_usage(disk).free
    with filler.open("wb") as stream:
        os.posix_fallocate(stream.fileno(), 0, max(free - leave, 4096))
    return filler


@pytest.mark.parametrize("leave", LEAVE.values(), ids=LEAVE)
def test_a_full_disk_is_said_and_the_next_run_needs_only_room(
    productpulse, company_exports, small_disk, small_home, leave
):
    before, reports = content(Home(small_home).published), papers(small_home)
    filler = fill_up(small_disk, leave)
    result = productpulse("run", "--data", company_exports, "--home", small_home, "--force")
    assert result.exit_code in (1, 2), result.output
    assert "There is no room left on the disk" in result.output or "No space left on device" in result.stderr
    assert content(Home(small_home).published) == before
    assert papers(small_home) == reports
    filler.unlink()
    again = productpulse("run", "--data", company_exports, "--home", small_home, "--force")
    assert again.exit_code == 0, again.output
    assert content(Home(small_home).published) == before


def test_a_home_that_cannot_be_written_is_said(productpulse, company_exports, small_disk, small_home):
    before = content(Home(small_home).published)
    subprocess.run(["mount", "-o", "remount,ro", str(small_disk)], check=True)
    result = productpulse("run", "--data", company_exports, "--home", small_home, "--force")
    assert result.exit_code == 2
    assert result.stderr.startswith(f"Nothing can be written to {small_home} (Read-only file system).")
    assert content(Home(small_home).published) == before


def test_a_deleted_working_file_is_made_anew(productpulse, company_exports, home):
    before = content(Home(home).published)
    Home(home).warehouse.unlink()
    part = productpulse("run", "--data", company_exports, "--home", home, "--select", "churn_evidence+")
    assert part.exit_code == 1
    assert "has not been computed in" in part.stderr
    assert content(Home(home).published) == before
    whole = productpulse("run", "--data", company_exports, "--home", home)
    assert whole.exit_code == 0, whole.output
    assert content(Home(home).published) == before


def test_a_damaged_working_file_is_set_aside_and_made_anew(productpulse, company_exports, home):
    before = content(Home(home).published)
    Home(home).warehouse.write_bytes(b"\0" * 20_000)
    result = productpulse("run", "--data", company_exports, "--home", home, "--force")
    assert result.exit_code == 0, result.output
    assert f"Warning: The working file {Home(home).warehouse} was damaged" in result.output
    assert (home / "productpulse.duckdb.damaged").read_bytes() == b"\0" * 20_000
    assert content(Home(home).published) == before


def test_a_damaged_history_of_runs_is_said(productpulse, company_exports, home):
    before = content(Home(home).published)
    for file in Home(home).dagster_home.rglob("*.db"):
        file.write_bytes(b"\xff" * 8192)
        file.with_name(f"{file.name}-wal").unlink(missing_ok=True)
    result = productpulse("run", "--data", company_exports, "--home", home, "--force")
    assert result.exit_code == 1
    assert "Move that folder away" in result.stderr
    assert content(Home(home).published) == before
    shutil.rmtree(Home(home).dagster_home)
    again = productpulse("run", "--data", company_exports, "--home", home, "--force")
    assert again.exit_code == 0, again.output
