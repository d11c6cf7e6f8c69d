"""`productpulse run`: its output, its files and its exit status."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from productpulse_assets.definitions import build
from productpulse_assets.orchestration import execution as running
from resources.settings import Settings
from tests.errors import assert_known
from tests.productpulse_assets.cli.output import materialized, tree

pytestmark = pytest.mark.slow


def test_a_run_that_succeeds_ends_with_0_and_prints_its_results(good_run, good_home):
    lines = good_run.stdout.splitlines()
    done = next(place for place, line in enumerate(lines) if line.startswith("Done: "))
    count = len(lines[:done])
    for number, line in enumerate(lines[:done], start=1):
        assert re.fullmatch(rf"\[ *{number}/{count}\] \w+ +\d+\.\d\d s", line)
    assert {"customers", "customers_rejects", "kpi_summary", "published_snapshot", "exports"} <= materialized(good_run)
    assert lines[done].startswith(f"Done: {count} assets in ")
    closing = "\n".join(lines[done:])
    assert "As of 2026-06-30: " in closing
    assert "  MRR, 2026-06-30: $" in closing
    for name, path in {"Reports": "reports", "Snapshot": "published/productpulse.duckdb", "Exports": "exports"}.items():
        assert re.search(rf"{name}: +{re.escape(str(good_home / path))}$", closing, re.MULTILINE)
    assert "\x1b" not in good_run.output
    assert good_run.stderr == ""


def test_only_the_selected_assets_run(productpulse, home):
    before = tree(home / "exports")
    result = productpulse("run", "--home", home, "--select", "kpi_summary")
    assert result.exit_code == 0, result.output
    assert materialized(result) == {"kpi_summary"}
    assert result.stdout.splitlines()[-1].startswith("Done: 1 asset in ")
    assert tree(home / "exports") == before


def test_a_selection_without_the_calendar_is_not_of_another_as_of_date(productpulse, home):
    before = tree(home / "exports")
    result = productpulse("run", "--home", home, "--select", "kpi_summary+", "--as-of", "2026-05-31")
    assert result.exit_code == 2
    assert result.stderr == (
        f"The selection does not include the calendar, which fixes the as-of date: in {home} it is 2026-06-30, not "
        "2026-05-31. Leave --as-of and PRODUCTPULSE_AS_OF out, or run everything as of 2026-05-31 without --select.\n"
    )
    assert_known("selection.other_as_of", result.stderr.strip())
    assert materialized(result) == set() and tree(home / "exports") == before
    same = productpulse("run", "--home", home, "--select", "kpi_summary", "--as-of", "2026-06-30")
    assert same.exit_code == 0 and materialized(same) == {"kpi_summary"}


@pytest.mark.parametrize("selection", ["customers", "customers_rejects"])
def test_a_dataset_and_its_rejects_are_selected_together(productpulse, company_exports, home, selection):
    result = productpulse("run", "--data", company_exports, "--home", home, "--select", selection)
    assert result.exit_code == 0, result.output
    assert materialized(result) == {"customers", "customers_rejects"}


def test_a_selection_may_name_the_assets_upstream(productpulse, company_exports, home):
    result = productpulse("run", "--data", company_exports, "--home", home, "--select", "+kpi_summary")
    assert result.exit_code == 0, result.output
    assert {"targets", "kpi_history", "kpi_summary"} <= materialized(result)
    assert materialized(result).isdisjoint({"exports", "health_scores", "executive_summary"})


def test_a_run_that_fails_after_publishing_reports_the_new_snapshot(productpulse, home):
    shutil.rmtree(home / "exports")
    (home / "exports").write_text("not a folder")
    result = productpulse("run", "--home", home, "--select", "published_snapshot+")
    assert result.exit_code == 1
    assert result.stderr.splitlines()[-1] == "The new snapshot was published before this error."


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (["--as-of", "30.06.2026"], "The as-of date is '30.06.2026', which is not a date. Give it as YYYY-MM-DD, for example 2026-06-30."),
        (["--as-of", "9999-12-31"], "The as-of date, 9999-12-31, is after today, "),
        (["--data", "nowhere"], f"{Path('nowhere').resolve()} is not a folder. Give one that exists."),
        (["--rules", "nowhere"], f"{Path('nowhere').resolve()} is not a folder. Give one that exists."),
        (["--data", "~nosuchuser/x"], "The folder ~nosuchuser/x cannot be found: there is no user nosuchuser. Give the path of another one."),
        (["--rules", "~nosuchuser"], "The folder ~nosuchuser cannot be found: there is no user nosuchuser. Give the path of another one."),
        (["--home", "~nosuchuser/x"], "The folder ~nosuchuser/x cannot be found: there is no user nosuchuser. Give the path of another one."),
        (["--data", os.fsdecode(b"n\xe9")], rf"The name of the folder {Path.cwd()}/n\xe9 is not UTF-8 text. Rename it, or give another one."),
        (["--select", "no_such_asset"], "The selection 'no_such_asset' is not valid: "),
        (["--select", "kpi_summary and ("], "The selection 'kpi_summary and (' is not valid: "),
    ],
)  # fmt: skip
def test_bad_usage_ends_with_2_and_a_sentence(productpulse, tmp_path, arguments, sentence):
    result = productpulse("run", "--home", tmp_path / "home", *arguments)
    assert result.exit_code == 2
    assert result.stderr.startswith(sentence)
    assert result.stdout == ""
    assert not (tmp_path / "home").exists()


def test_a_selection_whose_tables_are_missing_says_what_to_run(productpulse, tmp_path):
    result = productpulse("run", "--home", tmp_path, "--select", "kpi_history")
    assert result.exit_code == 1
    assert result.stderr.splitlines()[0] == (
        f"The table customer_months has not been computed in {tmp_path / 'productpulse.duckdb'}. Run the whole graph first, "
        "or select what comes before as well, as in '+customer_months'."
    )


def test_an_unknown_option_ends_with_2(productpulse):
    result = productpulse("run", "--as-off", "2026-06-30")
    assert result.exit_code == 2
    assert "--as-of" in result.stderr


def test_a_mistake_in_the_catalog_ends_with_2_and_its_place(productpulse, exports, rules, tmp_path):
    catalog = rules / "metric_catalog.yaml"
    text = catalog.read_text()
    catalog.write_text(text.replace("sum: mrr_churned", "sum: mrr_lost", 1))
    assert catalog.read_text() != text
    for command in (["run", "--home", tmp_path / "home"], ["validate"]):
        result = productpulse(*command, "--data", exports, "--rules", rules)
        assert result.exit_code == 2
        assert str(catalog) in result.stderr
        assert "metrics > churned_revenue > formula" in result.stderr
        assert "mrr_lost" in result.stderr
        assert "accepted: " in result.stderr


def test_a_missing_governance_field_ends_with_2_and_its_name(productpulse, exports, rules, tmp_path):
    catalog = rules / "metric_catalog.yaml"
    catalog.write_text(re.sub(r"(  churned_revenue:\n)    label: .*\n", r"\1", catalog.read_text()))
    result = productpulse("run", "--data", exports, "--home", tmp_path / "home", "--rules", rules)
    assert result.exit_code == 2
    assert "metric_catalog.yaml" in result.stderr
    assert "metrics > churned_revenue > label: is missing" in result.stderr


def test_a_home_that_cannot_be_written_is_bad_usage(productpulse, tmp_path):
    blocked = tmp_path / "file"
    blocked.write_text("not a folder")
    result = productpulse("run", "--home", blocked / "home")
    assert result.exit_code == 2
    assert re.match(r"Nothing can be written to .*home \(.+\)\. Give another folder with --home\.", result.stderr)


def test_a_plus_in_a_selection_takes_all_assets_downstream(tmp_path):
    assert running.whole_lines("churn_evidence+") == 'key:"churn_evidence"+'
    assert running.whole_lines("+kpi_summary") == '+key:"kpi_summary"'
    assert running.whole_lines("group:risk") == "group:risk"
    job = running.selected_job(build(Settings(home=str(tmp_path))), "churn_risk_profiles+")
    assets = {key.path[-1] for key in job.asset_layer.selected_asset_keys}
    assert {"churn_risk_profiles", "intervention_plan", "owner_workload", "published_snapshot"} <= assets
    assert assets.isdisjoint({"customers", "customer_signals", "churn_evidence", "revenue_leakage"})


def test_rules_are_validated_against_the_tables_before_anything_runs(productpulse, rules, tmp_path):
    segments = rules / "segments.yaml"
    segments.write_text(
        segments.read_text(encoding="utf-8").replace("column: latest_nps", "column: lastest_nps"), "utf-8"
    )
    result = productpulse("run", "--rules", rules, "--home", tmp_path / "home")
    assert result.exit_code == 2
    assert result.stderr.startswith(
        f"segments.yaml cannot be used ({segments}):\n"
        "  customer_segments > column: customer_360 has no column 'lastest_nps'; accepted: customer_id, "
    )
    assert not (tmp_path / "home").exists()


def test_a_memory_limit_that_is_not_an_amount_ends_with_2(tmp_path):
    command = [sys.executable, "-m", "productpulse_assets.cli", "run", "--home", str(tmp_path / "home")]
    given = os.environ | {"PRODUCTPULSE_MEMORY_LIMIT": "lots"}
    result = subprocess.run(command, env=given, capture_output=True, text=True, check=False)
    assert result.returncode == 2
    assert result.stderr.startswith(
        "The memory limit is 'lots', which is not an amount between 256 MB and 1,000,000 TB."
    )
    assert not (tmp_path / "home").exists()


@pytest.mark.parametrize("command", ["run", "status", "validate", "dev", "generate"])
@pytest.mark.parametrize("name", ["home [1]", "home%20x"])
def test_a_home_whose_path_dagster_cannot_use_is_refused(productpulse, tmp_path, command, name):
    result = productpulse(command, "--home", tmp_path / name)
    assert result.exit_code == 2
    assert result.stderr.startswith(
        f"The home is {tmp_path / name}, and Dagster, which keeps its history there, takes "
    )
    assert not (tmp_path / name).exists()
