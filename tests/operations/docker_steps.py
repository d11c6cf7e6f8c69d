"""The steps of Dockerfile and compose.yaml, performed without Docker: `python -m tests.operations.docker_steps`.

Builds the image's folder, runs the demo in it, starts every server of compose.yaml with its own command, and starts a
run in the UI, which goes through queue, daemon and code server. Takes about a minute and needs the package index.
"""

from __future__ import annotations

import json
import subprocess
import tempfile
import time
import tomllib
from contextlib import ExitStack
from pathlib import Path
from urllib.request import Request, urlopen

from tests.operations import compose
from tests.operations.image import Stage, build

CHECKOUT = Path(__file__).resolve().parents[2]
LAUNCH = """
mutation Launch($selector: JobOrPipelineSelector!) {
  launchRun(executionParams: {selector: $selector, runConfigData: {}}) {
    __typename
    ... on LaunchRunSuccess { run { runId } }
    ... on PythonError { message }
  }
}"""
STATUS = "query Status($id: ID!) { runOrError(runId: $id) { ... on Run { status } } }"
SCHEDULES = """
query Schedules($selector: RepositorySelector!) {
  schedulesOrError(repositorySelector: $selector) {
    ... on Schedules { results { name scheduleState { status } } }
  }
}"""


def main() -> None:
    """Perform and print all steps; ends with an error at the first that fails."""
    with tempfile.TemporaryDirectory(prefix="productpulse-image-") as place:
        image = build(CHECKOUT, Path(place))
        check_wheel(image)
        print("The Dockerfile's steps are done.", flush=True)
        net = compose.network(compose.read(CHECKOUT))
        run_demo(image, net)
        with ExitStack() as up:
            for name in ("code", "daemon", "webserver", "dashboard"):
                up.enter_context(compose.running(image, net, name, Path(place) / f"{name}.log"))
                print(f"{name} is up.", flush=True)
            check_schedule_and_queue(net.ports["3000"], net.ports["4000"])
            print("A run that was started in the UI went through the queue and succeeded.", flush=True)


def check_wheel(image: Stage) -> None:
    """Assert that every file of our packages is installed, except the screenshots."""
    installed = next(image.path("/venv/lib").glob("python3.*")) / "site-packages"
    ours = tomllib.loads((CHECKOUT / "pyproject.toml").read_text(encoding="utf-8"))
    packages = [name.rstrip("*") for name in ours["tool"]["setuptools"]["packages"]["find"]["include"]]
    files = [path.relative_to(CHECKOUT) for name in packages for path in (CHECKOUT / name).rglob("*") if path.is_file()]
    missing = {str(path) for path in files if not (installed / path).exists()}
    missing = {name for name in missing if "__pycache__" not in name and not name.startswith("dashboard/screenshots/")}
    assert not missing, f"The wheel lacks {sorted(missing)}: see package-data in pyproject.toml."


def run_demo(image: Stage, net: compose.Network) -> None:
    """The service `pipeline` of compose.yaml: one run, in the image's empty home."""
    process = image.process(net.command(image, "pipeline"), stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
    output, _ = process.communicate()
    assert process.returncode == 0, output
    for written in ("published/productpulse.duckdb", "reports/executive_summary.md", "dagster_home/dagster.yaml"):
        assert (image.path("/data") / written).is_file(), f"The run wrote no {written}:\n{output}"
    print(next(line for line in output.splitlines() if line.startswith("Done: ")), flush=True)


def check_schedule_and_queue(webserver: int, code: int) -> None:
    """Assert that the schedule is on, and that a run started in the UI goes through the daemon to the code server."""
    address = f"http://127.0.0.1:{webserver}"
    graph = {"repositoryLocationName": f"grpc:127.0.0.1:{code}", "repositoryName": "__repository__"}
    found = ask(address, SCHEDULES, selector=graph)["schedulesOrError"]["results"]
    assert {"name": "daily_refresh", "scheduleState": {"status": "RUNNING"}} in found, found
    launched = ask(address, LAUNCH, selector=graph | {"pipelineName": "validate_sources"})["launchRun"]
    assert launched["__typename"] == "LaunchRunSuccess", launched
    run, deadline = launched["run"]["runId"], time.monotonic() + compose.HEALTHY_WITHIN
    while (status := ask(address, STATUS, id=run)["runOrError"]["status"]) not in ("SUCCESS", "FAILURE", "CANCELED"):
        assert time.monotonic() < deadline, f"The run is still {status}."
        time.sleep(1)
    assert status == "SUCCESS", status


def ask(address: str, query: str, **variables: object) -> dict:
    """The data of the answer from Dagster's GraphQL."""
    body = json.dumps({"query": query, "variables": variables}).encode()
    with urlopen(Request(f"{address}/graphql", body, {"Content-Type": "application/json"})) as answer:
        result = json.load(answer)
    assert "errors" not in result, result
    return result["data"]


if __name__ == "__main__":
    main()
