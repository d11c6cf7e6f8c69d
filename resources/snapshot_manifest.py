"""What the published snapshot was made of, in a file beside it, for the next run to compare with."""

from __future__ import annotations

import dataclasses
import datetime as dt
import json
import os
from contextlib import suppress

from pydantic import ConfigDict, TypeAdapter
from pydantic.dataclasses import dataclass

from resources.home import Home
from resources.outputs import replacing


@dataclass(frozen=True, config=ConfigDict(strict=True, extra="forbid"))
class PublishedInputs:
    """The inputs of the run that made what is published.

    fingerprint: SHA-256 over all of them; None when they cannot be told, as those of a query.
    sources: SHA-256 of each dataset's files, by dataset.
    as_of_date: the day it looks at, YYYY-MM-DD.
    valid_until: the first day on which the same files give another answer, YYYY-MM-DD, if there is one.
    is_demo: whether it is the demo company.
    outputs: bytes of every file that was published, by its path within the home.
    """

    fingerprint: str | None
    sources: dict[str, str]
    as_of_date: str
    valid_until: str | None
    is_demo: bool
    outputs: dict[str, int]

    def is_valid_on(self, day: dt.date) -> bool:
        """Whether the same inputs give the same answer on that day."""
        return self.valid_until is None or day < dt.date.fromisoformat(self.valid_until)


def published_inputs(home: Home) -> PublishedInputs | None:
    """What is said of the published snapshot; None when nothing is, as while a run works and after one failed."""
    try:
        found = TypeAdapter(PublishedInputs).validate_json(home.inputs.read_bytes())
        for day in (found.as_of_date, found.valid_until):
            dt.date.fromisoformat(day or found.as_of_date)
        return found
    except (OSError, ValueError):  # damaged, another version's, or not ours
        return None


def remember_inputs(home: Home, inputs: PublishedInputs) -> None:
    """Say what the published snapshot was made of: the last thing that a good run does."""
    with replacing(home.inputs) as part:
        part.write_text(json.dumps(dataclasses.asdict(inputs), indent=2) + "\n", encoding="utf-8")


def confirm_inputs(home: Home) -> None:
    """Note the moment: what is published is still what its inputs give. Readers see it as the file's time."""
    with suppress(OSError):  # a home that only readers can open is no reason to fail
        os.utime(home.inputs)


def forget_inputs(home: Home) -> None:
    """Say nothing any more: a run begins to change the store."""
    home.inputs.unlink(missing_ok=True)


def outputs_of(home: Home) -> dict[str, int]:
    """Bytes of every file that is published, reported or exported, by its path within the home."""
    files = [
        path
        for folder in (home.published.parent, home.reports, home.exports)
        for path in folder.rglob("*")
        if path.is_file() and path != home.inputs and not path.name.startswith(".")
    ]
    return {str(path.relative_to(home.root)): path.stat().st_size for path in sorted(files)}
