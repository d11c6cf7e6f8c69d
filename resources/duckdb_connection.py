"""How the program opens DuckDB; no other module opens a connection.

No connection downloads, installs or loads an extension. None reads or writes a file that the opening function does
not allow, and no SQL can change that afterwards. What is built into DuckDB's package (Parquet, JSON, time zones) works.
"""

from __future__ import annotations

import functools
import tempfile
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

import duckdb
import ibis
from ibis.backends.duckdb import Backend
from ibis.common.exceptions import TableNotFound

from resources.home import SettingsError

ATTACHED = "snapshot"
"""The name of a database file that is opened to be read."""


@dataclass(frozen=True)
class FileAccess:
    """Which files SQL may read and write.

    folders: with everything in them. files: single files elsewhere. query_folder: the folder for relative names in a
    query of sources.yaml. With a query, SQL may read every file that the user may read, because the files that a query
    names are known only when it runs.
    """

    folders: tuple[Path, ...] = ()
    files: tuple[Path, ...] = ()
    query_folder: Path | None = None


NO_FILES = FileAccess()


def in_memory(access: FileAccess = NO_FILES) -> Backend:
    """A database in memory, which reads only the files of `access`; by default none."""
    backend = ibis.duckdb.connect(":memory:")
    lock(backend.con, access)
    return backend


def open_file(path: Path) -> Backend:
    """A database file to read and change; it is created if it is missing."""
    backend = ibis.duckdb.connect(path)
    lock(backend.con, FileAccess())
    return backend


def open_read_only(path: Path) -> Backend:
    """A database file to read, attached under the name ATTACHED, which is the current database.

    It may write to `work_folder`. The file is attached to a database in memory, because DuckDB returns the file that is
    already open to every further connection to the same path in this process: a new snapshot would be visible only
    after the last reader has closed the old one.
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


def open_beside(path: Path, views: Mapping[str, str], time_zone: str, access: FileAccess, **settings: str) -> Backend:
    """A database in memory with views of tables of a database file: {view: table}. The file is only read.

    Raises duckdb.CatalogException for a table that the file does not have.
    """
    backend = ibis.duckdb.connect(":memory:", **settings)
    try:
        backend.attach(path, name=ATTACHED, read_only=True)
        for view, name in views.items():
            backend.create_view(view, backend.table(name, database=(ATTACHED, "main")))
        return set_up(backend.con, time_zone, access)
    except (duckdb.Error, TableNotFound) as error:
        backend.disconnect()
        if isinstance(error, TableNotFound):
            raise duckdb.CatalogException(f"there is no table {error}") from error
        raise


def set_up(connection: duckdb.DuckDBPyConnection, time_zone: str, access: FileAccess) -> Backend:
    """The Ibis backend of an open connection, with its settings made and locked.

    Raises SettingsError for a time zone that DuckDB does not know.
    """
    backend = ibis.duckdb.from_connection(connection)
    try:
        # After Ibis, which sets UTC. Timestamps without an offset are in this zone, and dates are taken in it.
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
    """Turn off extensions and all files but those of `access`; afterwards no setting can be changed."""
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
    """The paths without links: DuckDB compares the path that a link leads to."""
    return [str(path.resolve()) for path in paths]


@functools.cache
def _work_folder() -> tempfile.TemporaryDirectory[str]:
    return tempfile.TemporaryDirectory(prefix="productpulse-")


def work_folder() -> Path:
    """Where readers of this process write data that does not fit into memory, and downloads; deleted at its end."""
    return Path(_work_folder().name)
