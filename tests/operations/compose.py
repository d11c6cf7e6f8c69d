"""The services of compose.yaml without Docker, with their own commands and health checks."""

from __future__ import annotations

import re
import signal
import socket
import subprocess
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import yaml

from tests.operations.image import Stage

HEALTHY_WITHIN = 120
"""Seconds within which a server must become healthy, on a busy machine."""


def read(checkout: Path) -> dict[str, dict]:
    """The services of compose.yaml by name."""
    return yaml.safe_load((checkout / "compose.yaml").read_text(encoding="utf-8"))["services"]


def free_port() -> int:
    """A port of this machine on which no program listens."""
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return listener.getsockname()[1]


@dataclass(frozen=True)
class Network:
    """The services' network on this machine: every host is 127.0.0.1, and every port is a free one."""

    services: Mapping[str, dict]
    ports: Mapping[str, int]

    def translate(self, word: str, previous: str = "") -> str:
        """A word of a command, which follows the word `previous`, with the host and port of this machine."""
        if word == "0.0.0.0" or (previous.endswith("-host") and word in self.services):
            return "127.0.0.1"
        return re.sub(r"\b\d{4}\b", lambda found: str(self.ports.get(found[0], found[0])), word)

    def command(self, image: Stage, name: str) -> list[str]:
        """The command of a service's container."""
        given = self.services[name]["command"]
        return [*image.entrypoint, *map(self.translate, given, ["", *given])]

    def environment(self, name: str) -> dict[str, str]:
        """The environment variables that a service sets in addition to the image."""
        return {key: self.translate(str(value)) for key, value in self.services[name].get("environment", {}).items()}


def network(services: Mapping[str, dict]) -> Network:
    """The network, with a free port for each port in the commands."""
    named = {word for about in services.values() for word in about["command"] if re.fullmatch(r"\d{4}", word)}
    return Network(services, {port: free_port() for port in named})


@contextmanager
def running(image: Stage, net: Network, name: str, log: Path) -> Iterator[None]:
    """Run a service: the block starts when it is healthy, and at its end the service is stopped as Docker stops it."""
    with log.open("w", encoding="utf-8") as output:
        process = image.process(
            net.command(image, name),
            environment=net.environment(name),
            stdout=output,
            stderr=subprocess.STDOUT,
        )
        try:
            wait_until_healthy(image, net, name, process, log)
            yield
        finally:
            process.send_signal(signal.SIGTERM)
            try:
                process.wait(timeout=30)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()


def wait_until_healthy(image: Stage, net: Network, name: str, process: subprocess.Popen, log: Path) -> None:
    """Run the service's health check until it succeeds; raises AssertionError with the service's output."""
    _cmd, *check = net.services[name]["healthcheck"]["test"]
    check = [net.translate(word) for word in check]
    deadline = time.monotonic() + HEALTHY_WITHIN
    while process.poll() is None and time.monotonic() < deadline:
        result = image.process(check, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        if result.wait() == 0:
            return
        time.sleep(1)
    raise AssertionError(f"The service {name} did not become healthy:\n{log.read_text(encoding='utf-8')}")
