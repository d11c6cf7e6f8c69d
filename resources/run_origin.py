"""The place in Dagster's UI of a run that the command line starts: its job's page and the timeline.

Dagster records this place, the origin, for runs that a server starts. `JobDefinition.execute_in_process` has no
parameter for it, though the instance's method that it calls has one (1.13): `in_job` gives that method the
origin. tests/resources/test_run_origin.py fails if Dagster changes either.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial

import dagster as dg
from dagster._core.remote_origin import (
    RegisteredCodeLocationOrigin,
    RemoteJobOrigin,
    RemoteRepositoryOrigin,
)

LOCATION = "productpulse"
"""The name under which Dagster's servers load the graph, in workspace.yaml and compose.yaml too."""
REPOSITORY = "__repository__"
"""Dagster's name for the Definitions of a location."""
TAG = ".dagster/repository"


@contextmanager
def in_job(instance: dg.DagsterInstance, job_name: str) -> Iterator[dict[str, str]]:
    """In this block a new run of the instance is one of this job; yields the tags that the run needs besides."""
    repository = RemoteRepositoryOrigin(RegisteredCodeLocationOrigin(LOCATION), REPOSITORY)
    create = instance.create_run_for_job
    instance.create_run_for_job = partial(  # type: ignore[method-assign]  # as the docstring of the module says
        create, remote_job_origin=RemoteJobOrigin(repository, job_name)
    )
    try:
        yield {TAG: f"{REPOSITORY}@{LOCATION}"}
    finally:
        instance.create_run_for_job = create  # type: ignore[method-assign]
