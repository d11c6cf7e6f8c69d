"""What `productpulse dev` keeps running: the graph's code server, Dagster's daemon, and its UI behind our guard.

The same three as `dagster dev` and as the services of compose.yaml, by Dagster's own commands; only the UI is
ours, since Dagster's has no setting that refuses other hosts and origins.
"""

from __future__ import annotations

import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

import yaml

from resources.dagster_home import dagster_environment
from resources.settings import Settings
from rules.text.errors import ProductPulseError

GRAPH = "productpulse_assets.definitions"
"""The module with the graph; Dagster keeps the state of schedules and sensors under this name."""
STARTS_WITHIN = 180
ENDS_WITHIN = 60
"""Seconds that a process has to begin and to end."""
LOOK_EVERY = 0.5
ASKS_TO_END = (signal.SIGINT, signal.SIGTERM)


class ServiceEnded(ProductPulseError):
    """A process that should go on has ended; the message says which, and its exit status."""


def keep_running(settings: Settings, port: int) -> None:
    """Run all three until Ctrl-C or SIGTERM; raises ServiceEnded if one of them ends by itself."""
    for request in ASKS_TO_END:  # a shell starts what it puts into the background deaf to Ctrl-C
        signal.signal(request, signal.default_int_handler)
    # A folder that only this user can open: a socket in it needs no port, and no other user can connect.
    with tempfile.TemporaryDirectory(prefix="productpulse-") as folder:
        door, workspace = Path(folder) / "code.sock", Path(folder) / "workspace.yaml"
        place = {"location_name": GRAPH, "socket": str(door)}
        workspace.write_text(yaml.safe_dump({"load_from": [{"grpc_server": place}]}), encoding="utf-8")
        with ended_together() as services:
            services["The code server"] = start(
                settings,
                *("dagster", "code-server", "start", "--socket", str(door), "--module-name", GRAPH),
                *("--location-name", GRAPH, "--log-level", "warning"),
            )
            wait_for(door, services)
            services["Dagster's daemon"] = start(settings, "dagster._daemon", "run", "--workspace", str(workspace))
            services["Dagster's UI"] = start(
                settings, "resources.dagster_ui", "--port", str(port), "--workspace", str(workspace)
            )
            while True:
                all_running(services)
                time.sleep(LOOK_EVERY)


def start(settings: Settings, *command: str) -> subprocess.Popen[bytes]:
    """Start a program of this Python environment."""
    return subprocess.Popen([sys.executable, "-m", *command], env=dagster_environment(settings))


def wait_for(door: Path, services: Mapping[str, subprocess.Popen[bytes]]) -> None:
    """Until something answers at the socket; raises ServiceEnded if nothing does."""
    until = time.monotonic() + STARTS_WITHIN
    while time.monotonic() < until:
        all_running(services)
        with socket.socket(socket.AF_UNIX) as visitor:
            if not visitor.connect_ex(str(door)):
                return
        time.sleep(LOOK_EVERY)
    raise ServiceEnded("service.not_started", f"The code server did not start within {STARTS_WITHIN} s.")


def all_running(services: Mapping[str, subprocess.Popen[bytes]]) -> None:
    """Look whether every process is there; raises ServiceEnded for one that is not."""
    for name, process in services.items():
        if process.poll() is not None:
            raise ServiceEnded(
                "service.ended", f"{name} ended with status {process.returncode}; what it printed above says why."
            )


@contextmanager
def ended_together() -> Iterator[dict[str, subprocess.Popen[bytes]]]:
    """Processes by name, in the order of their start; all are ended with the block, the last one first."""
    services: dict[str, subprocess.Popen[bytes]] = {}
    try:
        yield services
    finally:
        for request in ASKS_TO_END:  # a second Ctrl-C would leave some of them behind
            signal.signal(request, signal.SIG_IGN)
        for process in reversed(services.values()):  # the code server waits for its visitors, who go first
            process.terminate()
            try:
                process.wait(timeout=ENDS_WITHIN)
            except subprocess.TimeoutExpired:
                process.kill()
