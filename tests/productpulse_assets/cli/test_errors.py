"""How commands start and end: imports, error sentences and exit statuses."""

from __future__ import annotations

import errno
import os
import signal
import subprocess
import sys
from pathlib import Path

import click
import click.testing
import pytest

from productpulse_assets.cli import main
from productpulse_assets.cli.errors import INTERRUPTED, Commands, system_error_text
from rules.text.errors import ProductPulseError

pytestmark = pytest.mark.slow

COMMAND = (sys.executable, "-m", "productpulse_assets.cli")
STOPPED_BY_CTRL_C = "Stopped by Ctrl-C. The published files are complete; you can run the command again.\n"


def imported_by(*arguments: object) -> set[str]:
    """The top-level packages that a command imports."""
    result = subprocess.run(
        [sys.executable, "-X", "importtime", "-m", "productpulse_assets.cli", *map(str, arguments)],
        capture_output=True, text=True, check=True,
    )  # fmt: skip
    lines = (line for line in result.stderr.splitlines() if line.startswith("import time:"))
    return {line.rsplit("|", 1)[1].strip().split(".")[0] for line in lines}


def test_help_imports_nothing_large():
    assert {"dagster", "ibis", "duckdb", "pandas", "pydantic", "yaml"}.isdisjoint(imported_by("--help"))


@pytest.mark.parametrize("command", [["metric", "mrr"], ["explain", "C-000001"]])
def test_metric_and_explain_do_not_import_dagster(good_run, good_home, command):
    found = imported_by(*command, "--home", good_home)
    assert "duckdb" in found
    assert {"dagster", "pandera", "streamlit"}.isdisjoint(found)


def test_every_command_has_a_short_help_of_one_line():
    with click.Context(main) as context:
        for name, command in main.commands.items():
            assert command.get_short_help_str(limit=60).endswith("."), name
            assert "..." not in command.get_short_help_str(limit=60), name
            assert context.command.get_command(context, name) is command


def test_ctrl_c_ends_a_run_with_a_sentence_and_leaves_the_snapshot(home, company_exports):
    snapshot = home / "published" / "productpulse.duckdb"
    before = snapshot.read_bytes()
    run = subprocess.Popen(
        [*COMMAND, "run", "--force", "--data", str(company_exports), "--home", str(home)],
        stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
    )  # fmt: skip
    for _line, _number in zip(run.stdout, range(12), strict=False):
        pass
    run.send_signal(signal.SIGINT)
    _output, message = run.communicate(timeout=120)
    assert (run.returncode, message) == (INTERRUPTED, STOPPED_BY_CTRL_C)
    assert snapshot.read_bytes() == before


def test_a_closed_pipe_ends_a_command_without_a_message(good_run, good_home):
    reading, writing = os.pipe()
    os.close(reading)
    with os.fdopen(writing, "w") as closed:
        result = subprocess.run(
            [*COMMAND, "status", "--home", good_home], stdout=closed, stderr=subprocess.PIPE, text=True, check=False
        )
    assert result.stderr == ""


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="only Linux has /dev/full")
def test_a_full_disk_is_a_sentence(good_run, good_home):
    with open("/dev/full", "w") as full:
        result = subprocess.run(
            [*COMMAND, "metric", "mrr", "--home", good_home],
            stdout=full,
            stderr=subprocess.PIPE,
            text=True,
            check=False,
        )
    assert result.returncode == 2
    assert result.stderr == (
        "The disk is full (No space left on device). Free some space, or give another folder with --home.\n"
    )


def result_of(error: BaseException) -> click.testing.Result:
    """The result of a command that raises `error`."""
    group = Commands(commands=[click.Command("fail", callback=lambda: (_ for _ in ()).throw(error))])
    return click.testing.CliRunner().invoke(group, ["fail"])


def test_an_interrupt_is_one_sentence():
    result = result_of(KeyboardInterrupt())
    assert (result.exit_code, result.stderr, result.stdout) == (INTERRUPTED, STOPPED_BY_CTRL_C, "")


def test_an_error_of_the_operating_system_ends_with_2_and_a_sentence():
    result = result_of(PermissionError(errno.EACCES, "Permission denied", "/srv/home"))
    assert result.exit_code == 2
    assert result.stderr == (
        "/srv/home: No permission to read or write (Permission denied). "
        "Change the permissions, or give another folder.\n"
    )
    assert "Read-only file system" in system_error_text(OSError(errno.EROFS, "Read-only file system", "/x"))


@pytest.mark.parametrize(
    ("code", "status"),
    [("home.busy", 1), ("snapshot.missing", 1), ("service.ended", 1), ("rules.invalid", 2), ("customer.unknown", 2)],
)
def test_an_error_that_a_person_can_fix_is_its_sentence_and_a_status_by_its_code(code, status):
    result = result_of(ProductPulseError(code, "Give another\x1b[2J one: postgres://app:secret@db."))
    assert (result.exit_code, result.stdout) == (status, "")
    assert result.stderr == "Give another\\x1b[2J one: postgres://…@db.\n"


def test_a_fault_of_the_program_is_not_hidden():
    assert isinstance(result_of(ZeroDivisionError("ours")).exception, ZeroDivisionError)
