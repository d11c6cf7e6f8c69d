"""How every command ends: an error is a sentence on standard error and an exit status, never a traceback."""

from __future__ import annotations

import errno
from typing import Any, NoReturn

import click

from rules.text.errors import ProductPulseError

DONE, STOPPED, MISUSED, INTERRUPTED = 0, 1, 2, 130
"""Exit statuses: done; the gate, a check or a missing snapshot stopped the command; wrong usage, rules or settings;
Ctrl-C, for which shells use 130."""

STOPPED_AREAS = frozenset({"home", "warehouse", "snapshot", "service", "machine"})
"""The first parts of the codes of errors that end a command with STOPPED; all others end it with MISUSED."""


class Commands(click.Group):
    """The group of all commands, which handles their errors."""

    def invoke(self, context: click.Context) -> Any:
        """Run a command; errors that a person can fix, operating-system errors and Ctrl-C end it with a sentence."""
        try:
            return super().invoke(context)
        except ProductPulseError as error:
            end(str(error), exit_status(error))
        except OSError as error:
            if error.errno == errno.EPIPE:  # the reader of our output closed it: click ends without a message
                raise
            end(system_error_text(error), MISUSED)
        except KeyboardInterrupt:
            end("Stopped by Ctrl-C. The published files are complete; you can run the command again.", INTERRUPTED)


def exit_status(error: ProductPulseError) -> int:
    """STOPPED for a busy home, a missing snapshot or a server that ended; MISUSED for all other errors."""
    area = error.code.partition(".")[0]
    return STOPPED if area in STOPPED_AREAS else MISUSED


def end(message: str, status: int) -> NoReturn:
    """End the command with a message on standard error and an exit status."""
    print_error(message)
    raise SystemExit(status)


def print_error(message: str) -> None:
    """Print a message on standard error, without the passwords that it may contain.

    Control characters are escaped, so that values from the data cannot control the terminal.
    """
    from rules.text.formats import escape_invisible, without_credentials

    click.echo(escape_invisible(without_credentials(message), keep="\n"), err=True)


def system_error_text(error: OSError) -> str:
    """An operating-system error as a sentence with what to do."""
    file = f"{error.filename}: " if error.filename else ""
    reason = error.strerror or str(error)
    match error.errno:
        case errno.ENOSPC | errno.EDQUOT:
            return f"{file}The disk is full ({reason}). Free some space, or give another folder with --home."
        case errno.EACCES | errno.EPERM | errno.EROFS:
            return f"{file}No permission to read or write ({reason}). Change the permissions, or give another folder."
        case _:
            return f"{file}{reason}. Fix this, and run the command again."
