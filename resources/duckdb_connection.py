"""How the program opens DuckDB; no other module opens a connection.

No connection downloads, installs or loads an extension, none reads or writes a file outside of what
its opener names, and no SQL can change that afterwards. What is built into DuckDB's package (Parquet,
JSON, time zones) works.
"""

from __future__ import annotations

import functools
import tempfile
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

import duckdb
import ibis
from ibis.backends.duckdb import Backend

from resources.home import SettingsError

ATTACHED = "snapshot"
"""The name of a database file that is opened to be read."""


@dataclass(frozen=True)
class FileAccess:
    """Which files SQL may read and write.

    folders: with all that is in them. files: single files elsewhere. query_folder: where a query of the
    owner's looks for relative names. With one, SQL may read every file that the user may: which files a
    query names is known only when it runs.
    """

    folders: tuple[Path, ...] = ()
    files: tuple[Path, ...] = ()
    query_folder: Path | None = None


def in_memory() -> Backend:
    """A database that is gone when it is closed, and reads no file."""
    backend = ibis.duckdb.connect(":memory:")
    lock(backend.con, FileAccess())
    return backend


def open_file(path: Path) -> Backend:
    """A database file to read and change; it is made if it is not there."""
    backend = ibis.duckdb.connect(path)
    lock(backend.con, FileAccess())
    return backend


def open_read_only(path: Path) -> Backend:
    """A database file to read, attached under the name ATTACHED, which is the current database.

    It may write to `work_folder`. Attached to a database of its own: whoever opens the same path again in
    this process is handed the file that is open already, so that a new snapshot would not show until
    every reader is gone.
    """
    backend = ibis.duckdb.connect(":memory:", temp_directory=str(work_folder()))
    try:
        backend.attach(path, name=ATTACHED, read_only=True)
        backend.con.execute(f"USE {ATTACHED}")
        lock(backend.con, FileAccess(folders=(work_folder(),)))
    except duckdb.Error:
        backend.disconnect()
        raise
    return backend


def set_up(connection: duckdb.DuckDBPyConnection, time_zone: str, access: FileAccess) -> Backend:
    """The Ibis backend of a connection that is open already, with everything set and locked.

    Raises SettingsError for a time zone that DuckDB does not know.
    """
    backend = ibis.duckdb.from_connection(connection)
    try:
        # After Ibis, which sets UTC: naive timestamps are in this zone, and dates are cut in it.
        connection.execute("SET TimeZone = $zone", {"zone": time_zone})
    except duckdb.NotImplementedException as error:
        raise SettingsError(
            "settings.unknown_time_zone",
            f"DuckDB does not know the time zone '{time_zone}'. Set time_zone in sources.yaml to a name such as "
            "Europe/Berlin or UTC.",
        ) from error
    lock(connection, access)
    return backend


def lock(connection: duckdb.DuckDBPyConnection, access: FileAccess) -> None:
    """Turn extensions off, and files outside of `access`; nothing can be set on the database any more."""
    for setting in (
        "autoinstall_known_extensions",
        "autoload_known_extensions",
        "allow_community_extensions",
        "allow_unsigned_extensions",
    ):
        connection.execute(f"SET {setting} = false")
    if access.query_folder:
        connection.execute("SET file_search_path = $folder", {"folder": str(access.query_folder)})
    else:
        connection.execute("SET allowed_directories = $folders", {"folders": _real(access.folders)})
        connection.execute("SET allowed_paths = $files", {"files": _real(access.files)})
        connection.execute("SET enable_external_access = false")
    connection.execute("SET lock_configuration = true")


def _real(paths: Iterable[Path]) -> list[str]:
    """Without links: DuckDB compares the place that a name leads to."""
    return [str(path.resolve()) for path in paths]


@functools.cache
def _work_folder() -> tempfile.TemporaryDirectory[str]:
    return tempfile.TemporaryDirectory(prefix="productpulse-")


def work_folder() -> Path:
    """Where readers of this process write what does not fit into memory, and downloads; removed at its end."""
    return Path(_work_folder().name)
