"""How every command ends when it is stopped from outside: in one sentence, never in a traceback."""

from __future__ import annotations

import errno
from typing import Any

import click

from productpulse_assets.cli.options import misused
from rules.text.errors import ProductPulseError

INTERRUPTED = 130
"""The exit status of a program that Ctrl-C ended, as shells have it."""


class Commands(click.Group):
    """The commands of the program, with the manners that all of them share."""

    def invoke(self, context: click.Context) -> Any:
        """Run a command; ends with a sentence for Ctrl-C, wrong rules or settings, and operating-system errors."""
        try:
            return super().invoke(context)
        except ProductPulseError as error:
            misused(str(error))
        except OSError as error:
            if error.errno == errno.EPIPE:  # whoever read our output has seen enough: click ends quietly
                raise
            misused(refusal(error))
        except KeyboardInterrupt:
            click.echo("Stopped by Ctrl-C. Whatever was published is whole; run again when you like.", err=True)
            raise SystemExit(INTERRUPTED) from None


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
