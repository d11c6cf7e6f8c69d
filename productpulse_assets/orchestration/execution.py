"""Running the graph from the command line: progress while it works, and what came of it."""

from __future__ import annotations

import datetime as dt
import logging
import re
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field

import dagster as dg

from productpulse_assets.orchestration.progress import Follow
from productpulse_assets.orchestration.system_errors import fault_sentence, faults_said
from resources.dagster_home import prepare_dagster_home
from resources.duckdb_connection import open_read_only
from resources.event_log import kept_history
from resources.home import Home
from resources.run_lock import retire_dead_runs, turn
from resources.settings import LONGEST_WAIT, Settings
from resources.tables import rows_of

EVERYTHING = "daily_refresh"
CALENDAR = "calendar"
QUIET = {"loggers": {"console": {"config": {"log_level": "CRITICAL"}}}}
SAID_WELL = (
    "UnreadableSource",
    "SourceProblem",
    "RulesError",
    "SettingsError",
    "WarehouseBusy",
    "HomeBusy",
    "TableNotMade",
    "Failure",
)
"""Errors whose message is a sentence for the person who runs this."""
NO_CAUSE = (
    "The run failed, and Dagster recorded no cause. Run it once more; if it fails again, `productpulse dev` shows "
    "all that this run recorded."
)


@dataclass
class Outcome:
    """What came of a run: how long it took, what it made, which checks failed and what broke."""

    succeeded: bool = False
    is_interrupted: bool = False
    seconds: float = 0.0
    assets: int = 0
    failed_checks: list[str] = field(default_factory=list)
    warnings: list[str] = field(default_factory=list)
    errors: list[str] = field(default_factory=list)


@contextmanager
def lasting_instance(home: Home) -> Iterator[dg.DagsterInstance]:
    """Dagster's history under the home folder, so that the UI shows these runs too."""
    prepare_dagster_home(home)
    with kept_history(home.dagster_home) as instance:
        yield instance


@contextmanager
def exclusive_instance(settings: Settings, say: Callable[[str], None]) -> Iterator[dg.DagsterInstance]:
    """Dagster's instance for a run that holds the lock of the home; `say` gets a sentence if it has to wait for one.

    Raises HomeBusy when another run does not end in time, and MachineFault for an operating-system error: a full disk,
    missing permissions, no memory.
    """
    home = settings.home
    with faults_said(home), turn(home, settings.wait, say), lasting_instance(home) as instance:
        retire_dead_runs(instance, home, max(settings.wait, LONGEST_WAIT))
        yield instance


def selected_job(defs: dg.Definitions, selection: str | None) -> dg.JobDefinition:
    """The whole graph, or the part that a Dagster selection such as 'kpi_summary+' names."""
    if not selection:
        return defs.resolve_job_def(EVERYTHING)
    # A dataset and its rejects are made by one step: whoever names one gets both.
    assets = dg.AssetSelection.from_string(whole_lines(selection)).required_multi_asset_neighbors()
    if not assets.resolve(defs.resolve_asset_graph()):
        raise dg.DagsterInvalidSubsetError("no asset is selected by it.")
    part = dg.define_asset_job("selected_assets", selection=assets)
    return dg.Definitions.merge(defs, dg.Definitions(jobs=[part])).resolve_job_def("selected_assets")


def whole_lines(selection: str) -> str:
    """`name+` as all that follows: Dagster takes a bare name's plus for one layer, which would leave
    the tables behind it as they were."""
    bare = re.fullmatch(r"(\+?)([A-Za-z_]\w*)(\+?)", selection.strip())
    return f'{bare[1]}key:"{bare[2]}"{bare[3]}' if bare else selection


def as_of_problem(job: dg.JobDefinition, settings: Settings) -> str | None:
    """Why the as-of date that is asked for cannot be that of a selection, in a sentence; None where it can.

    The calendar alone fixes the date. A selection without it computes with the date that is stored, so that
    another one would be ignored; and tables of two dates beside each other would be wrong.
    """
    asked, stored = settings.as_of, _stored_as_of(settings.home)
    is_fixed_here = dg.AssetKey(CALENDAR) in job.asset_layer.selected_asset_keys
    if is_fixed_here or None in (asked, stored) or asked == stored:
        return None
    return (
        f"The selection does not include the {CALENDAR}, which fixes the as-of date: in {settings.home.root} it is "
        f"{stored}, not {asked}. Leave --as-of and PRODUCTPULSE_AS_OF out, or run everything as of {asked} without "
        "--select."
    )


