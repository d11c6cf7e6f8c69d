"""Dagster's event log in SQLite, without a flush to disk for each event."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import dagster as dg
from dagster._core.instance.ref import InstanceRef
from dagster._core.storage.event_log.sqlite import SqliteEventLogStorage
from dagster._core.storage.sqlite import SQLITE_BUSY_TIMEOUT_SECONDS
from dagster._core.storage.sqlite_storage import SqliteStorageConfig
from dagster._serdes import ConfigurableClassData
from sqlalchemy import Connection, NullPool, create_engine, event
from sqlalchemy.engine import Engine


class OpenEventLog(SqliteEventLogStorage):
    """Dagster's event log in SQLite, which opens each of its files once.

    Dagster's own class opens a file again for each event, and SQLAlchemy then prepares each statement again: more than
    a tenth of a small run. What is stored, and when, is the same.
    """

    def __init__(self, base_dir: str, inst_data: ConfigurableClassData | None = None):
        self._open: dict[str, Connection] = {}
        self._found: set[str] = set()
        super().__init__(base_dir, inst_data)

    @classmethod
    def from_config_value(  # type: ignore[override]  # narrower than Mapping, as in every storage of Dagster
        cls, inst_data: ConfigurableClassData | None, config_value: SqliteStorageConfig
    ) -> OpenEventLog:
        """The log that dagster.yaml configures."""
        return cls(inst_data=inst_data, **config_value)

    @contextmanager
    def _connect(self, shard: str) -> Iterator[Connection]:
        with self._db_lock:
            connection = self._open.get(shard) or self._opened(shard)
            with connection.begin():
                yield connection

    def _opened(self, shard: str) -> Connection:
        engine = create_engine(
            self.conn_string_for_shard(shard),
            poolclass=NullPool,
            # A thread that uses the connection holds the lock.
            connect_args={"timeout": SQLITE_BUSY_TIMEOUT_SECONDS, "check_same_thread": False},
        )
        if shard not in self._initialized_dbs:
            self._initdb(engine)
            self._initialized_dbs.add(shard)
        self._open[shard] = engine.connect()
        return self._open[shard]

    def has_table(self, table_name: str) -> bool:
        """Whether a table exists; Dagster asks before each event of an asset or check, and tables are never dropped."""
        if table_name not in self._found:
            if not super().has_table(table_name):
                return False
            self._found.add(table_name)
        return True

    def dispose(self) -> None:
        """Close the files."""
        for connection in self._open.values():
            connection.close()
        self._open.clear()
        super().dispose()


@contextmanager
def open_instance(folder: Path) -> Iterator[dg.DagsterInstance]:
    """The Dagster instance of `folder`, a folder such as DAGSTER_HOME names, with its settings in dagster.yaml."""
    log = {
        "module": OpenEventLog.__module__,
        "class": OpenEventLog.__name__,
        "config": {"base_dir": str(folder / "history" / "runs")},  # where Dagster itself stores it
    }
    with (
        relaxed_sync(),
        dg.DagsterInstance.from_ref(
            InstanceRef.from_dir(str(folder), overrides={"event_log_storage": log})
        ) as instance,
    ):
        yield instance


@contextmanager
def relaxed_sync() -> Iterator[None]:
    """In this block Dagster's SQLite files are not flushed to disk at each event.

    SQLite flushes at every commit, and again whenever the last connection closes. In its
    write-ahead mode the file survives a crash without either: `synchronous = NORMAL` avoids the first (SQLite's
    documentation, "PRAGMA synchronous"), one connection that stays open the second.
    """
    open_files: dict[str, sqlite3.Connection] = {}

    def prepare(connection: sqlite3.Connection, _record: object) -> None:
        connection.execute("PRAGMA synchronous = NORMAL")
        path = connection.execute("PRAGMA database_list").fetchone()[2]
        (mode,) = connection.execute("PRAGMA journal_mode").fetchone()
        if path and mode == "wal" and path not in open_files:
            open_files[path] = sqlite3.connect(path, check_same_thread=False)
            open_files[path].execute("SELECT count(*) FROM sqlite_master").fetchone()  # opens the file

    event.listen(Engine, "connect", prepare)
    try:
        yield
    finally:
        event.remove(Engine, "connect", prepare)
        for connection in open_files.values():
            connection.close()
