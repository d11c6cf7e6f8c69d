"""How commands begin and end: quickly, in a sentence, with the right status."""

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
from productpulse_assets.cli.errors import INTERRUPTED, Commands, refusal

pytestmark = pytest.mark.slow

COMMAND = (sys.executable, "-m", "productpulse_assets.cli")
STOPPED_BY_CTRL_C = "Stopped by Ctrl-C. Whatever was published is whole; run again when you like.\n"


def imported_by(*arguments: object) -> set[str]:
    """The top-level packages that a command imports."""
    told = subprocess.run(
        [sys.executable, "-X", "importtime", "-m", "productpulse_assets.cli", *map(str, arguments)],
        capture_output=True, text=True, check=True,
    )  # fmt: skip
    lines = (line for line in told.stderr.splitlines() if line.startswith("import time:"))
    return {line.rsplit("|", 1)[1].strip().split(".")[0] for line in lines}


def test_help_imports_nothing_large():
    assert {"dagster", "ibis", "duckdb", "pandas", "pydantic", "yaml"}.isdisjoint(imported_by("--help"))


@pytest.mark.parametrize("command", [["metric", "mrr"], ["explain", "C-000001"]])
def test_looking_does_without_dagster(good_run, good_home, command):
    found = imported_by(*command, "--home", good_home)
    assert "duckdb" in found
    assert {"dagster", "pandera", "streamlit"}.isdisjoint(found)


def test_every_command_says_in_a_line_what_it_does():
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
    _out, told = run.communicate(timeout=120)
    assert (run.returncode, told) == (INTERRUPTED, STOPPED_BY_CTRL_C)
    assert snapshot.read_bytes() == before


def test_a_reader_who_has_seen_enough_ends_a_command_quietly(good_run, good_home):
    reading, writing = os.pipe()
    os.close(reading)
    with os.fdopen(writing, "w") as closed:
        told = subprocess.run(
            [*COMMAND, "status", "--home", good_home], stdout=closed, stderr=subprocess.PIPE, text=True, check=False
        )
    assert told.stderr == ""


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="the disk that is always full is Linux's")
def test_a_full_disk_is_a_sentence(good_run, good_home):
    with open("/dev/full", "w") as full:
        told = subprocess.run(
            [*COMMAND, "metric", "mrr", "--home", good_home],
            stdout=full,
            stderr=subprocess.PIPE,
            text=True,
            check=False,
        )
    assert told.returncode == 2
    assert told.stderr == (
        "There is no room left on the disk (No space left on device). Make room, or give another folder with --home.\n"
    )


def ending(error: BaseException):
    """What becomes of a command that raises `error`."""
    group = Commands(commands=[click.Command("fail", callback=lambda: (_ for _ in ()).throw(error))])
    return click.testing.CliRunner().invoke(group, ["fail"])


def test_an_interrupt_is_one_sentence():
    result = ending(KeyboardInterrupt())
    assert (result.exit_code, result.stderr, result.stdout) == (INTERRUPTED, STOPPED_BY_CTRL_C, "")


def test_what_the_system_refuses_is_bad_usage_with_a_sentence():
    result = ending(PermissionError(errno.EACCES, "Permission denied", "/srv/home"))
    assert result.exit_code == 2
    assert result.stderr == (
        "/srv/home: You may not read or write this (Permission denied). "
        "Change its permissions, or give another folder.\n"
    )
    assert "Read-only file system" in refusal(OSError(errno.EROFS, "Read-only file system", "/x"))


def test_a_fault_of_the_program_is_not_hidden():
    assert isinstance(ending(ZeroDivisionError("ours")).exception, ZeroDivisionError)
