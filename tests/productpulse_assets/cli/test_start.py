"""`productpulse init` and `reset-demo`: what is written and deleted, and above all what is not."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest

from productpulse_assets.cli.starter import PRESETS
from resources.home import Home
from tests.productpulse_assets.cli.spoken import tree

pytestmark = pytest.mark.slow

ROOT = Path(__file__).parents[3]


# --- init ----------------------------------------------------------------------------------------


def test_init_writes_the_rules_and_says_what_to_do_next(productpulse, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    result = productpulse("init")
    assert result.exit_code == 0, result.output
    written = tree(tmp_path / "my-rules")
    assert written == {path.name: path.read_bytes() for path in (ROOT / "rules").glob("*.yaml")}
    assert result.stdout.startswith("Written to my-rules: business_questions.yaml, ")
    assert "  3. productpulse validate --data my-exports --rules my-rules\n" in result.stdout


def test_what_init_wrote_works_at_once(productpulse, company_exports, tmp_path):
    assert productpulse("init", tmp_path / "rules").exit_code == 0
    result = productpulse("validate", "--data", company_exports, "--rules", tmp_path / "rules")
    assert result.exit_code == 0, result.output
    assert result.stdout.splitlines()[-1] == "Every dataset passes the gate."


def test_init_writes_over_nothing(productpulse, tmp_path):
    (tmp_path / "sources.yaml").write_text("time_zone: Europe/Berlin\n")
    result = productpulse("init", tmp_path)
    assert result.exit_code == 2
    assert result.stderr.startswith(f"{tmp_path} has sources.yaml already; nothing was written. ")
    assert tree(tmp_path) == {"sources.yaml": b"time_zone: Europe/Berlin\n"}


def test_init_takes_the_sources_of_a_preset(productpulse, tmp_path):
    assert PRESETS == ("stripe",)
    assert productpulse("init", tmp_path / "rules", "--preset", "stripe").exit_code == 0
    written = tree(tmp_path / "rules")
    assert written["sources.yaml"] == (ROOT / "rules" / "presets" / "stripe.yaml").read_bytes()
    assert written["churn_rules.yaml"] == (ROOT / "rules" / "churn_rules.yaml").read_bytes()


def test_an_unknown_preset_is_bad_usage(productpulse, tmp_path):
    result = productpulse("init", tmp_path / "rules", "--preset", "strip")
    assert result.exit_code == 2
    assert "stripe" in result.stderr
    assert not (tmp_path / "rules").exists()


# --- reset-demo ----------------------------------------------------------------------------------


@pytest.fixture
def demo(demo_home, tmp_path) -> Home:
    """A home in which the demo company ran, with a history and with a few things of the user's own."""
    home = Home(Path(shutil.copytree(demo_home, tmp_path / "home")))
    for path in THEIRS:
        (home.root / path).parent.mkdir(parents=True, exist_ok=True)
        (home.root / path).write_text("mine")
    (home.history / "demo" / "kpis").mkdir(parents=True, exist_ok=True)
    (home.history / "demo" / "kpis" / "2026-06-30.parquet").write_text("the demo's")
    return home


THEIRS = (
    "reports/notes.md",
    "exports/for_the_board.csv",
    "published/history/kpis/2026-05-31.parquet",
    "synthetic/notes.csv",
    "plan.txt",
)


def things(home: Path) -> dict[str, bytes]:
    """All that is in a home, but for the name of its last user in the lock."""
    return {name: content for name, content in tree(home).items() if name != "run.lock"}


def test_reset_demo_asks_first(productpulse, demo):
    before = things(demo.root)
    result = productpulse("reset-demo", "--home", demo.root)
    assert result.exit_code == 1
    assert f"Delete the demo company in {demo.root} and what was made of it (" in result.output
    assert things(demo.root) == before


def test_reset_demo_deletes_what_the_demo_made_and_nothing_else(productpulse, demo, demo_home):
    first_day = tree(Home(demo_home).synthetic)
    (demo.synthetic / "customers.csv").write_text("customer_id,signup_date\n")
    result = productpulse("reset-demo", "--yes", "--home", demo.root)
    assert result.exit_code == 0, result.output
    assert result.stdout.splitlines()[-1] == f"Next: productpulse run --home {demo.root}"
    others = ("dagster_home/", "compiled/")  # the event log, and what follows from rules and program alone
    left = {name for name in things(demo.root) if not name.startswith(others)}
    assert left == set(THEIRS) | {f"synthetic/{name}" for name in first_day}
    assert {name: content for name, content in tree(demo.synthetic).items() if name != "notes.csv"} == first_day


def test_reset_demo_refuses_when_the_last_run_was_on_own_data(productpulse, home):
    before = things(home)
    result = productpulse("reset-demo", "--yes", "--home", home)
    assert result.exit_code == 2
    assert result.stderr.startswith(f"The last run in {home} was on your own data, not on the demo company. ")
    assert things(home) == before


def test_reset_demo_refuses_when_it_cannot_be_told(productpulse, demo):
    demo.inputs.unlink()
    before = things(demo.root)
    result = productpulse("reset-demo", "--yes", "--home", demo.root)
    assert result.exit_code == 2
    assert result.stderr.startswith(f"What is in {demo.root} may be made of your own data: ")
    assert things(demo.root) == before


def test_reset_demo_of_an_empty_home_makes_the_demo(productpulse, tmp_path, demo_home):
    result = productpulse("reset-demo", "--home", tmp_path / "home")
    assert result.exit_code == 0, result.output
    manifest = json.loads((tmp_path / "home" / "synthetic" / "manifest.json").read_text())
    assert manifest == json.loads((demo_home / "synthetic" / "manifest.json").read_text())
