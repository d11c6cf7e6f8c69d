"""Running the graph from the command line: one job, its progress and its outcome."""

from __future__ import annotations

import datetime as dt
import logging
import re
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Protocol

import dagster as dg

from productpulse_assets.orchestration.last_run import is_interrupted, is_of_dagster, is_unexpected_end
from productpulse_assets.orchestration.progress import Follow
from productpulse_assets.orchestration.system_errors import fault_sentence, machine_faults
from productpulse_assets.sources.assets import STOPS_A_RUN
from resources.dagster_home import prepare_dagster_home
from resources.duckdb_connection import open_read_only
from resources.event_log import open_instance
from resources.home import Home
from resources.run_lock import retire_dead_runs, run_lock
from resources.run_origin import in_job
from resources.settings import LONGEST_WAIT, Settings
from resources.tables import rows_of
from rules.text.errors import ProductPulseError

EVERYTHING = "daily_refresh"
CALENDAR = "calendar"
QUIET = {"loggers": {"console": {"config": {"log_level": "CRITICAL"}}}}
NO_CAUSE = (
    "The run failed, and Dagster recorded no cause. Run it once more; if it fails again, `productpulse dev` shows "
    "all that this run recorded."
)


@dataclass
class Outcome:
    """The result of a run: seconds, number of assets, sentences of failed checks, warnings and errors.

    failed_checks: of blocking checks, also where the job goes on although a run would stop.
    """

    succeeded: bool = False
    is_interrupted: bool = False
    seconds: float = 0.0
    assets: int = 0
    failed_checks: list[str] = field(default_factory=list)
    warnings: list[str] = field(default_factory=list)
    errors: list[str] = field(default_factory=list)
    steps_with_failed_checks: set[str | None] = field(default_factory=set)


@contextmanager
def home_instance(home: Home) -> Iterator[dg.DagsterInstance]:
    """The Dagster instance of the home, so that the UI shows these runs too."""
    prepare_dagster_home(home)
    with open_instance(home.dagster_home) as instance:
        yield instance


@contextmanager
def exclusive_instance(settings: Settings, notify: Callable[[str], None]) -> Iterator[dg.DagsterInstance]:
    """Dagster's instance for a run that holds the lock of the home; `notify` gets a sentence if the
    run has to wait.

    Raises HomeBusy when another run does not end in time, and MachineFault for an operating-system error: a full disk,
    missing permissions, no memory.
    """
    home = settings.home
    with machine_faults(home), run_lock(home, settings.wait, notify), home_instance(home) as instance:
        retire_dead_runs(instance, home, max(settings.wait, LONGEST_WAIT))
        yield instance


def selected_job(defs: dg.Definitions, selection: str | None) -> dg.JobDefinition:
    """The whole graph, or the part that a Dagster selection such as 'kpi_summary+' names."""
    if not selection:
        return defs.resolve_job_def(EVERYTHING)
    # One step computes a dataset and its rejects: a selection of one includes the other.
    assets = dg.AssetSelection.from_string(whole_lines(selection)).required_multi_asset_neighbors()
    if not assets.resolve(defs.resolve_asset_graph()):
        raise dg.DagsterInvalidSubsetError("it selects no asset.")
    part = dg.define_asset_job("selected_assets", selection=assets)
    return dg.Definitions.merge(defs, dg.Definitions(jobs=[part])).resolve_job_def("selected_assets")


def whole_lines(selection: str) -> str:
    """The selection `name+` as one of all downstream tables: to Dagster a plus after a bare name is one layer."""
    bare = re.fullmatch(r"(\+?)([A-Za-z_]\w*)(\+?)", selection.strip())
    return f'{bare[1]}key:"{bare[2]}"{bare[3]}' if bare else selection


def as_of_problem(job: dg.JobDefinition, settings: Settings) -> str | None:
    """A sentence that says why a selection cannot have the as-of date of the settings; None if it can.

    The calendar fixes the date. A selection without the calendar computes with the stored date and would ignore
    another one; and tables of two dates in one store would be wrong.
    """
    requested, stored = settings.as_of, _stored_as_of(settings.home)
    is_fixed_here = dg.AssetKey(CALENDAR) in job.asset_layer.selected_asset_keys
    if is_fixed_here or None in (requested, stored) or requested == stored:
        return None
    return (
        f"The selection does not include the {CALENDAR}, which fixes the as-of date: in {settings.home.root} it is "
        f"{stored}, not {requested}. Leave --as-of and PRODUCTPULSE_AS_OF out, or run everything as of {requested} "
        "without --select."
    )


def _stored_as_of(home: Home) -> dt.date | None:
    """The as-of date of the stored tables; None where there are none."""
    if not home.warehouse.exists():
        return None
    backend = open_read_only(home.warehouse)
    try:
        if CALENDAR not in backend.list_tables():
            return None
        as_of: dt.date = rows_of(backend.table(CALENDAR))[0]["as_of_date"]
        return as_of
    finally:
        backend.disconnect()


