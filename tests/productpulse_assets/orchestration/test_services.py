"""The processes of `productpulse dev` go together: when one ends, the others do, and a sentence says which."""

import signal
import socket
import subprocess
import sys

import pytest

from productpulse_assets.orchestration import services as module
from productpulse_assets.orchestration.services import ServiceEnded, check_services, service_group, wait_for
from tests.errors import raises


@pytest.fixture(autouse=True)
def own_signals():
    """Ctrl-C means to the next test what it meant before."""
    before = {number: signal.getsignal(number) for number in module.STOP_SIGNALS}
    yield
    for number, handler in before.items():
        signal.signal(number, handler)


WILLING = "signal.pthread_sigmask(signal.SIG_SETMASK, []); signal.signal(signal.SIGTERM, signal.SIG_DFL)"
DEAF = "signal.signal(signal.SIGTERM, signal.SIG_IGN)"
"""What a process does with SIGTERM, whatever the process of the tests does with it."""


def sleeping(does: str) -> subprocess.Popen:
    """A process that sleeps, once it has set what it does with SIGTERM."""
    code = f"import signal, time; {does}; print(flush=True); time.sleep(60)"
    process = subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE)
    process.stdout.readline()
    process.stdout.close()
    return process


def test_when_one_ends_its_name_is_reported_and_the_others_are_ended():
    with raises("service.ended", ServiceEnded), service_group() as services:
        services["The code server"] = sleeping(WILLING)
        services["The daemon"] = subprocess.Popen([sys.executable, "-c", "raise SystemExit(3)"])
        services["The daemon"].wait()
        check_services(services)
    assert services["The code server"].returncode == -signal.SIGTERM


def test_one_that_does_not_end_is_killed(monkeypatch):
    monkeypatch.setattr(module, "ENDS_WITHIN", 1)
    with service_group() as services:
        services["deaf"] = sleeping(DEAF)
    assert services["deaf"].wait(timeout=10) == -signal.SIGKILL


def test_it_waits_until_the_socket_is_answered(tmp_path, monkeypatch):
    with socket.socket(socket.AF_UNIX) as server:
        server.bind(str(tmp_path / "door"))
        server.listen()
        wait_for(tmp_path / "door", {})
    monkeypatch.setattr(module, "STARTS_WITHIN", 0.2)
    with raises("service.not_started", ServiceEnded):
        wait_for(tmp_path / "nothing", {})
