"""One run at a time in a home: runs wait for each other, and one that was killed blocks nobody."""

from __future__ import annotations

import datetime as dt
import os
import shutil
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import dagster as dg
from filelock import FileLock, Timeout

from resources.home import Home
from resources.outputs import remove_parts
from resources.private_files import close_to_others, keep_private
from rules.text.errors import ProductPulseError

AT_WORK = "productpulse/at_work"
"""Tag of a run that has had its turn: while it lives, it holds the home's lock."""
THROWAWAY = "throwaway-"
"""How the folders of throwaway homes begin."""
SETTLING_SECONDS = 3
"""A run gives its turn back a moment before Dagster records how it ended."""
STARTING_SECONDS = 120
"""Within which a run that Dagster calls started has come to ask for its turn."""
ENDED_EARLY = (
    "The process of this run ended before the run did: it was killed, or the machine went down. "
    "The published snapshot is whole. Nothing needs to be cleaned up; run again."
)


class HomeBusy(ProductPulseError):
    """Another run did not end while this one waited; the message says which, and what to do."""


@contextmanager
def turn(home: Home, wait: float, say: Callable[[str], None]) -> Iterator[None]:
    """Hold the home for one run; `say` is told if another has to end first.

    The lock is the operating system's: it is gone with the process, however that ends. A process
    that has it may take it again. Raises HomeBusy after `wait` seconds.
    """
    keep_private(home.root)
    lock = _lock(home)
    try:
        lock.acquire(timeout=0)
    except Timeout:
        if wait:
            say(f"Another run is at work in {home.root} ({_holder(home)}). Waiting for its end, {wait:.0f} s at most.")
        _wait_for(lock, home, wait)
    try:
        if lock.lock_counter == 1:
            home.run_lock.write_text(f"process {os.getpid()}, since {dt.datetime.now():%Y-%m-%d %H:%M:%S}\n")
            remove_parts(home)
            _remove_abandoned(home)
            close_to_others(home.root)  # what an earlier version left
        yield
    finally:
        lock.release()


@contextmanager
def throwaway_home(home: Home) -> Iterator[Home]:
    """A home within the home, for work of which nothing is kept.

    It is deleted at the end; what a killed process left of its own is deleted by the next run, and here.
    A home that is not there yet is not there afterwards either.
    """
    is_new = not home.root.exists()
    keep_private(home.root)
    _remove_abandoned(home)
    try:
        with tempfile.TemporaryDirectory(prefix=THROWAWAY, dir=home.root) as folder:
            place = Home(Path(folder))
            with turn(place, 0, say=lambda _: None):
                yield place
    finally:
        if is_new:
            with suppress(OSError):  # something was written there meanwhile
                home.root.rmdir()


def _remove_abandoned(home: Home) -> None:
    """Delete the throwaway homes whose process is gone."""
    for lock in home.root.glob(f"{THROWAWAY}*/{home.run_lock.name}"):
        with suppress(Timeout, OSError), FileLock(lock, timeout=0):
            shutil.rmtree(lock.parent, ignore_errors=True)


def _lock(home: Home) -> FileLock:
    # The mode is set on the file, whatever the umask is.
    return FileLock(home.run_lock, mode=0o600, thread_local=False, is_singleton=True)


def _wait_for(lock: FileLock, home: Home, wait: float) -> None:
    try:
        lock.acquire(timeout=wait, poll_interval=0.2)
    except Timeout:
        raise HomeBusy(
            "home.busy",
            f"Another run is at work in {home.root} ({_holder(home)}) and did not end within {wait:.0f} s. "
            "Run again when it has ended, or wait longer with --wait SECONDS.",
        ) from None


def _holder(home: Home) -> str:
    try:
        return home.run_lock.read_text(encoding="utf-8").strip() or "just begun"
    except OSError:
        return "just begun"


def mark_at_work(context: dg.InitResourceContext) -> None:
    """Say in Dagster's history that this run has its turn."""
    if context.instance and context.run:
        context.instance.add_run_tags(context.run.run_id, {AT_WORK: "true"})


def retire_dead_runs(instance: dg.DagsterInstance, home: Home, longest_wait: float) -> list[str]:
    """Record as failed the runs of which no process is left, and return their ids.

    Dagster does not see that a process was killed: to it the run works on, and a queue of one
    would let no other begin. A run that has had its turn is dead when the home's lock is free;
    one that never had is, when it would have given up waiting.
    """
    if not _unfinished(instance):
        return []
    try:
        with turn(home, 0, say=lambda _: None):
            suspects = {run.run_id for run in _dead(instance, longest_wait)}
            if suspects:
                time.sleep(SETTLING_SECONDS)
            dead = [run for run in _dead(instance, longest_wait) if run.run_id in suspects] if suspects else []
            for run in dead:
                instance.report_run_failed(run, ENDED_EARLY)
            return [run.run_id for run in dead]
    except HomeBusy:
        return []


def _unfinished(instance: dg.DagsterInstance) -> list[dg.RunRecord]:
    begun = [dg.DagsterRunStatus.STARTED, dg.DagsterRunStatus.CANCELING]
    return list(instance.get_run_records(dg.RunsFilter(statuses=begun)))


def _dead(instance: dg.DagsterInstance, longest_wait: float) -> list[dg.DagsterRun]:
    """Of the unfinished runs those that nobody works on, given that nobody has the lock."""
    too_old = time.time() - longest_wait - STARTING_SECONDS
    return [
        record.dagster_run
        for record in _unfinished(instance)
        if AT_WORK in record.dagster_run.tags or record.create_timestamp.timestamp() < too_old
    ]
