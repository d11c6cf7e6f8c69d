"""The services of compose.yaml without Docker: their own commands and their own questions about health."""

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

PATIENCE = 120
"""Seconds within which a server answers, on a machine that does other things too."""


def read(checkout: Path) -> dict[str, dict]:
    """The services of compose.yaml by name."""
    return yaml.safe_load((checkout / "compose.yaml").read_text(encoding="utf-8"))["services"]


def free_port() -> int:
    """A port that nobody listens to."""
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return listener.getsockname()[1]


@dataclass(frozen=True)
class Network:
    """What stands for the services' own network: all are on this machine, each port is one that is free."""

    services: Mapping[str, dict]
    ports: Mapping[str, int]

    def here(self, word: str, before: str = "") -> str:
        """A word of a command, after the word `before`, with the names and ports of this machine."""
        if word == "0.0.0.0" or (before.endswith("-host") and word in self.services):
            return "127.0.0.1"
        return re.sub(r"\b\d{4}\b", lambda found: str(self.ports.get(found[0], found[0])), word)

    def command(self, image: Stage, name: str) -> list[str]:
        """What the container of a service runs."""
        given = self.services[name]["command"]
        return [*image.entrypoint, *map(self.here, given, ["", *given])]

    def environment(self, name: str) -> dict[str, str]:
        """What a service sets besides what the image does."""
        return {key: self.here(str(value)) for key, value in self.services[name].get("environment", {}).items()}


def network(services: Mapping[str, dict]) -> Network:
    """A free port for each that a command names."""
    named = {word for about in services.values() for word in about["command"] if re.fullmatch(r"\d{4}", word)}
    return Network(services, {port: free_port() for port in named})


@contextmanager
def running(image: Stage, net: Network, name: str, log: Path) -> Iterator[None]:
    """A service that is up and well; afterwards it is stopped in the way Docker stops it."""
    with log.open("w", encoding="utf-8") as said:
        process = image.process(
            net.command(image, name),
            environment=net.environment(name),
            stdout=said,
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
    """Ask the service's own question until it is answered well; raises AssertionError with what it said."""
    _cmd, *question = net.services[name]["healthcheck"]["test"]
    question = [net.here(word) for word in question]
    deadline = time.monotonic() + PATIENCE
    while process.poll() is None and time.monotonic() < deadline:
        asked = image.process(question, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        if asked.wait() == 0:
            return
        time.sleep(1)
    raise AssertionError(f"The service {name} does not get well:\n{log.read_text(encoding='utf-8')}")