def execute(
    job: dg.JobDefinition,
    instance: dg.DagsterInstance,
    home: Home,
    follow: Follow,
    tags: Mapping[str, str] | None = None,
) -> Outcome:
    """Run `job` to its end and return its outcome, whatever fails. Raises KeyboardInterrupt after Ctrl-C.

    `tags` are those of the run in Dagster's event log.
    """
    outcome, run_id = Outcome(), dg.DagsterRun(job_name=job.name).run_id
    started, has_begun = time.perf_counter(), False

    def listen(entry: dg.EventLogEntry) -> None:
        nonlocal has_begun
        if event := entry.dagster_event:
            has_begun = has_begun or event.event_type == dg.DagsterEventType.STEP_START
            note(event, outcome)
            follow(event)
        elif not has_begun:
            # Logged while the resources open; later warnings are Dagster's own, about steps that are left out.
            note_log(entry, outcome)

    instance.add_event_listener(run_id, listen)
    try:
        with in_job(instance, job.name) as place:
            result = job.execute_in_process(
                instance=instance, run_id=run_id, raise_on_error=False, run_config=QUIET, tags=place | dict(tags or {})
            )
        outcome.succeeded = result.success
    except dg.DagsterExecutionInterruptedError as error:
        raise KeyboardInterrupt from error
    except Exception as error:  # a resource that cannot open can end the run before its first step
        outcome.errors = outcome.errors or [error_sentence(error)]
    outcome.seconds = time.perf_counter() - started
    if outcome.is_interrupted:  # Dagster does not raise it, but records the failure of a step
        raise KeyboardInterrupt
    if not (outcome.succeeded or outcome.errors or outcome.failed_checks):
        outcome.errors.append(NO_CAUSE)
    outcome.errors = [fault_sentence(error, home) or error for error in outcome.errors]
    return outcome


def note_log(entry: dg.EventLogEntry, outcome: Outcome) -> None:
    """Add a logged warning or error to the outcome."""
    if int(entry.level) >= logging.ERROR:
        outcome.errors.append(entry.user_message)
    elif int(entry.level) >= logging.WARNING:
        outcome.warnings.append(entry.user_message)


def note(event: dg.DagsterEvent, outcome: Outcome) -> None:
    """Add to the outcome what the closing summary needs of an event."""
    kind = event.event_type
    if kind == dg.DagsterEventType.ASSET_MATERIALIZATION:
        outcome.assets += 1
    elif kind == dg.DagsterEventType.ASSET_CHECK_EVALUATION:
        _note_check(event, outcome)
    elif kind == dg.DagsterEventType.STEP_FAILURE:
        _note_step_failure(event, outcome)
    elif kind == dg.DagsterEventType.RUN_FAILURE:
        _note_run_failure(event, outcome)


def _note_check(event: dg.DagsterEvent, outcome: Outcome) -> None:
    check = event.asset_check_evaluation_data
    if check.passed:
        return
    description = check.description or check.check_name
    if check.severity == dg.AssetCheckSeverity.ERROR:
        outcome.failed_checks.append(description)
        outcome.steps_with_failed_checks.add(event.step_key)
    elif STOPS_A_RUN in check.metadata:
        outcome.failed_checks.append(description)
    else:
        outcome.warnings.append(description)


def _note_step_failure(event: dg.DagsterEvent, outcome: Outcome) -> None:
    failure = event.step_failure_data
    outcome.is_interrupted |= is_interrupted(failure)
    if failure.user_failure_data and failure.user_failure_data.description:
        outcome.errors.append(failure.user_failure_data.description)
    elif is_of_dagster(failure) and event.step_key in outcome.steps_with_failed_checks:
        return  # Dagster ends the step of a blocking check that failed, which is in the outcome already
    else:
        outcome.errors.append(_root_message(event.step_key or "The run", failure.error))


def _note_run_failure(event: dg.DagsterEvent, outcome: Outcome) -> None:
    """The error of a run that ended before its first step or between steps.

    After a failed step the error of the run only repeats that of the step.
    """
    failure = event.job_failure_data
    outcome.is_interrupted |= is_unexpected_end(failure)
    if failure.error and not (outcome.errors or outcome.failed_checks):
        outcome.errors.append(_root_message("The run could not begin", failure.error))


class ErrorRecord(Protocol):
    """An error as Dagster records it: the message, and the error that caused it."""

    @property
    def message(self) -> str:
        """The class and the text of the error."""

    @property
    def cause(self) -> ErrorRecord | None:
        """The error behind it."""


def _root_message(place: str, error: ErrorRecord | None) -> str:
    if error is None:
        return f"{place}: {NO_CAUSE}"
    while error.cause:
        error = error.cause
    return f"{place}: {error.message.strip()}"


def error_sentence(error: BaseException) -> str:
    """The sentence of the deepest error that a person can act on; without one, the class and text of `error`."""
    sentence = f"{type(error).__name__}: {error}"
    cause: BaseException | None = error
    while cause:
        sentence = str(cause) if isinstance(cause, ProductPulseError) else sentence
        cause = cause.__cause__
    return sentence
