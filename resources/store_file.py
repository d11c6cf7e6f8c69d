"""The working DuckDB file before a run opens it: used by another program, damaged, or in order."""

from __future__ import annotations

import os
import re
from pathlib import Path

import duckdb

from resources.duckdb_connection import open_file
from rules.text.errors import ProductPulseError

DAMAGE = (
    "not a valid DuckDB database file",
    "Could not read enough bytes",
    "Corrupt database file",
    "Failure while replaying WAL",
    "Failed to load metadata",
)
"""Parts of DuckDB's messages about a damaged file."""


class WarehouseBusy(ProductPulseError):
    """A program that is not a run has the working file open; the message names the file and the process."""


def opening_problem(path: Path) -> str | None:
    """DuckDB's message if the working file is damaged, else None.

    Raises WarehouseBusy if another program has the file open, and DuckDB's own error for anything else, such as a
    full disk.
    """
    if not path.exists():
        return None
    try:
        open_file(path).disconnect()
    except duckdb.Error as error:
        message = str(error).splitlines()[0]
        if isinstance(error, duckdb.SerializationException | duckdb.InternalException | duckdb.FatalException):
            return message
        if any(words in message for words in DAMAGE):
            return message
        if "lock" in message:
            raise WarehouseBusy("warehouse.busy", _busy_sentence(path, str(error))) from error
        raise
    return None


def set_aside(path: Path, damage: str) -> str:
    """Rename a damaged working file, and return the sentence about it."""
    aside = path.with_name(f"{path.name}.damaged")
    os.replace(path, aside)
    log = path.with_name(f"{path.name}.wal")
    if log.exists():
        os.replace(log, aside.with_name(f"{aside.name}.wal"))
    return (
        f"The working file {path} was damaged ({damage}). It was renamed to {aside.name}, and a run of the whole "
        "graph computes all tables again. The published snapshot is another file and was not changed."
    )


def _busy_sentence(path: Path, error: str) -> str:
    holder = re.search(r"held in (.+?) \(PID (\d+)\)", error)
    if not holder:
        return f"The warehouse {path} cannot be opened: {error.splitlines()[0]}"
    program, process = holder.groups()
    return (
        f"The warehouse {path} is in use by process {process} ({program}), which is no run of ProductPulse. "
        "Close it there (published/productpulse.duckdb is the file to look at), then run again."
    )
