"""A step tries again what failed in passing, and nothing else."""

import errno
import os

import dagster as dg
import duckdb
import pytest

from resources import retries
from resources.retries import is_passing, retried_io
from rules.text.errors import ProductPulseError


def caused_by(cause: Exception) -> Exception:
    """An error of ours that tells of another one."""
    try:
        raise RuntimeError("customers: customers.csv cannot be read to its end.") from cause
    except RuntimeError as error:
        return error


@pytest.mark.parametrize(
    "error",
    [
        OSError(errno.EIO, os.strerror(errno.EIO)),
        OSError(errno.ESTALE, os.strerror(errno.ESTALE)),
        TimeoutError(errno.ETIMEDOUT, os.strerror(errno.ETIMEDOUT)),
        duckdb.IOException('IO Error: Could not read from file "a.parquet": Input/output error'),
        caused_by(duckdb.IOException('IO Error: Could not read from file "a.csv": Input/output error')),
    ],
)
def test_a_fault_of_a_disk_or_a_network_may_pass(error):
    assert is_passing(error)


@pytest.mark.parametrize(
    "error",
    [
        OSError(errno.ENOSPC, os.strerror(errno.ENOSPC)),
        FileNotFoundError(errno.ENOENT, os.strerror(errno.ENOENT)),
        PermissionError(errno.EACCES, os.strerror(errno.EACCES)),
        duckdb.IOException('IO Error: Could not write file "x": No space left on device'),
        duckdb.IOException('IO Error: No files found that match the pattern "a.csv"'),
        duckdb.ConversionException("Input/output error is a text in the data"),
        dg.Failure("Every date in the data is after today."),
        ValueError("a check failed"),
    ],
)
def test_anything_else_stays_as_it_is(error):
    assert not is_passing(error)
    with pytest.raises(type(error)), retried_io():
        raise error


class Disk:
    """Raises its errors one by one, then gives the text."""

    def __init__(self, *errors: Exception):
        self.errors = list(errors)
        self.reads = 0

    def read(self) -> str:
        self.reads += 1
        if self.errors:
            raise self.errors.pop(0)
        return "text"


def run_with(disk: Disk) -> dg.ExecuteInProcessResult:
    """A run of one asset that reads from the disk, as the assets of the graph do."""

    @dg.asset
    @retried_io()
    def report() -> str:
        return disk.read()

    with dg.DagsterInstance.ephemeral() as instance:
        return dg.materialize([report], instance=instance, raise_on_error=False)


@pytest.fixture(autouse=True)
def _at_once(monkeypatch):
    monkeypatch.setattr(retries, "WAIT_SECONDS", 0)


def io_error() -> OSError:
    return OSError(errno.EIO, os.strerror(errno.EIO))


def test_a_step_succeeds_at_the_third_try():
    result = run_with(disk := Disk(io_error(), io_error()))
    assert result.success
    assert disk.reads == 3


def test_a_step_gives_up_after_the_third_try():
    result = run_with(disk := Disk(*(io_error() for _ in range(5))))
    assert not result.success
    assert disk.reads == 3


class Unreadable(ProductPulseError):
    """A file of a network drive."""


def unreadable() -> Unreadable:
    error = Unreadable("test.unreadable", "customers.csv cannot be read.")
    error.__cause__ = io_error()
    return error


def test_the_sentence_of_the_last_try_is_the_failure_of_the_step():
    result = run_with(disk := Disk(*(unreadable() for _ in range(3))))
    assert disk.reads == 3
    (failed,) = (event for event in result.all_events if event.is_step_failure)
    assert failed.step_failure_data.user_failure_data.description == "customers.csv cannot be read."


def test_a_full_disk_is_not_tried_again():
    result = run_with(disk := Disk(OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))))
    assert not result.success
    assert disk.reads == 1
