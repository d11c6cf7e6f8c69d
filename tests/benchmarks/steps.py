"""The seconds of each step, asset and check of the last run, from Dagster's event log.

python -m tests.benchmarks.steps DAGSTER_HOME
"""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

from tests.benchmarks.company import CHECKOUT, default_environment


def recorded_seconds(dagster_home: Path) -> dict[str, dict[str, float]]:
    """Seconds by step (`steps`), and by asset and check (`parts`), of the last run in the event log.

    A part's time begins at the event before it, so that the parts of a step add up to the step's time, without
    the time after its last part.

    A separate process reads the log: Dagster's memory in this one would count in the next measurement.
    """
    reading = subprocess.run(
        [sys.executable, "-m", "tests.benchmarks.steps", str(dagster_home)],
        check=True,
        cwd=CHECKOUT,
        env=default_environment(),
        capture_output=True,
    )
    return json.loads(reading.stdout)


def _recorded(dagster_home: str) -> dict[str, dict[str, float]]:
    import dagster as dg

    kinds = dg.DagsterEventType
    kept = {kinds.STEP_START, kinds.ASSET_MATERIALIZATION, kinds.ASSET_CHECK_EVALUATION, kinds.STEP_SUCCESS}
    with dg.DagsterInstance.from_config(dagster_home) as instance:
        (last,) = instance.get_run_records(limit=1)
        entries = instance.all_logs(last.dagster_run.run_id, of_type=kept)
    began: dict[str, float] = {}
    before: dict[str, float] = {}
    found: dict[str, dict[str, float]] = {"steps": {}, "parts": {}}
    for entry in entries:
        event, step = entry.dagster_event, entry.step_key
        if event.event_type == kinds.STEP_START:
            began[step] = entry.timestamp
        elif event.event_type == kinds.STEP_SUCCESS:
            found["steps"][step] = entry.timestamp - began[step]
        else:
            found["parts"][_part(event)] = entry.timestamp - before[step]
        before[step] = entry.timestamp
    return found


def _part(event) -> str:
    """An asset by its name, a check as `asset: check`."""
    about = event.event_specific_data
    is_check = hasattr(about, "check_name")
    return f"{about.asset_key.to_user_string()}: {about.check_name}" if is_check else event.asset_key.to_user_string()


if __name__ == "__main__":
    print(json.dumps(_recorded(sys.argv[1])))
