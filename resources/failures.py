"""An error that a person can act on, as the failure of a step in Dagster."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import dagster as dg

from rules.text.errors import ProductPulseError


@contextmanager
def step_failures() -> Iterator[None]:
    """Raise dagster.Failure for a ProductPulseError: Dagster records its sentence and code, and does not retry."""
    try:
        yield
    except ProductPulseError as error:
        raise failure_of(error) from error


def failure_of(error: ProductPulseError) -> dg.Failure:
    """The failure that Dagster records for an error; the error is its cause."""
    failure = dg.Failure(str(error), metadata={"code": error.code}, allow_retries=False)
    failure.__cause__ = error
    return failure
