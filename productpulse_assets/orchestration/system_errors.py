"""Operating-system errors as sentences: a full disk, missing permissions, no memory."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager

from resources.home import Home
from rules.text.errors import ProductPulseError

FAULTS = (
    (
        r"No space left|disk is full|disk full|Disk quota exceeded|could not allocate (more )?(disk|block)",
        "There is no room left on the disk that holds {home}. Make room, then run again.",
    ),
    (
        r"disk I/O error",
        "There is no room left on the disk that holds {home}, or the disk does not work ({found}). Make room or "
        "have it looked at, then run again.",
    ),
    (
        r"Read-only file system|readonly database|Permission denied|Operation not permitted",
        "Something in {home} cannot be written ({found}). Give this user the right to write there, or name "
        "another folder with --home.",
    ),
    (
        r"Out of Memory|Cannot allocate memory|could not allocate block of size",
        "There is not enough memory ({found}). Give it more, or end other programs; work that does not fit "
        "in memory goes to {home}/scratch, which needs room on the disk.",
    ),
    (
        r"file is not a database|database disk image is malformed",
        "Dagster's history of runs in {home}/dagster_home is damaged ({found}). Move that folder away: a new "
        "history begins. Snapshot, reports and exports are not in it.",
    ),
)
"""A regular expression for the messages of the operating system, DuckDB and SQLite, and our sentence for it."""


def fault_sentence(message: str, home: Home) -> str | None:
    """Our sentence for the message of an operating-system error; None for any other message."""
    for pattern, sentence in FAULTS:
        if re.search(pattern, message, re.IGNORECASE):
            line = next(line for line in message.splitlines() if re.search(pattern, line, re.IGNORECASE))
            return sentence.format(home=home.root, found=line.strip()[:200].rstrip("."))
    return None


class MachineFault(ProductPulseError):
    """The operating system refused something; the message says what, and what to do."""


@contextmanager
def machine_faults(home: Home) -> Iterator[None]:
    """Raise MachineFault for an operating-system error in the block; other errors are raised unchanged."""
    try:
        yield
    except Exception as error:
        if sentence := fault_sentence(_all_messages(error), home):
            raise MachineFault("machine.fault", sentence) from error
        raise


def _all_messages(error: BaseException | None) -> str:
    """The messages of an error and of its causes, a line each."""
    texts = []
    while error:
        texts.append(str(error))
        error = error.__cause__ or error.__context__
    return "\n".join(texts)
