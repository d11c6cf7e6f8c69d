"""A second try for what a disk or a network did not give at the first."""

from __future__ import annotations

import errno
import os
from collections.abc import Iterator
from contextlib import contextmanager

import dagster as dg
import duckdb

PASSING = (
    errno.EAGAIN, errno.EBUSY, errno.ECONNABORTED, errno.ECONNRESET, errno.EHOSTUNREACH, errno.EINTR, errno.EIO,
    errno.ENETDOWN, errno.ENETRESET, errno.ENETUNREACH, errno.ENOLCK, errno.ESTALE, errno.ETIMEDOUT,
)  # fmt: skip
"""Faults that may be over in a moment. A full disk, a missing file or a forbidden one is not among them."""

TRIES_MORE = 2
WAIT_SECONDS = 10.0


@contextmanager
def retried_io() -> Iterator[None]:
    """Lets the step of the graph that it is in try again, twice and after a while, when I/O fails in passing.

    Anything else is raised as it is: the same data would fail the same check again.
    """
    try:
        yield
    except Exception as error:
        if is_passing(error):
            raise dg.RetryRequested(max_retries=TRIES_MORE, seconds_to_wait=WAIT_SECONDS) from error
        raise


def is_passing(error: BaseException | None) -> bool:
    """Whether the error, or what caused it, is a fault of I/O that may be over in a moment."""
    while error:
        if isinstance(error, OSError) and error.errno in PASSING:
            return True
        # DuckDB has no number for it, but says it in the system's words.
        if isinstance(error, duckdb.IOException) and any(os.strerror(number) in str(error) for number in PASSING):
            return True
        error = error.__cause__ or error.__context__
    return False
