"""Every command in the shell blocks of the README and of docs/ runs, in a folder with a user's exports."""

from __future__ import annotations

import os
import shlex
import subprocess
import sys
from pathlib import Path

import pytest

from productpulse_assets.synthetic import CompanyPlan, write_company
from tests.documents import CHECKOUT, PATHS, blocks
from tests.rules.presets import recurly_site
from tests.rules.presets.recurly_site import write_site
from tests.rules.presets.stripe_account import PAYMENTS, SUBSCRIPTIONS, write_account

pytestmark = pytest.mark.slow

TESTED_ELSEWHERE = {
    "make run": "the last step of .ci/run",
    "make test": "runs this test",
    "source .venv/bin/activate": "sets the search path, nothing else",
    "productpulse dashboard": "serves until it is stopped: tests/dashboard/test_command.py",
    "dagster dev": "serves until it is stopped: tests/operations/test_services.py",
}


def commands() -> list[str]:
    """Each command once, in the order of the documents, without its comment."""
    shown = [block for path in PATHS for block in blocks(path.read_text(encoding="utf-8"), "sh")]
    lines = [line.split("  #")[0].strip() for block in shown for line in block.splitlines()]
    return list(dict.fromkeys(line for line in lines if line))


COMMANDS = [line for line in commands() if line not in TESTED_ELSEWHERE]


@pytest.fixture(scope="module")
def user_folder(tmp_path_factory) -> Path:
    """A folder with a company's exports, and with those of a Stripe account and a Recurly site without bad rows."""
    folder = tmp_path_factory.mktemp("user")
    write_company(CompanyPlan(customers=60, months=14, seed=5), folder / "my-exports", "csv")
    valid = {"sub_A", "sub_E1", "sub_E2", "ch_A5", "ch_A6", "ch_E1", "ch_E2"}
    subscriptions, payments = ([row for row in rows if row["id"] in valid] for rows in (SUBSCRIPTIONS, PAYMENTS))
    write_account(folder / "stripe-exports", subscriptions, payments)
    write_site(folder / "recurly-exports", [row for row in recurly_site.SUBSCRIPTIONS if row["plan_code"] != "silver"])
    return folder


def test_every_command_that_is_tested_elsewhere_is_in_the_documents():
    assert set(TESTED_ELSEWHERE) <= set(commands())
    assert len(COMMANDS) >= 12


@pytest.mark.parametrize("line", COMMANDS)
def test_a_command_in_the_documents_works(user_folder, line):
    program, *words = shlex.split(line)
    command = {
        "productpulse": [sys.executable, "-m", "productpulse_assets.cli"],
        "dagster": [sys.executable, "-m", "dagster"],
    }[program]
    clean = {name: value for name, value in os.environ.items() if not name.startswith(("PRODUCTPULSE_", "DAGSTER_"))}
    settings = {"PRODUCTPULSE_HOME": str(user_folder / f"home-{program}"), "PYTHONPATH": str(CHECKOUT)}
    done = subprocess.run(
        [*command, *words],
        cwd=CHECKOUT if program == "dagster" else user_folder,
        env=clean | settings, capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stdout[-2000:] + done.stderr[-4000:]
    assert "Traceback" not in done.stdout
