"""Runs take turns in a home, and a dead one blocks nobody."""

import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import dagster as dg
import pytest

from resources import run_lock as turns
from resources.home import Home
from resources.run_lock import AT_WORK, HomeBusy, retire_dead_runs, run_lock, throwaway_home
from tests.errors import raises

pytestmark = pytest.mark.slow

OTHER_RUN = """
import sys
from pathlib import Path
from resources.home import Home
from resources.run_lock import run_lock
from tests.errors import raises

with run_lock(Home(Path(sys.argv[1])), 0, print):
    print("at work", flush=True)
    sys.stdin.read()
"""


@pytest.fixture
def home(tmp_path) -> Home:
    return Home(tmp_path / "home")


@contextmanager
def other_run(home: Home) -> Iterator[subprocess.Popen]:
    """Another process that is at work in the home until its input ends."""
    command = [sys.executable, "-c", OTHER_RUN, str(home.root)]
    root = Path(__file__).resolve().parents[2]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, cwd=root) as process:
        assert process.stdout.readline() == "at work\n"
        try:
            yield process
        finally:
            process.stdin.close()


def test_a_run_that_does_not_wait_names_the_run_at_work(home):
    with other_run(home) as other:
        holder = home.run_lock.read_text(encoding="utf-8")
        assert holder.startswith(f"process {other.pid}, since 20")
        home.run_lock.write_text("process 7, since 2026-06-30 06:00:00", encoding="utf-8")
        with raises("home.busy", HomeBusy), run_lock(home, 0, notify=pytest.fail):
            pass


def test_a_run_waits_for_its_turn_and_says_so(home):
    said = []

    def end_it(text: str) -> None:
        said.append(text)
        other.stdin.close()

    with other_run(home) as other, run_lock(home, 30, notify=end_it):
        assert other.wait(30) == 0
    assert len(said) == 1
    assert "Waiting for its end, 30 s at most." in said[0]


def test_a_killed_run_gives_its_turn_back(home):
    with other_run(home) as other:
        other.send_signal(signal.SIGKILL)
        other.wait(30)
        with run_lock(home, 0, notify=pytest.fail):
            pass


def test_a_run_may_take_its_own_turn_again_and_keeps_it(home):
    with run_lock(home, 0, notify=pytest.fail):
        with run_lock(home, 0, notify=pytest.fail):
            pass
        said = subprocess.run(
            [sys.executable, "-c", OTHER_RUN, str(home.root)], capture_output=True, text=True, input="",
            cwd=Path(__file__).resolve().parents[2], check=False,
        )  # fmt: skip
        assert "HomeBusy" in said.stderr


def test_what_a_killed_run_was_writing_is_removed_and_nothing_else(home):
    parts = [home.published.parent / ".productpulse.duckdb.x1.part", home.exports / ".a.csv.x2.part"]
    whole = [home.published, home.exports / "a.csv", home.history / "kpis" / "2026-06-30.parquet"]
    for file in (*parts, *whole, home.scratch / "spilled.tmp"):
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text("x")
    with run_lock(home, 0, notify=pytest.fail):
        assert [file for file in parts if file.exists()] == []
        assert all(file.exists() for file in whole)
        assert not home.scratch.exists()


# --- Dagster's history ---------------------------------------------------------------------------


@pytest.fixture
def instance(monkeypatch) -> Iterator[dg.DagsterInstance]:
    monkeypatch.setattr(turns, "SETTLING_SECONDS", 0)
    with dg.DagsterInstance.ephemeral() as instance:
        yield instance


def begun(instance: dg.DagsterInstance, *, had_its_turn: bool, status=dg.DagsterRunStatus.STARTED) -> str:
    """A run that Dagster takes to be at work."""

    @dg.job
    def nightly():
        pass

    run = instance.create_run_for_job(nightly, status=status, tags={AT_WORK: "true"} if had_its_turn else {})
    return run.run_id


def status(instance: dg.DagsterInstance, run_id: str) -> dg.DagsterRunStatus:
    return instance.get_run_by_id(run_id).status


def test_a_run_that_had_its_turn_and_holds_the_home_no_more_is_dead(instance, home):
    dead = begun(instance, had_its_turn=True)
    over = begun(instance, had_its_turn=True, status=dg.DagsterRunStatus.SUCCESS)
    assert retire_dead_runs(instance, home, longest_wait=600) == [dead]
    assert status(instance, dead) == dg.DagsterRunStatus.FAILURE
    assert status(instance, over) == dg.DagsterRunStatus.SUCCESS
    messages = [entry.dagster_event.message for entry in instance.all_logs(dead) if entry.dagster_event]
    assert turns.ENDED_EARLY in messages


def test_a_run_at_work_is_left_alone(instance, home):
    alive = begun(instance, had_its_turn=True)
    with other_run(home):
        assert retire_dead_runs(instance, home, longest_wait=600) == []
    assert status(instance, alive) == dg.DagsterRunStatus.STARTED


def test_a_run_that_waits_is_left_alone_until_it_must_have_given_up(instance, home, monkeypatch):
    waiting = begun(instance, had_its_turn=False)
    assert retire_dead_runs(instance, home, longest_wait=600) == []
    later = time.time() + 600 + turns.STARTING_SECONDS + 5
    monkeypatch.setattr(turns.time, "time", lambda: later)
    assert retire_dead_runs(instance, home, longest_wait=600) == [waiting]


THROWAWAY = """
import sys
from pathlib import Path
from resources.home import Home
from resources.run_lock import throwaway_home

with throwaway_home(Home(Path(sys.argv[1]))) as place:
    (place.root / "customers").touch()
    print(place.root, flush=True)
    sys.stdin.read()
"""


@contextmanager
def other_throwaway(home: Home) -> Iterator[tuple[subprocess.Popen, Path]]:
    """Another process that works in a throwaway home, and its folder."""
    command = [sys.executable, "-c", THROWAWAY, str(home.root)]
    root = Path(__file__).resolve().parents[2]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, cwd=root) as process:
        yield process, Path(process.stdout.readline().strip())
        process.stdin.close()


def test_a_throwaway_home_is_gone_afterwards_and_a_home_that_was_not_there_too(home):
    with throwaway_home(home) as place:
        assert place.root.parent == home.root
        (place.root / "customers").touch()
    assert not home.root.exists()
    home.root.mkdir()
    with throwaway_home(home):
        pass
    assert list(home.root.iterdir()) == []


@pytest.mark.parametrize("opened", [lambda home: run_lock(home, 0, notify=pytest.fail), throwaway_home])
def test_a_throwaway_home_of_a_killed_process_is_deleted_and_one_in_use_is_not(home, opened):
    with other_throwaway(home) as (_at_work, used), other_throwaway(home) as (killed, left):
        assert used.exists() and left.exists()
        killed.kill()
        killed.wait()
        with opened(home):
            assert (used / "customers").exists()
            assert not left.exists()
