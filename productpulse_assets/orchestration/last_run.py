"""The last runs that Dagster's history knows: when one was, how it ended, which checks failed in it."""

from __future__ import annotations

from collections.abc import Iterator

import dagster as dg
from sqlalchemy.exc import DatabaseError

from resources.home import Home

INTERRUPTED = "DagsterExecutionInterruptedError"
"""What Dagster calls the end of a process that was told to stop while it worked on a step."""


def ended_early(instance: dg.DagsterInstance, run: dg.DagsterRun) -> bool:
    """Whether a run failed without any fault of its steps: killed, shut down with the machine, or never begun.

    A run that a person stopped is canceled, not failed.
    """
    if run.status != dg.DagsterRunStatus.FAILURE:
        return False
    failures = instance.all_logs(run.run_id, of_type=dg.DagsterEventType.STEP_FAILURE)
    return all(_is_interrupted(entry.dagster_event.event_specific_data.error) for entry in failures)


def _is_interrupted(error) -> bool:
    while error:
        if error.cls_name == INTERRUPTED:
            return True
        error = error.cause
    return False


def last_run_lines(home: Home) -> Iterator[str]:
    """When the last run was, how it ended, and the checks that failed in it; why that is not known, if it is not."""
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
    failed = [check for entry in entries if not (check := entry.dagster_event.event_specific_data).passed]
    yield f"Failing checks: {len(failed)}."
    for check in failed:
        yield f"  {check.asset_key.to_user_string()} {check.check_name}: {check.description}"
