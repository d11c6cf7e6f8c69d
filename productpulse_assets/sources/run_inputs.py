"""The inputs that decide a run's results: the source files, the rules, the as-of date and the program."""

from __future__ import annotations

import datetime as dt
import importlib.metadata
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from asset_checks.contracts import DATASETS
from productpulse_assets.sources.errors import SourceProblem
from productpulse_assets.sources.location import Location, locate, uses_demo
from resources.digests import digest_of, files_digest
from resources.home import CHECKOUT, SettingsError
from resources.settings import Settings
from rules.loading.problems import RulesError
from rules.rule_set import Rules
from rules.today import company_today

PACKAGES = ("productpulse_assets", "asset_checks", "resources", "rules", "dashboard")
CODE = (".py", ".jinja")
LIBRARIES = ("duckdb", "ibis-framework", "pandera", "plotly")
"""Libraries whose new version may give another result, or other bytes."""

UNUSABLE = (SourceProblem, RulesError, SettingsError, OSError)
"""Errors of the inputs themselves; the run that reads them reports them in full."""


@dataclass(frozen=True)
class Inputs:
    """Everything that decides the results of a run.

    sources: SHA-256 over names and contents of each dataset's files, by dataset.
    as_of: the as-of date of the settings; None for the newest date in the data.
    has_query: a dataset comes from a query, whose inputs are not known.
    """

    sources: dict[str, str]
    rules: str
    program: str
    as_of: str | None
    is_demo: bool
    has_query: bool

    @property
    def fingerprint(self) -> str | None:
        """SHA-256 over all of them; None where a query reads inputs that are not known."""
        if self.has_query:
            return None
        sources = [text for dataset in sorted(self.sources) for text in (dataset, self.sources[dataset])]
        return digest_of([*sources, self.rules, self.program, str(self.as_of), str(self.is_demo)])


def look_at_inputs(settings: Settings, rules: Rules) -> Inputs:
    """The current inputs of a run.

    Raises SourceProblem, RulesError, SettingsError or OSError where a run with these inputs would fail too.
    """
    locations = [locate(name, settings, rules) for name in DATASETS]
    return Inputs(
        sources=source_digests(locations),
        # Of the rules that were read: a file may have been edited since, while the run waited for the lock.
        rules=digest_of(text for name in sorted(rules.hashes) for text in (name, rules.hashes[name])),
        program=program_digest(),
        as_of=settings.as_of.isoformat() if settings.as_of else None,
        is_demo=uses_demo(settings, rules),
        has_query=any(location.query for location in locations),
    )


class RunInputs:
    """The inputs of the current run, recorded before it reads any of them."""

    def __init__(self, settings: Settings, rules: Rules):
        self._settings, self._rules = settings, rules
        self.seen: Inputs | None = None
        self.day: dt.date | None = None

    def look(self) -> None:
        """Record the inputs; a later change is left to the next run."""
        try:
            self.seen = look_at_inputs(self._settings, self._rules)
            self.day = company_today(self._rules.sources.time_zone)
        except UNUSABLE:
            self.seen = None


def source_digests(locations: list[Location]) -> dict[str, str]:
    """SHA-256 over names and contents of each dataset's files, by dataset; none for a query."""
    return {location.dataset: files_digest(location.all_files) for location in locations if location.files}


def program_digest() -> str:
    """SHA-256 over the program and the libraries that compute for it, so that a run after an upgrade is not skipped."""
    versions = [f"{name} {importlib.metadata.version(name)}" for name in LIBRARIES]
    return digest_of([*versions, files_digest(sorted(_code()))])


def _code() -> Iterator[Path]:
    for package in PACKAGES:
        yield from (path for path in (CHECKOUT / package).rglob("*") if path.suffix in CODE)
    yield CHECKOUT / "resources" / "glossary.yaml"
