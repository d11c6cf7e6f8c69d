"""The seconds of each step of the last run, from Dagster's own record of it.

python -m tests.benchmarks.steps DAGSTER_HOME
"""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

from tests.benchmarks.company import CHECKOUT, default_environment


def step_seconds(dagster_home: Path) -> dict[str, float]:
    """Seconds by step, an asset or a check, of the last run recorded there.

    Read in a process of its own: Dagster in this one would count towards what is measured next.
    """
    reading = subprocess.run(
        [sys.executable, "-m", "tests.benchmarks.steps", str(dagster_home)],
        check=True,
        cwd=CHECKOUT,
        env=default_environment(),
        capture_output=True,
    )
    return json.loads(reading.stdout)


def _recorded(dagster_home: str) -> dict[str, float]:
    import dagster as dg

    with dg.DagsterInstance.from_config(dagster_home) as instance:
        (last,) = instance.get_run_records(limit=1)
        stats = instance.get_run_step_stats(last.dagster_run.run_id)
    return {step.step_key: step.end_time - step.start_time for step in stats if step.start_time and step.end_time}


if __name__ == "__main__":
    print(json.dumps(_recorded(sys.argv[1])))
