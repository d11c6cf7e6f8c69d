"""The settings of Dockerfile and compose.yaml that an operator relies on; `make docker-check` performs them."""

import re
import shutil
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest
import yaml

from tests.operations import compose, image

CHECKOUT = Path(__file__).resolve().parents[2]
SERVICES = compose.read(CHECKOUT)
DOCKERFILE = (CHECKOUT / "Dockerfile").read_text(encoding="utf-8")
COMPOSE = (CHECKOUT / "compose.yaml").read_text(encoding="utf-8")
PROJECT = tomllib.loads((CHECKOUT / "pyproject.toml").read_text(encoding="utf-8"))["project"]


def test_hadolint_finds_nothing():
    linter = shutil.which("hadolint", path=Path(sys.executable).parent)
    found = subprocess.run([linter, CHECKOUT / "Dockerfile"], capture_output=True, text=True, check=False)
    assert (found.returncode, found.stdout) == (0, "")


def test_the_image_runs_as_a_user_without_privileges_and_sends_no_telemetry():
    (user,) = re.findall(r"^USER (\S+)$", DOCKERFILE, re.MULTILINE)
    assert user.isdigit() and int(user) > 1000
    assert f"--uid {user} " in DOCKERFILE
    assert "DAGSTER_DISABLE_TELEMETRY=1" in DOCKERFILE


@pytest.mark.parametrize("name", SERVICES)
def test_a_service_can_write_only_to_the_volume(name):
    about = SERVICES[name]
    assert about["read_only"] and about["cap_drop"] == ["ALL"]
    assert about["security_opt"] == ["no-new-privileges:true"]
    assert about["volumes"] == ["home:/data"]
    assert "PRODUCTPULSE_HOME=/data" in DOCKERFILE
    assert about["image"] == f"{PROJECT['name']}:{PROJECT['version']}"


def test_ports_are_published_on_this_machine_only():
    ports = [port for about in SERVICES.values() for port in about.get("ports", ())]
    assert sorted(ports) == ["127.0.0.1:3000:3000", "127.0.0.1:8501:8501"]


def test_both_servers_run_behind_the_guard():
    assert SERVICES["webserver"]["command"][:3] == ["python", "-m", "resources.dagster_ui"]
    assert SERVICES["dashboard"]["command"][:2] == ["productpulse", "dashboard"]
    assert not any("dagster-webserver" in about["command"] for about in SERVICES.values())


def test_a_server_is_restarted_and_a_run_is_not():
    assert SERVICES["pipeline"]["restart"] == "no"
    assert SERVICES["pipeline"]["profiles"], "`up` would start a run at every start"
    servers = {name: about for name, about in SERVICES.items() if name != "pipeline"}
    assert set(servers) == {"code", "daemon", "webserver", "dashboard"}
    assert {about["restart"] for about in servers.values()} == {"unless-stopped"}
    assert all(about["healthcheck"]["test"] for about in servers.values())


def test_the_override_in_the_comment_fits_the_services():
    shown = COMPOSE.split("(runs by hand):\n")[1].split("# The user")[0]
    override = yaml.safe_load(re.sub(r"^# ? ?", "", shown, flags=re.MULTILINE))
    assert set(override["services"]) <= set(SERVICES)
    for about in override["services"].values():
        mounts = [volume.split(":") for volume in about["volumes"]]
        assert {inside for _outside, inside, _mode in mounts} == set(about["environment"].values())
        assert {mode for _outside, _inside, mode in mounts} == {"ro"}


@pytest.fixture
def no_python(monkeypatch):
    """Stages without a virtual environment, which takes seconds to create."""
    monkeypatch.setattr(image.venv, "create", lambda folder, with_pip: folder.mkdir())


def small_checkout(folder: Path, *steps: str) -> Path:
    (folder / "Dockerfile").write_text("\n".join(["FROM python:3.11-slim-bookworm", *steps]), encoding="utf-8")
    (folder / ".dockerignore").write_text("*\n!rules\n**/__pycache__\n", encoding="utf-8")
    for name in ("rules/churn.yaml", "rules/__pycache__/churn.pyc", "secrets.env"):
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(name, encoding="utf-8")
    return folder


def test_the_steps_get_the_same_files_and_settings_as_in_docker(no_python, tmp_path):
    steps = ("WORKDIR /app", "ENV PLACE=/data WORD=x", "COPY . .", "RUN mkdir /data && useradd x && ls > $PLACE/$WORD")
    (tmp_path / "checkout").mkdir()
    built = image.build(small_checkout(tmp_path / "checkout", *steps, 'CMD ["ls"]'), tmp_path / "image")
    assert built.command == ["ls"]
    assert built.path("/data/x").read_text(encoding="utf-8") == "rules\n"
    assert [file.name for file in built.path("/app").rglob("*") if file.is_file()] == ["churn.yaml"]


@pytest.mark.parametrize(
    ("step", "message"),
    [
        ("COPY secrets.env .", "the build context has no such file"),
        ("RUN productpuls run", "not found"),
        ("HEALTHCHECK NONE", "the instruction HEALTHCHECK is not supported"),
    ],
)
def test_a_step_that_fails_is_named(no_python, tmp_path, step, message):
    (tmp_path / "checkout").mkdir()
    with pytest.raises(image.StepFailed, match=message):
        image.build(small_checkout(tmp_path / "checkout", step), tmp_path / "image")
