"""Dagster's own folder: its history of runs, and the settings that come with the program.

`python -m resources.dagster_home COMMAND …` prepares it, then becomes the command: for a daemon or a
server that Dagster itself starts.
"""

from __future__ import annotations

import os
import sys
from importlib.resources import files

from resources.home import Home, SettingsError, default_home
from resources.outputs import replacing
from resources.private_files import keep_private


def prepare_dagster_home(home: Home) -> None:
    """Point DAGSTER_HOME at the home folder, with the settings that come with the program."""
    keep_private(home.root)
    settings = (files("resources") / "dagster.yaml").read_text(encoding="utf-8")
    target = home.dagster_home / "dagster.yaml"
    if not target.exists() or target.read_text(encoding="utf-8") != settings:
        with replacing(target) as part:
            part.write_text(settings, encoding="utf-8")
    os.environ["DAGSTER_HOME"] = str(home.dagster_home)


def main(command: list[str]) -> None:
    """Become `command`; end with a sentence where the home cannot be written, or not be used."""
    try:
        home = Home(default_home())
    except SettingsError as error:
        sys.exit(str(error))
    try:
        prepare_dagster_home(home)
    except OSError as error:
        sys.exit(
            f"Nothing can be written to {home.root} as user {os.getuid()} ({error.strerror}). "
            "Make the folder that user's, or give another with PRODUCTPULSE_HOME."
        )
    os.execvp(command[0], command)


if __name__ == "__main__":
    main(sys.argv[1:])
