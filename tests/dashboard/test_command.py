"""`productpulse dashboard`: the command that it starts, its address and its snapshot."""

import os
import sys
from pathlib import Path
from unittest import mock

import pytest
from click.testing import CliRunner
from streamlit.web.server.app_discovery import discover_asgi_app

import dashboard
from productpulse_assets.cli import main

pytestmark = pytest.mark.slow


@pytest.fixture
def started(productpulse, monkeypatch):
    """The program that the command would replace itself with, instead of a server."""
    found = {}

    def record(program, arguments, environment):
        found.update(program=program, arguments=arguments, snapshot=environment["PRODUCTPULSE_SNAPSHOT"])
        raise SystemExit(0)

    monkeypatch.setattr(os, "execve", record)
    return lambda *given: productpulse("dashboard", *given).exit_code == 0 and found


def test_it_starts_streamlit_with_our_settings_over_the_home(started, tmp_path):
    found = started("--home", tmp_path, "--port", "8777")
    assert found["program"] == sys.executable
    assert found["snapshot"] == str(tmp_path / "published" / "productpulse.duckdb")
    script = Path(found["arguments"][4])
    assert script == Path(dashboard.__file__).with_name("server.py")
    assert found["arguments"][1:4] == ["-m", "streamlit", "run"]
    hosts = ["--server.allowedHosts", "127.0.0.1", "--server.allowedHosts", "localhost"]
    assert found["arguments"][5:] == ["--server.port", "8777", *hosts]


@pytest.fixture
def with_hosts(tmp_path):
    """The command with PRODUCTPULSE_ALLOWED_HOSTS set."""

    def run(hosts: str):
        settings = {"PRODUCTPULSE_ALLOWED_HOSTS": hosts, "PRODUCTPULSE_HOME": str(tmp_path)}
        with mock.patch.dict(os.environ, settings):
            return CliRunner().invoke(main, ["dashboard"])

    return run


def test_a_proxys_name_is_added_to_the_hosts_that_streamlit_answers(with_hosts, monkeypatch):
    commands = []
    monkeypatch.setattr(os, "execve", lambda _program, command, _environment: commands.append(command))
    assert with_hosts("Pulse.example.com").exit_code == 0
    assert commands[0][-4:] == ["--server.allowedHosts", "localhost", "--server.allowedHosts", "pulse.example.com"]


def test_a_wildcard_is_not_a_host(with_hosts):
    result = with_hosts("*")
    assert result.exit_code == 2
    assert result.stderr.startswith("An allowed host is '*', which is not a host name. ")


def test_streamlit_finds_the_app_behind_the_guard():
    found = discover_asgi_app(Path(dashboard.__file__).with_name("server.py"))
    assert (found.is_asgi_app, found.app_name) == (True, "app")


def test_the_settings_beside_the_script_keep_it_on_this_machine():
    settings = (Path(dashboard.__file__).parent / ".streamlit" / "config.toml").read_text(encoding="utf-8")
    assert 'address = "127.0.0.1"' in settings
    assert 'allowedHosts = ["127.0.0.1", "localhost"]' in settings
    assert "gatherUsageStats = false" in settings
    assert 'showErrorDetails = "none"' in settings
