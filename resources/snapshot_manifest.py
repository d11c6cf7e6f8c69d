"""The inputs of the published snapshot, in a file beside it, with which the next run compares its own."""

from __future__ import annotations

import dataclasses
import datetime as dt
import json
import os
from contextlib import suppress

from pydantic import ConfigDict, TypeAdapter
from pydantic.dataclasses import dataclass

from resources.home import Home
from resources.outputs import atomic_file


@dataclass(frozen=True, config=ConfigDict(strict=True, extra="forbid"))
class PublishedInputs:
    """The inputs of the run that published the snapshot.

    fingerprint: SHA-256 over all of them; None where they are not known, as with a query.
    sources: SHA-256 of each dataset's files, by dataset.
    as_of_date: the as-of date, YYYY-MM-DD.
    valid_until: the first day on which the same files give other figures, YYYY-MM-DD, if there is one.
    is_demo: whether it is the demo company.
    outputs: bytes of every published file, by its path within the home.
    """

    fingerprint: str | None
    sources: dict[str, str]
    as_of_date: str
    valid_until: str | None
    is_demo: bool
    outputs: dict[str, int]

    def is_valid_on(self, day: dt.date) -> bool:
        """Whether the same inputs give the same figures on that day."""
        return self.valid_until is None or day < dt.date.fromisoformat(self.valid_until)


def published_inputs(home: Home) -> PublishedInputs | None:
    """The inputs of the published snapshot; None where they are unknown: while a run works, and after a failed run."""
    try:
        found = TypeAdapter(PublishedInputs).validate_json(home.inputs.read_bytes())
        for day in (found.as_of_date, found.valid_until):
            dt.date.fromisoformat(day or found.as_of_date)
        return found
    except (OSError, ValueError):  # damaged, or written by another version or program
        return None


def write_manifest(home: Home, inputs: PublishedInputs) -> None:
    """Write the inputs of the published snapshot: the last thing that a successful run does."""
    with atomic_file(home.inputs) as part:
        part.write_text(json.dumps(dataclasses.asdict(inputs), indent=2) + "\n", encoding="utf-8")


def touch_manifest(home: Home) -> None:
    """Set the time of the file to now: the snapshot was found up to date. Readers show this time."""
    with suppress(OSError):  # in a home that cannot be written the time stays
        os.utime(home.inputs)


def remove_manifest(home: Home) -> None:
    """Delete the file, because a run begins to change the store."""
    home.inputs.unlink(missing_ok=True)


def output_sizes(home: Home) -> dict[str, int]:
    """Bytes of every snapshot, report, export and history file, by its path within the home."""
    files = [
        path
        for folder in (home.published.parent, home.reports, home.exports)
        for path in folder.rglob("*")
        if path.is_file() and path != home.inputs and not path.name.startswith(".")
    ]
    return {str(path.relative_to(home.root)): path.stat().st_size for path in sorted(files)}
