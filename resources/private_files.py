"""The home is private to its user: its files hold the names of customers and what they pay."""

from __future__ import annotations

import os
import stat
from contextlib import suppress
from pathlib import Path

FOR_OTHERS = 0o077
"""The permissions of a file's group and of all other users."""


def keep_private(home: Path) -> None:
    """Create the home if it is missing, and close it to other users, whatever the umask is.

    From here on the files that this process and its children create are private as well: DuckDB,
    SQLite and Arrow create files that everybody may read, and only the umask prevents it.
    """
    home.parent.mkdir(parents=True, exist_ok=True)
    os.umask(FOR_OTHERS)
    home.mkdir(exist_ok=True)
    _close(home)


def close_to_others(home: Path) -> None:
    """Take the permissions of other users away from every file that is in the home already.

    Links are not followed: what they lead to is not in the home.
    """
    for folder, folders, files in os.walk(home):
        for name in (*folders, *files):
            _close(Path(folder, name))


def _close(path: Path) -> None:
    # A file of another user (as in a volume that belongs to root) stays as that user wants it.
    with suppress(FileNotFoundError, PermissionError):
        mode = path.lstat().st_mode
        if not stat.S_ISLNK(mode) and mode & FOR_OTHERS:
            path.chmod(stat.S_IMODE(mode) & ~FOR_OTHERS)
