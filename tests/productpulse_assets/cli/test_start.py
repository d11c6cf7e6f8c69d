"""`productpulse init` and `reset-demo`: which files are written and deleted, and which are not."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import dagster as dg
import pytest

from productpulse_assets.cli.demo_files import files_of_demo
from productpulse_assets.cli.init import PRESETS, copy_rules
from resources.home import Home
from tests.errors import raises
from tests.productpulse_assets.cli.output import tree

pytestmark = pytest.mark.slow

ROOT = Path(__file__).parents[3]


# --- init ----------------------------------------------------------------------------------------


def test_init_writes_the_rules_and_prints_the_next_steps(productpulse, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    result = productpulse("init")
    assert result.exit_code == 0, result.output
    written = tree(tmp_path / "my-rules")
    assert written == {path.name: path.read_bytes() for path in (ROOT / "rules").glob("*.yaml")}
    assert result.stdout.startswith("Written to my-rules: business_questions.yaml, ")
    assert "  3. productpulse validate --data my-exports --rules my-rules\n" in result.stdout


def test_the_files_that_init_writes_can_be_used_unchanged(productpulse, company_exports, tmp_path):
    assert productpulse("init", tmp_path / "rules").exit_code == 0
    result = productpulse("validate", "--data", company_exports, "--rules", tmp_path / "rules")
    assert result.exit_code == 0, result.output
    assert result.stdout.splitlines()[-1] == "Every dataset passes the gate."


def test_init_overwrites_no_file(productpulse, tmp_path):
    (tmp_path / "sources.yaml").write_text("time_zone: Europe/Berlin\n")
    result = productpulse("init", tmp_path)
    assert result.exit_code == 2
    assert result.stderr.startswith(f"{tmp_path} already has sources.yaml; nothing was written. ")
    assert tree(tmp_path) == {"sources.yaml": b"time_zone: Europe/Berlin\n"}


def test_init_copies_the_sources_yaml_of_a_preset(productpulse, tmp_path):
    assert PRESETS == ("recurly", "stripe")
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
    """A home after a run of the demo company, with a history and a few files of the user."""
    home = Home(Path(shutil.copytree(demo_home, tmp_path / "home")))
    for path in USER_FILES:
        (home.root / path).parent.mkdir(parents=True, exist_ok=True)
        (home.root / path).write_text("the user's")
    (home.history / "demo" / "kpis").mkdir(parents=True, exist_ok=True)
    (home.history / "demo" / "kpis" / "2026-06-30.parquet").write_text("the demo's")
    return home


USER_FILES = (
    "reports/notes.md",
    "exports/for_the_board.csv",
    "published/history/kpis/2026-05-31.parquet",
    "synthetic/notes.csv",
    "plan.txt",
)


def home_files(home: Path) -> dict[str, bytes]:
    """The files of a home without its lock, which has the last process in it."""
    return {name: content for name, content in tree(home).items() if name != "run.lock"}


def test_reset_demo_asks_first(productpulse, demo):
    before = home_files(demo.root)
    result = productpulse("reset-demo", "--home", demo.root)
    assert result.exit_code == 1
    assert f"Delete the demo company in {demo.root} and its results (" in result.output
    assert home_files(demo.root) == before


def test_reset_demo_deletes_the_results_of_the_demo_and_nothing_else(productpulse, demo, demo_home):
    first_day = tree(Home(demo_home).synthetic)
    (demo.synthetic / "customers.csv").write_text("customer_id,signup_date\n")
    result = productpulse("reset-demo", "--yes", "--home", demo.root)
    assert result.exit_code == 0, result.output
    assert result.stdout.splitlines()[-1] == f"Next: productpulse run --home {demo.root}"
    others = ("dagster_home/", "compiled/")  # the event log, and the plan, which depends only on rules and program
    left = {name for name in home_files(demo.root) if not name.startswith(others)}
    assert left == set(USER_FILES) | {f"synthetic/{name}" for name in first_day}
    assert {name: content for name, content in tree(demo.synthetic).items() if name != "notes.csv"} == first_day


def test_reset_demo_refuses_after_a_run_with_own_data(productpulse, home):
    before = home_files(home)
    result = productpulse("reset-demo", "--yes", "--home", home)
    assert result.exit_code == 2
    assert result.stderr.startswith(f"The last run in {home} used your own data, not the demo company. ")
    assert home_files(home) == before


def test_reset_demo_refuses_when_the_data_of_the_last_run_is_unknown(productpulse, demo):
    demo.inputs.unlink()
    before = home_files(demo.root)
    result = productpulse("reset-demo", "--yes", "--home", demo.root)
    assert result.exit_code == 2
    assert result.stderr.startswith(f"{demo.root} may hold results of your own data: ")
    assert home_files(demo.root) == before


def test_reset_demo_of_an_empty_home_writes_the_demo(productpulse, tmp_path, demo_home):
    result = productpulse("reset-demo", "--home", tmp_path / "home")
    assert result.exit_code == 0, result.output
    manifest = json.loads((tmp_path / "home" / "synthetic" / "manifest.json").read_text())
    assert manifest == json.loads((demo_home / "synthetic" / "manifest.json").read_text())


# --- the errors ----------------------------------------------------------------------------------


def test_the_error_of_an_existing_file_names_the_files(tmp_path):
    folder = tmp_path / "my-rules"
    folder.mkdir()
    for name in ("sources.yaml", "segments.yaml"):
        (folder / name).touch()
    with raises("init.files_exist") as caught:
        copy_rules(folder, None)
    assert caught.value.details["files"] == ["segments.yaml", "sources.yaml"]


def test_a_home_with_results_of_own_data_is_not_reset(home):
    with raises("demo.own_data"):
        files_of_demo(Home(home), dg.Definitions())


def test_a_home_whose_last_run_is_unknown_is_not_reset(demo):
    demo.inputs.unlink()
    with raises("demo.unknown_data"):
        files_of_demo(demo, dg.Definitions())
