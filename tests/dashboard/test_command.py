"""`productpulse dashboard`: what it starts, where, and with which snapshot."""

import os
import sys
from pathlib import Path

import pytest

import dashboard


@pytest.fixture
def started(productpulse, monkeypatch):
    """What the command becomes, instead of a server."""
    found = {}

    def become(program, arguments):
        found.update(program=program, arguments=arguments, snapshot=os.environ["PRODUCTPULSE_SNAPSHOT"])
        raise SystemExit(0)

    monkeypatch.setattr(os, "execv", become)
    return lambda *given: productpulse("dashboard", *given).exit_code == 0 and found


def test_it_starts_streamlit_with_our_settings_over_the_home(started, tmp_path):
    found = started("--home", tmp_path, "--port", "8777")
    assert found["program"] == sys.executable
    assert found["snapshot"] == str(tmp_path / "published" / "productpulse.duckdb")
    script = Path(found["arguments"][4])
    assert script == Path(dashboard.__file__).with_name("app.py")
    assert found["arguments"][1:4] == ["-m", "streamlit", "run"]
    assert found["arguments"][5:] == ["--server.port", "8777"]


def test_the_settings_beside_the_script_keep_it_on_this_machine():
    settings = (Path(dashboard.__file__).parent / ".streamlit" / "config.toml").read_text(encoding="utf-8")
    assert 'address = "127.0.0.1"' in settings
    assert "gatherUsageStats = false" in settings
    assert 'showErrorDetails = "none"' in settings
