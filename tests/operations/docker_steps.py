"""What Docker would do with Dockerfile and compose.yaml, done without it: `python -m tests.operations.docker_steps`.

Builds the image's folder, runs the demo in it, starts every server of compose.yaml by its own command,
and has a run started in the UI go through queue, daemon and code server. Takes about a minute and
needs the package index.
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
    """All steps, each told as it is done; ends with an error at the first that fails."""
    with tempfile.TemporaryDirectory(prefix="productpulse-image-") as place:
        image = build(CHECKOUT, Path(place))
        whole(image)
        print("The Dockerfile's steps are done.", flush=True)
        about = compose.read(CHECKOUT)
        net = compose.network(about)
        demo(image, net)
        with ExitStack() as up:
            for name in ("code", "daemon", "webserver", "dashboard"):
                up.enter_context(compose.running(image, net, name, Path(place) / f"{name}.log"))
                print(f"{name} is up.", flush=True)
            scheduled_and_queued(net.ports["3000"], net.ports["4000"])
            print("A run that was started in the UI went through the queue and succeeded.", flush=True)


def whole(image: Stage) -> None:
    """Every file of our packages is installed; only pictures for the README are not."""
    installed = next(image.path("/venv/lib").glob("python3.*")) / "site-packages"
    ours = tomllib.loads((CHECKOUT / "pyproject.toml").read_text(encoding="utf-8"))
    packages = [name.rstrip("*") for name in ours["tool"]["setuptools"]["packages"]["find"]["include"]]
    files = [path.relative_to(CHECKOUT) for name in packages for path in (CHECKOUT / name).rglob("*") if path.is_file()]
    left = {str(path) for path in files if not (installed / path).exists()}
    left = {name for name in left if "__pycache__" not in name and not name.startswith("dashboard/screenshots/")}
    assert not left, f"The wheel lacks {sorted(left)}: see package-data in pyproject.toml."


def demo(image: Stage, net: compose.Network) -> None:
    """The one-shot run of compose.yaml, in the image's empty home."""
    process = image.process(net.command(image, "pipeline"), stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
    said, _ = process.communicate()
    assert process.returncode == 0, said
    for written in ("published/productpulse.duckdb", "reports/executive_summary.md", "dagster_home/dagster.yaml"):
        assert (image.path("/data") / written).is_file(), f"The run left no {written}:\n{said}"
    print(next(line for line in said.splitlines() if line.startswith("Done: ")), flush=True)


def scheduled_and_queued(webserver: int, code: int) -> None:
    """The schedule is on, and what the UI starts is dequeued by the daemon and done by the code server."""
    address = f"http://127.0.0.1:{webserver}"
    graph = {"repositoryLocationName": f"grpc:127.0.0.1:{code}", "repositoryName": "__repository__"}
    found = ask(address, SCHEDULES, selector=graph)["schedulesOrError"]["results"]
    assert {"name": "daily_refresh", "scheduleState": {"status": "RUNNING"}} in found, found
    launched = ask(address, LAUNCH, selector=graph | {"pipelineName": "validate_sources"})["launchRun"]
    assert launched["__typename"] == "LaunchRunSuccess", launched
    run, deadline = launched["run"]["runId"], time.monotonic() + compose.PATIENCE
    while (status := ask(address, STATUS, id=run)["runOrError"]["status"]) not in ("SUCCESS", "FAILURE", "CANCELED"):
        assert time.monotonic() < deadline, f"The run is still {status}."
        time.sleep(1)
    assert status == "SUCCESS", status


def ask(address: str, query: str, **variables: object) -> dict:
    """The answer of Dagster's GraphQL."""
    body = json.dumps({"query": query, "variables": variables}).encode()
    with urlopen(Request(f"{address}/graphql", body, {"Content-Type": "application/json"})) as answer:
        said = json.load(answer)
    assert "errors" not in said, said
    return said["data"]


if __name__ == "__main__":
    main()
