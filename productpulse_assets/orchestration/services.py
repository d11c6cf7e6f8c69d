"""The processes of `productpulse dev`: the code server of the graph, Dagster's daemon, and its UI behind our guard.

The same three as with `dagster dev` and in compose.yaml, started by Dagster's own commands. Only the UI is started by
a program of ours, because Dagster's has no setting that refuses other hosts and origins.
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
from resources.run_origin import LOCATION
from resources.settings import Settings
from rules.text.errors import ProductPulseError

GRAPH = "productpulse_assets.workspace"
"""The module with the graph and its partitions."""
STARTS_WITHIN = 180
ENDS_WITHIN = 60
"""Seconds within which a process has to start and to end."""
POLL_SECONDS = 0.5
STOP_SIGNALS = (signal.SIGINT, signal.SIGTERM)


class ServiceEnded(ProductPulseError):
    """A process has ended or did not start; the message names it and its exit status."""


def run_services(settings: Settings, port: int) -> None:
    """Run all three until Ctrl-C or SIGTERM; raises ServiceEnded if one of them ends by itself."""
    for request in STOP_SIGNALS:  # a shell starts background processes so that they ignore Ctrl-C
        signal.signal(request, signal.default_int_handler)
    # A folder that only this user can open: a socket in it needs no port, and no other user can connect.
    with tempfile.TemporaryDirectory(prefix="productpulse-") as folder:
        socket_path, workspace = Path(folder) / "code.sock", Path(folder) / "workspace.yaml"
        place = {"location_name": LOCATION, "socket": str(socket_path)}
        workspace.write_text(yaml.safe_dump({"load_from": [{"grpc_server": place}]}), encoding="utf-8")
        with service_group() as services:
            services["The code server"] = start(
                settings,
                *("dagster", "code-server", "start", "--socket", str(socket_path), "--module-name", GRAPH),
                *("--location-name", LOCATION, "--log-level", "warning"),
            )
            wait_for(socket_path, services)
            services["Dagster's daemon"] = start(settings, "dagster._daemon", "run", "--workspace", str(workspace))
            services["Dagster's UI"] = start(
                settings, "resources.dagster_ui", "--port", str(port), "--workspace", str(workspace)
            )
            while True:
                check_services(services)
                time.sleep(POLL_SECONDS)


def start(settings: Settings, *command: str) -> subprocess.Popen[bytes]:
    """Start a program of this Python environment."""
    return subprocess.Popen([sys.executable, "-m", *command], env=dagster_environment(settings))


def wait_for(socket_path: Path, services: Mapping[str, subprocess.Popen[bytes]]) -> None:
    """Wait until a process accepts connections at the socket; raises ServiceEnded if none does."""
    until = time.monotonic() + STARTS_WITHIN
    while time.monotonic() < until:
        check_services(services)
        with socket.socket(socket.AF_UNIX) as client:
            if not client.connect_ex(str(socket_path)):
                return
        time.sleep(POLL_SECONDS)
    raise ServiceEnded("service.not_started", f"The code server did not start within {STARTS_WITHIN} s.")


def check_services(services: Mapping[str, subprocess.Popen[bytes]]) -> None:
    """Raise ServiceEnded for a process that has ended."""
    for name, process in services.items():
        if process.poll() is not None:
            raise ServiceEnded(
                "service.ended", f"{name} ended with status {process.returncode}; its output above says why."
            )


@contextmanager
def service_group() -> Iterator[dict[str, subprocess.Popen[bytes]]]:
    """Processes by name, in the order of their start; at the end of the block all are ended, the last one first."""
    services: dict[str, subprocess.Popen[bytes]] = {}
    try:
        yield services
    finally:
        # A second Ctrl-C would leave some of them running.
        before = {request: signal.signal(request, signal.SIG_IGN) for request in STOP_SIGNALS}
        for process in reversed(services.values()):  # the code server waits for its clients, so they are ended first
            process.terminate()
            try:
                process.wait(timeout=ENDS_WITHIN)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()
        for request, handler in before.items():
            signal.signal(request, handler)
