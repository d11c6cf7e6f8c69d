"""How every command ends when it is stopped from outside: in one sentence, never in a traceback."""

from __future__ import annotations

import errno
from typing import Any

import click

from productpulse_assets.cli.options import misused
from resources.home import SettingsError

INTERRUPTED = 130
"""The exit status of a program that Ctrl-C ended, as shells have it."""

CONFIGURATION = ("RulesError", "SettingsError")
"""Errors whose message is a sentence about the rules or the settings, wherever a command meets them. By their
names, since most commands need not import them."""


class Commands(click.Group):
    """The commands of the program, with the manners that all of them share."""

    def invoke(self, context: click.Context) -> Any:
        """Run a command; ends with a sentence for Ctrl-C, wrong rules or settings, and operating-system errors."""
        try:
            return super().invoke(context)
        except SettingsError as error:
            misused(str(error))
        except OSError as error:
            if error.errno == errno.EPIPE:  # whoever read our output has seen enough: click ends quietly
                raise
            misused(refusal(error))
        except BaseException as error:
            if type(error).__name__ in CONFIGURATION:
                misused(str(error))
            if not is_interrupt(error):
                raise
        click.echo("Stopped by Ctrl-C. Whatever was published is whole; run again when you like.", err=True)
        raise SystemExit(INTERRUPTED)


def is_interrupt(error: BaseException) -> bool:
    """Whether Ctrl-C is behind `error`: Dagster tells of it by an exception of its own."""
    return isinstance(error, KeyboardInterrupt) or type(error).__name__ == "DagsterExecutionInterruptedError"


def refusal(error: OSError) -> str:
    """What the operating system refused, as a sentence with what to do."""
    about = f"{error.filename}: " if error.filename else ""
    reason = error.strerror or str(error)
    match error.errno:
        case errno.ENOSPC | errno.EDQUOT:
            return (
                f"{about}There is no room left on the disk ({reason}). Make room, or give another folder with --home."
            )
        case errno.EACCES | errno.EPERM | errno.EROFS:
            return f"{about}You may not read or write this ({reason}). Change its permissions, or give another folder."
        case _:
            return f"{about}{reason}. See to it, and run the command again."
