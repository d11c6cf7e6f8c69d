"""The last run in Dagster's event log: when it was, how it ended, which checks failed."""

from __future__ import annotations

from collections.abc import Iterator
from enum import Enum
from typing import Protocol

import dagster as dg
from sqlalchemy.exc import DatabaseError

from resources.home import Home


def ended_early(instance: dg.DagsterInstance, run: dg.DagsterRun) -> bool:
    """Whether a run failed without any fault of its steps: killed, shut down with the machine, or never begun.

    A run that a person stopped is canceled, not failed.
    """
    if run.status != dg.DagsterRunStatus.FAILURE:
        return False
    failures = instance.all_logs(run.run_id, of_type=dg.DagsterEventType.STEP_FAILURE)
    return all(is_interrupted(entry.get_dagster_event().step_failure_data) for entry in failures)


class StepFailure(Protocol):
    """The failure of a step as Dagster records it, with where its error comes from."""

    @property
    def error_source(self) -> Enum:
        """USER_CODE_ERROR, FRAMEWORK_ERROR, UNEXPECTED_ERROR or INTERRUPT."""


class RunFailure(Protocol):
    """The failure of a run as Dagster records it, with its reason."""

    @property
    def failure_reason(self) -> Enum | None:
        """Such as STEP_FAILURE, RUN_EXCEPTION or UNEXPECTED_TERMINATION."""


def is_interrupted(failure: StepFailure) -> bool:
    """Whether the step ended because its process was asked to stop."""
    return failure.error_source.name == "INTERRUPT"


def is_of_dagster(failure: StepFailure) -> bool:
    """Whether Dagster itself ended the step, as after a blocking check that failed."""
    return failure.error_source.name == "FRAMEWORK_ERROR"


def is_unexpected_end(failure: RunFailure) -> bool:
    """Whether the run ended because its process was asked to stop."""
    return failure.failure_reason is not None and failure.failure_reason.name == "UNEXPECTED_TERMINATION"


def last_run_lines(home: Home) -> Iterator[str]:
    """When the last run was, how it ended, and which checks failed; or why that is not known."""
    try:
        yield from list(_lines(home))
    except (OSError, DatabaseError) as error:
        reason = getattr(error, "orig", error)
        yield (
            f"Last run: not known. Dagster's history in {home.dagster_home} cannot be opened ({reason}); "
            "to read it, Dagster must be allowed to write there."
        )


def _lines(home: Home) -> Iterator[str]:
    with dg.DagsterInstance.from_config(str(home.dagster_home)) as instance:
        records = instance.get_run_records(limit=1)
        if not records:
            yield "Last run: none is recorded."
            return
        run = records[0].dagster_run
        when = records[0].create_timestamp.astimezone().strftime("%Y-%m-%d %H:%M")
        yield f"Last run: {run.status.value.lower()}, started {when}."
        entries = instance.all_logs(run.run_id, of_type=dg.DagsterEventType.ASSET_CHECK_EVALUATION)
    checks = [entry.asset_check_evaluation for entry in entries]
    failed = [check for check in checks if check and not check.passed]
    yield f"Failing checks: {len(failed)}."
    for check in failed:
        yield f"  {check.asset_key.to_user_string()} {check.check_name}: {check.description}"
