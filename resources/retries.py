"""A step tries again when a disk or a network did not answer."""

from __future__ import annotations

import errno
import os
from collections.abc import Iterator
from contextlib import contextmanager

import dagster as dg
import duckdb

from resources.failures import failure_of
from rules.text.errors import ProductPulseError

PASSING = (
    errno.EAGAIN, errno.EBUSY, errno.ECONNABORTED, errno.ECONNRESET, errno.EHOSTUNREACH, errno.EINTR, errno.EIO,
    errno.ENETDOWN, errno.ENETRESET, errno.ENETUNREACH, errno.ENOLCK, errno.ESTALE, errno.ETIMEDOUT,
)  # fmt: skip
"""Errors that may be over in a moment. A full disk, a missing file and a forbidden one are not among them."""

RETRIES = 2
WAIT_SECONDS = 10.0


@contextmanager
def retried_io() -> Iterator[None]:
    """Ask Dagster to retry the step, twice and after WAIT_SECONDS, when I/O fails with an error of PASSING.

    Any other error is raised unchanged: the same data would fail again.
    """
    try:
        yield
    except Exception as error:
        if is_passing(error):
            cause = failure_of(error) if isinstance(error, ProductPulseError) else error
            raise dg.RetryRequested(max_retries=RETRIES, seconds_to_wait=WAIT_SECONDS) from cause
        raise


def is_passing(error: BaseException | None) -> bool:
    """Whether the error, or a cause of it, is one of PASSING."""
    while error:
        if isinstance(error, OSError) and error.errno in PASSING:
            return True
        # DuckDB gives no error number, but the operating system's text.
        if isinstance(error, duckdb.IOException) and any(os.strerror(number) in str(error) for number in PASSING):
            return True
        error = error.__cause__ or error.__context__
    return False
