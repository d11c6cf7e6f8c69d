"""The home is private to its user: its files contain the names of customers and what they pay."""

from __future__ import annotations

import os
import stat
from contextlib import suppress
from pathlib import Path

FOR_OTHERS = 0o077
"""The permissions of a file's group and of all other users."""


def keep_private(home: Path) -> None:
    """Create the home if it is missing, and close it to other users, whatever the umask is.

    Sets the umask, so that files that this process and its children create later are private as well: DuckDB, SQLite
    and Arrow create files that all users may read unless the umask forbids it.
    """
    home.parent.mkdir(parents=True, exist_ok=True)
    os.umask(FOR_OTHERS)
    home.mkdir(exist_ok=True)
    _close(home)


def close_to_others(home: Path) -> None:
    """Remove the permissions of other users from every file in the home.

    Links are not followed: their targets are outside the home.
    """
    for folder, folders, files in os.walk(home):
        for name in (*folders, *files):
            _close(Path(folder, name))


def _close(path: Path) -> None:
    # A file of another user, as in a volume that belongs to root, keeps its permissions.
    with suppress(FileNotFoundError, PermissionError):
        mode = path.lstat().st_mode
        if not stat.S_ISLNK(mode) and mode & FOR_OTHERS:
            path.chmod(stat.S_IMODE(mode) & ~FOR_OTHERS)
