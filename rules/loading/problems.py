"""Mistakes in rules files: each one as data, and one error that lists them all."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import cast

from rules.text.errors import ProductPulseError


@dataclass(frozen=True)
class Problem:
    """One mistake in a rules file; as text, one line without the file's name.

    code: the kind of mistake, such as `rules.unknown_metric`.
    place: the keys that lead to it, such as `metrics > revenue > formula`; empty for the whole file.
    message: what is wrong, with the value found; the rest of a sentence that begins with the place.
    accepted: what the file may have there instead, if that is a list or a short phrase.
    """

    code: str
    place: str
    message: str
    accepted: str = ""

    def __str__(self) -> str:
        where = f"{self.place}: " if self.place else ""
        instead = f"; accepted: {self.accepted}" if self.accepted else ""
        return f"{where}{self.message}{instead}."


class RulesError(ProductPulseError):
    """A file of the rules folder cannot be used; the message names the file, the entry and what is accepted."""

    @property
    def problems(self) -> tuple[Problem, ...]:
        """Every mistake that was found in the file; none where it could not be read."""
        return cast("tuple[Problem, ...]", self.details.get("problems", ()))


def invalid(path: Path, problems: Iterable[Problem]) -> RulesError:
    """The error that lists every problem of a rules file, one line each."""
    found = tuple(problems)
    lines = "\n".join(f"  {problem}" for problem in found)
    return RulesError("rules.invalid", f"{path.name} cannot be used ({path}):\n{lines}", file=path, problems=found)


def refuse(path: Path, problems: Iterable[Problem]) -> None:
    """Raise RulesError with every problem of a rules file; do nothing where there is none."""
    if found := tuple(problems):
        raise invalid(path, found)
