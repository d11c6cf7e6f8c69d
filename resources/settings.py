"""The settings of a run."""

from __future__ import annotations

import datetime as dt
import os
from dataclasses import dataclass
from pathlib import Path

from resources.home import Home, default_home, parse_as_of, parse_folder


@dataclass(frozen=True)
class RunSettings:
    """What a run is a function of, besides the rules: the as-of date and the source files."""

    home_dir: str
    data_dir: str | None = None
    as_of: str | None = None

    @classmethod
    def from_environment(cls) -> RunSettings:
        """PRODUCTPULSE_HOME, PRODUCTPULSE_DATA_DIR and PRODUCTPULSE_AS_OF, all optional."""
        data_dir = os.environ.get("PRODUCTPULSE_DATA_DIR")
        return cls(
            home_dir=str(default_home()),
            data_dir=str(parse_folder(data_dir)) if data_dir else None,
            as_of=os.environ.get("PRODUCTPULSE_AS_OF") or None,
        )

    @property
    def home(self) -> Home:
        """The home folder."""
        return Home(Path(self.home_dir))

    @property
    def source_folder(self) -> Path | None:
        """The folder of the exports; None where sources.yaml or the demo company takes its place."""
        return Path(self.data_dir) if self.data_dir else None

    @property
    def as_of_date(self) -> dt.date | None:
        """The date that the run is made for; None for the date of the newest event."""
        return parse_as_of(self.as_of)
