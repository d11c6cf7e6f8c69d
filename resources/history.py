"""Dagster's history of runs, kept at the speed of the disk's cache."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager

from sqlalchemy import event
from sqlalchemy.engine import Engine


@contextmanager
def unhurried_disk() -> Iterator[None]:
    """Within this, Dagster's SQLite files are not flushed to disk at every event.

    Dagster opens and closes a connection for each of a run's hundreds of events. SQLite flushes
    at every commit, and again whenever the last connection closes. In its write-ahead mode
    neither is needed for a file that survives a crash: `synchronous = NORMAL` leaves out the
    first (SQLite's documentation, "PRAGMA synchronous"), one connection kept open the second.
    """
    kept: dict[str, sqlite3.Connection] = {}

    def prepare(connection: sqlite3.Connection, _record: object) -> None:
        connection.execute("PRAGMA synchronous = NORMAL")
        path = connection.execute("PRAGMA database_list").fetchone()[2]
        (mode,) = connection.execute("PRAGMA journal_mode").fetchone()
        if path and mode == "wal" and path not in kept:
            kept[path] = sqlite3.connect(path, check_same_thread=False)
            kept[path].execute("SELECT count(*) FROM sqlite_master").fetchone()  # opens the file

    event.listen(Engine, "connect", prepare)
    try:
        yield
    finally:
        event.remove(Engine, "connect", prepare)
        for connection in kept.values():
            connection.close()
