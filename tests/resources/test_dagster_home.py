"""Dagster's folder has the program's settings, wherever the program is."""

import os
import subprocess
import sys
from pathlib import Path

import pytest
import yaml

from resources.dagster_home import prepare_dagster_home
from resources.home import Home

pytestmark = pytest.mark.slow

CHECKOUT = Path(__file__).resolve().parents[2]
COMMAND = [sys.executable, "-m", "resources.dagster_home"]


def become(home: Path, *command: str) -> subprocess.CompletedProcess:
    environment = os.environ | {"PRODUCTPULSE_HOME": str(home)}
    return subprocess.run(
        [*COMMAND, *command], cwd=CHECKOUT, env=environment, capture_output=True, text=True, check=False
    )


def test_a_home_gets_the_settings_of_today(tmp_path):
    settings = tmp_path / "dagster_home" / "dagster.yaml"
    settings.parent.mkdir()
    settings.write_text("telemetry: {enabled: true}", encoding="utf-8")
    prepare_dagster_home(Home(tmp_path))
    assert settings.read_bytes() == (CHECKOUT / "dagster.yaml").read_bytes()
    assert yaml.safe_load(settings.read_text(encoding="utf-8"))["telemetry"] == {"enabled": False}


def test_settings_that_are_there_are_left_alone(tmp_path):
    prepare_dagster_home(Home(tmp_path))
    before = (tmp_path / "dagster_home" / "dagster.yaml").stat().st_ino
    prepare_dagster_home(Home(tmp_path))
    assert (tmp_path / "dagster_home" / "dagster.yaml").stat().st_ino == before


def test_it_becomes_the_command_with_dagsters_home(tmp_path):
    done = become(tmp_path, sys.executable, "-c", "import os; print(os.environ['DAGSTER_HOME'])")
    assert done.stdout.strip() == str(tmp_path / "dagster_home")


def test_a_home_that_cannot_be_written_ends_in_a_sentence(tmp_path):
    (tmp_path / "file").write_text("", encoding="utf-8")
    done = become(tmp_path / "file" / "home", "true")
    assert done.returncode == 1
    assert done.stderr.startswith(f"Nothing can be written to {tmp_path / 'file' / 'home'} as user {os.getuid()} (")
    assert "Traceback" not in done.stderr


@pytest.mark.parametrize("name", ["home [1]", "is it?", "home%20x", "a*b"])
def test_a_home_that_dagster_takes_for_another_is_refused(tmp_path, name):
    done = become(tmp_path / name, "true")
    assert done.returncode == 1
    assert done.stderr.startswith(f"The home is {tmp_path / name}, and Dagster, which keeps its history there, takes ")
    assert done.stderr.endswith("with --home or PRODUCTPULSE_HOME.\n")
    assert not (tmp_path / name).exists()
