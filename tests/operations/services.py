"""`productpulse dev` as it is left running on a server: its page, its schedule and its sensor."""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TypeVar

from tests.dashboard.browser import waiting_for

RUNS = """{ runsOrError { ... on Runs { results { runId jobName status tags { key value } } } } }"""
Found = TypeVar("Found")


@contextmanager
def running_services(home: Path, log: Path, **settings: object) -> Iterator[str]:
    """The program with its daemon, until the end of the block; the address of its page.

    `settings` are environment variables without their PRODUCTPULSE_; what it says goes to `log`.
    """
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    command = [sys.executable, "-m", "productpulse_assets.cli", "dev", "--home", str(home), "--port", str(port)]
    clean = {name: value for name, value in os.environ.items() if not name.startswith(("PRODUCTPULSE_", "DAGSTER_"))}
    given = {f"PRODUCTPULSE_{name}": str(value) for name, value in settings.items()}
    with log.open("w") as said:
        # A session of its own, so that it and all that it started can be ended together.
        service = subprocess.Popen(
            command, env=clean | given, stdout=said, stderr=subprocess.STDOUT, start_new_session=True
        )
    address = f"http://127.0.0.1:{port}"
    try:
        waiting_for(f"{address}/server_info", service)
        yield address
    finally:
        end(service)


def end(service: subprocess.Popen) -> None:
    """Ask the service to end, as Ctrl-C does; what is left of it a while later is killed."""
    service.send_signal(signal.SIGINT)
    try:
        service.wait(timeout=60)
    except subprocess.TimeoutExpired:
        pass
    finally:
        try:
            os.killpg(service.pid, signal.SIGKILL)
        except ProcessLookupError:
            return
        service.wait(timeout=10)


def ask(address: str, question: str) -> dict:
    """What Dagster's page answers to a question in GraphQL."""
    body = json.dumps({"query": question}).encode()
    request = urllib.request.Request(f"{address}/graphql", body, {"Content-Type": "application/json"})
    with urllib.request.urlopen(request, timeout=30) as answer:
        return json.load(answer)["data"]


def runs_because(address: str, reason: str) -> list[dict]:
    """The runs that were started for a reason, newest first."""
    found = ask(address, RUNS)["runsOrError"]["results"]
    return [
        run
        for run in found
        if any(tag["key"] == "productpulse/started_because" and tag["value"] == reason for tag in run["tags"])
    ]


def ended(address: str, reason: str) -> dict | None:
    """The first run that was started for a reason, once it has ended."""
    done = [run for run in runs_because(address, reason) if run["status"] in ("SUCCESS", "FAILURE", "CANCELED")]
    return done[-1] if done else None


def eventually(look: Callable[[], Found | None], seconds: float) -> Found:
    """What `look` finds, as soon as it finds something; raises TimeoutError when it does not."""
    until = time.monotonic() + seconds
    while time.monotonic() < until:
        if found := look():
            return found
        time.sleep(1)
    raise TimeoutError(f"Nothing was found within {seconds:.0f} s.")
