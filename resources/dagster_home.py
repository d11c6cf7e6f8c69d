"""Dagster's own folder in the home: its event log, and the settings that come with the program.

`python -m resources.dagster_home COMMAND …` prepares the folder, then becomes the command: for a daemon or a
server that Dagster itself starts.
"""

from __future__ import annotations

import os
import sys
from importlib.resources import files

from resources.home import Home, SettingsError
from resources.outputs import atomic_file
from resources.private_files import keep_private
from resources.settings import Settings


def prepare_dagster_home(home: Home) -> None:
    """Create the folder if it is missing, and write the settings that come with the program into it."""
    keep_private(home.root)
    settings = (files("resources") / "dagster.yaml").read_text(encoding="utf-8")
    target = home.dagster_home / "dagster.yaml"
    if not target.exists() or target.read_text(encoding="utf-8") != settings:
        with atomic_file(target) as part:
            part.write_text(settings, encoding="utf-8")


def dagster_environment(settings: Settings) -> dict[str, str]:
    """The environment of a child process that runs Dagster: our settings, Dagster's folder, and no usage data."""
    ours = {"DAGSTER_HOME": str(settings.home.dagster_home), "DAGSTER_DISABLE_TELEMETRY": "1"}
    return settings.environment() | ours


def main(command: list[str]) -> None:
    """Become `command`; end with a sentence if the home cannot be used or written."""
    try:
        settings = Settings()
    except SettingsError as error:
        sys.exit(str(error))
    try:
        prepare_dagster_home(settings.home)
    except OSError as error:
        sys.exit(
            f"Nothing can be written to {settings.home.root} as user {os.getuid()} ({error.strerror}). "
            "Make the folder that user's, or give another with PRODUCTPULSE_HOME."
        )
    os.execvpe(command[0], command, dagster_environment(settings))


if __name__ == "__main__":
    main(sys.argv[1:])