def _stored_as_of(home: Home) -> dt.date | None:
    """The as-of date of the tables that are stored; None where there are none."""
    if not home.warehouse.exists():
        return None
    backend = open_read_only(home.warehouse)
    try:
        if CALENDAR not in backend.list_tables():
            return None
        return rows_of(backend.table(CALENDAR))[0]["as_of_date"]
    finally:
        backend.disconnect()


def execute(
    job: dg.JobDefinition,
    instance: dg.DagsterInstance,
    home: Home,
    follow: Follow,
    tags: Mapping[str, str] | None = None,
) -> Outcome:
    """Run `job` to its end, whatever happens, and say what did. Raises KeyboardInterrupt after Ctrl-C.

    `tags` are those of the run in Dagster's history.
    """
    outcome, run_id = Outcome(), dg.DagsterRun(job_name=job.name).run_id
    started, has_begun = time.perf_counter(), False

    def listen(entry: dg.EventLogEntry) -> None:
        nonlocal has_begun
        if event := entry.dagster_event:
            has_begun = has_begun or event.event_type == dg.DagsterEventType.STEP_START
            note(event, outcome)
            follow(event)
        elif entry.level >= logging.WARNING and not has_begun:
            # What opening the store had to say; later warnings are Dagster's own, about steps left out.
            outcome.warnings.append(entry.user_message)

    instance.add_event_listener(run_id, listen)
    try:
        result = job.execute_in_process(
            instance=instance, run_id=run_id, raise_on_error=False, run_config=QUIET, tags=dict(tags or {})
        )
        outcome.succeeded = result.success
    except Exception as error:  # a resource that cannot start ends the run before its first step
        outcome.errors.append(sentence(type(error).__name__, str(error), error.__cause__))
    outcome.seconds = time.perf_counter() - started
    if outcome.is_interrupted:  # Dagster keeps it to itself, as the failure of a step
        raise KeyboardInterrupt
    if not (outcome.succeeded or outcome.errors or outcome.failed_checks):
        outcome.errors.append(NO_CAUSE)
    outcome.errors = [fault_sentence(error, home) or error for error in outcome.errors]
    return outcome


def note(event: dg.DagsterEvent, outcome: Outcome) -> None:
    """Keep what the closing summary needs of an event."""
    kind = event.event_type
    if kind == dg.DagsterEventType.ASSET_MATERIALIZATION:
        outcome.assets += 1
    elif kind == dg.DagsterEventType.ASSET_CHECK_EVALUATION:
        check = event.event_specific_data
        if not check.passed:
            is_error = check.severity == dg.AssetCheckSeverity.ERROR
            (outcome.failed_checks if is_error else outcome.warnings).append(check.description)
    elif kind == dg.DagsterEventType.STEP_FAILURE:
        error = event.event_specific_data.error
        outcome.is_interrupted |= _is_interrupt(error)
        if error.cls_name != "DagsterAssetCheckFailedError":
            outcome.errors.append(_root_sentence(event.step_key, error))
    elif kind == dg.DagsterEventType.RUN_FAILURE and event.event_specific_data.error:
        # Before the first step or between steps, such as a resource that cannot start. After a step that
        # failed the run's own error only repeats that.
        error = event.event_specific_data.error
        outcome.is_interrupted |= _is_interrupt(error)
        if not (outcome.errors or outcome.failed_checks):
            outcome.errors.append(_root_sentence("The run could not begin", error))


def _is_interrupt(error) -> bool:
    return any(cause.cls_name == "DagsterExecutionInterruptedError" for cause in _chain(error))


def _root_sentence(place: str, error) -> str:
    root = error
    while root.cause:
        root = root.cause
    told = next((cause for cause in _chain(error) if cause.cls_name in SAID_WELL), None)
    if told:
        return told.message.split(": ", 1)[-1].strip()
    return f"{place}: {root.message.strip()}"


def _chain(error) -> Iterator:
    while error:
        yield error
        error = error.cause


def sentence(kind: str, message: str, cause: BaseException | None) -> str:
    """The message of the deepest error that speaks to people, else the error as it is."""
    while cause:
        kind, message = (type(cause).__name__, str(cause)) if type(cause).__name__ in SAID_WELL else (kind, message)
        cause = cause.__cause__
    return message if kind in SAID_WELL else f"{kind}: {message}"
