"""SHA-256 of files and texts."""

from __future__ import annotations

import functools
import hashlib
from collections.abc import Iterable
from pathlib import Path


def content_digest(path: Path) -> str:
    """SHA-256 of a file's content, in hex; a file that has not changed since is not read again."""
    found = path.stat()
    # The change time is the system's own: copying a file with its times, or setting them, does not hide a change.
    touched = (found.st_dev, found.st_ino, found.st_size, found.st_mtime_ns, found.st_ctime_ns)
    return _digest(path, touched)


@functools.lru_cache(maxsize=4096)
def _digest(path: Path, _touched: tuple[int, ...]) -> str:
    with path.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()


def digest_of(parts: Iterable[str]) -> str:
    """SHA-256 over texts in their order, in hex; the same letters in other texts give another digest."""
    total = hashlib.sha256()
    for part in parts:
        content = part.encode("utf-8", "surrogateescape")  # names of files may be any bytes
        total.update(b"%d:%b" % (len(content), content))
    return total.hexdigest()


def files_digest(files: Iterable[Path]) -> str:
    """SHA-256 over the names and contents of files, in their order; not over the names of their folders."""
    return digest_of(text for file in files for text in (file.name, content_digest(file)))
