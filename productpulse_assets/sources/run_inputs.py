"""What a run's results are a function of: the source files, the rules, the as-of date and the program."""

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
"""What is wrong with the inputs themselves; a run says it better."""


@dataclass(frozen=True)
class Inputs:
    """Everything that decides what a run makes.

    sources: SHA-256 over names and contents of each dataset's files, by dataset.
    as_of: the as-of date that was asked for; None for the newest date in the data.
    has_query: a dataset comes from a query, whose inputs nobody here knows.
    """

    sources: dict[str, str]
    rules: str
    program: str
    as_of: str | None
    is_demo: bool
    has_query: bool

    @property
    def fingerprint(self) -> str | None:
        """SHA-256 over all of them; None when they cannot all be told."""
        if self.has_query:
            return None
        sources = [text for dataset in sorted(self.sources) for text in (dataset, self.sources[dataset])]
        return digest_of([*sources, self.rules, self.program, str(self.as_of), str(self.is_demo)])


def look_at_inputs(settings: Settings, rules: Rules) -> Inputs:
    """The inputs of a run as they are now.

    Raises SourceProblem, RulesError, SettingsError or OSError for what a run would stumble over too.
    """
    locations = [locate(name, settings, rules) for name in DATASETS]
    return Inputs(
        sources=source_digests(locations),
        # As they were read: a file that was edited since, perhaps while the run waited for its turn, is not in it.
        rules=digest_of(text for name in sorted(rules.hashes) for text in (name, rules.hashes[name])),
        program=program_digest(),
        as_of=settings.as_of and settings.as_of.isoformat(),
        is_demo=uses_demo(settings, rules),
        has_query=any(location.query for location in locations),
    )


class RunInputs:
    """The inputs of the run at work, as they were before it read any of them."""

    def __init__(self, settings: Settings, rules: Rules):
        self._settings, self._rules = settings, rules
        self.seen: Inputs | None = None
        self.day: dt.date | None = None

    def look(self) -> None:
        """Take note of the inputs: what changes from here on is for the next run to find."""
        try:
            self.seen = look_at_inputs(self._settings, self._rules)
            self.day = company_today(self._rules.sources.time_zone)
        except UNUSABLE:
            self.seen = None


def source_digests(locations: list[Location]) -> dict[str, str]:
    """SHA-256 over names and contents of each dataset's files, by dataset; none for a query."""
    return {location.dataset: files_digest(location.files) for location in locations if location.files}


def program_digest() -> str:
    """SHA-256 over the program and the libraries that compute for it: an upgrade computes anew."""
    versions = [f"{name} {importlib.metadata.version(name)}" for name in LIBRARIES]
    return digest_of([*versions, files_digest(sorted(_code()))])


def _code() -> Iterator[Path]:
    for package in PACKAGES:
        yield from (path for path in (CHECKOUT / package).rglob("*") if path.suffix in CODE)
    yield CHECKOUT / "resources" / "glossary.yaml"
