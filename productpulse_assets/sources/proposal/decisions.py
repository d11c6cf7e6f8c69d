"""What is proposed for sources.yaml, and the questions that only a person can answer."""

from __future__ import annotations

import copy
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

Place = tuple[str, ...]
"""Where a setting stands in sources.yaml: ("datasets", "customers", "file")."""


@dataclass(frozen=True)
class Change:
    """One setting. Values for a list or a mapping that exists are added to it."""

    place: Place
    value: object


@dataclass(frozen=True)
class Choice:
    """An answer: what it is, what speaks for it, and the settings that it makes."""

    label: str
    changes: tuple[Change, ...]
    evidence: str = ""


@dataclass(frozen=True)
class Decision:
    """A question about one place. proposed: the number of the choice that Enter takes; None for leaving it out."""

    place: Place
    question: str
    choices: tuple[Choice, ...] = ()
    proposed: int | None = None

    @property
    def place_text(self) -> str:
        """The place for people: datasets > customers > file."""
        return " > ".join(self.place)


@dataclass
class Draft:
    """sources.yaml while it is proposed. notes: the reason for a setting, by its place; left_out: files that are not
    used, with the reason; mapped: (dataset, column, confidence) of every mapped column."""

    settings: dict[str, Any] = field(default_factory=dict)
    notes: dict[Place, str] = field(default_factory=dict)
    decisions: list[Decision] = field(default_factory=list)
    left_out: dict[str, str] = field(default_factory=dict)

    def set(self, place: Place, value: object, note: str = "") -> None:
        """Make a setting, with the reason for it."""
        apply(self.settings, Change(place, value))
        if note:
            self.notes[place] = note

    def ask(self, decision: Decision) -> None:
        """Add a question."""
        self.decisions.append(decision)

    def answer(self, decision: Decision, choice: Choice) -> None:
        """Make the settings of a choice; the question is then answered."""
        for change in choice.changes:
            self.set(change.place, change.value, "decided")
        self.decisions.remove(decision)


def apply(settings: dict[str, Any], change: Change) -> None:
    """Make the change in `settings`."""
    *parents, last = change.place
    target = settings
    for name in parents:
        target = target.setdefault(name, {})
    present = target.get(last)
    if isinstance(present, list) and isinstance(change.value, list):
        present += [value for value in change.value if value not in present]
    elif isinstance(present, dict) and isinstance(change.value, Mapping):
        present.update(change.value)
    else:
        target[last] = copy.deepcopy(change.value)


def get(settings: Mapping[str, Any], place: Iterable[str]) -> Any:
    """The value at the place; None without one."""
    found: Any = settings
    for name in place:
        found = found.get(name) if isinstance(found, Mapping) else None
    return found
