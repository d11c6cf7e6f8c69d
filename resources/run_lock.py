"""One run at a time in a home: runs wait for each other, and a killed run does not block the next one."""

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
"""Tag of a run that has taken the lock of the home; it holds the lock until its process ends."""
THROWAWAY = "throwaway-"
"""The first letters of the folders of throwaway homes."""
SETTLING_SECONDS = 3
"""A run releases the lock a moment before Dagster records its end."""
STARTING_SECONDS = 120
"""A run that Dagster has started asks for the lock within this time."""
ENDED_EARLY = (
    "The process of this run ended before the run did: it was killed, or the machine went down. "
    "The published snapshot is complete. Nothing needs to be cleaned up; run again."
)


class HomeBusy(ProductPulseError):
    """Another run did not end while this one waited; the message names it and says what to do."""


@contextmanager
def run_lock(home: Home, wait: float, notify: Callable[[str], None]) -> Iterator[None]:
    """Hold the lock of the home for one run; `notify` gets a sentence if the run has to wait for another.

    The operating system releases the lock when the process ends, however it ends. A process that holds the lock may
    take it again. Raises HomeBusy after `wait` seconds.
    """
    keep_private(home.root)
    lock = _lock(home)
    try:
        lock.acquire(timeout=0)
    except Timeout:
        if wait:
            notify(
                f"Another run is at work in {home.root} ({_holder(home)}). Waiting for its end, {wait:.0f} s at most."
            )
        _wait_for(lock, home, wait)
    try:
        if lock.lock_counter == 1:
            home.run_lock.write_text(f"process {os.getpid()}, since {dt.datetime.now():%Y-%m-%d %H:%M:%S}\n")
            remove_parts(home)
            _remove_abandoned(home)
            close_to_others(home.root)  # files of an earlier version
        yield
    finally:
        lock.release()


@contextmanager
def throwaway_home(home: Home) -> Iterator[Home]:
    """A temporary home within the home, which is deleted at the end.

    Also deletes temporary homes of processes that were killed. A home that did not exist does not exist afterwards.
    """
    is_new = not home.root.exists()
    keep_private(home.root)
    _remove_abandoned(home)
    try:
        with tempfile.TemporaryDirectory(prefix=THROWAWAY, dir=home.root) as folder:
            place = Home(Path(folder))
            with run_lock(place, 0, notify=lambda _: None):
                yield place
    finally:
        if is_new:
            with suppress(OSError):  # another process has written there meanwhile
                home.root.rmdir()


def _remove_abandoned(home: Home) -> None:
    """Delete the throwaway homes whose process has ended."""
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
    """Record in Dagster's event log that this run has taken the lock."""
    if context.instance and context.run:
        context.instance.add_run_tags(context.run.run_id, {AT_WORK: "true"})


def retire_dead_runs(instance: dg.DagsterInstance, home: Home, longest_wait: float) -> list[str]:
    """Record runs as failed whose process has ended, and return their ids.

    Dagster does not notice that a process was killed. It takes the run for unfinished, and its queue of one starts no
    other run. A run that has taken the lock is dead when the lock is free; a run that has not taken it is dead when
    the time for which it would have waited is over.
    """
    if not _unfinished(instance):
        return []
    try:
        with run_lock(home, 0, notify=lambda _: None):
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
    """The unfinished runs without a process, provided that the lock of the home is free."""
    too_old = time.time() - longest_wait - STARTING_SECONDS
    return [
        record.dagster_run
        for record in _unfinished(instance)
        if AT_WORK in record.dagster_run.tags or record.create_timestamp.timestamp() < too_old
    ]
