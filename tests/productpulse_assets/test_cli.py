"""The command: what it says, what it leaves behind, and the status it ends with."""

from __future__ import annotations

import datetime as dt
import os
import re
import shutil
from pathlib import Path

import duckdb
import pytest

from productpulse_assets import running
from productpulse_assets.definitions import defs

RULES = Path(__file__).parents[2] / "rules"


@pytest.fixture
def rules(tmp_path) -> Path:
    """A copy of the rules that come along, for a test to spoil."""
    folder = tmp_path / "rules"
    folder.mkdir()
    for path in RULES.glob("*.yaml"):
        shutil.copy(path, folder)
    return folder


def tree(folder: Path) -> dict[str, bytes]:
    """Every file under a folder, with its content."""
    return {str(path.relative_to(folder)): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def fields(line: str) -> list[str]:
    """A line's words and numbers, however wide its columns are."""
    return line.split()


def steps(result) -> set[str]:
    """The steps that a run told of."""
    return {fields(line)[-3] for line in result.stdout.splitlines() if line.startswith("[")}


# --- run -----------------------------------------------------------------------------------------


def test_a_good_run_ends_with_0_and_says_what_there_is(good_run, good_home):
    lines = good_run.stdout.splitlines()
    done = next(place for place, line in enumerate(lines) if line.startswith("Done: "))
    count = len(lines[:done])
    for number, line in enumerate(lines[:done], start=1):
        assert re.fullmatch(rf"\[ *{number}/{count}\] \w+ +\d+\.\d\d s", line)
    assert {"customers_source", "metrics", "published_snapshot", "exports"} <= steps(good_run)
    assert lines[done].startswith(f"Done: {count} steps in ")
    closing = "\n".join(lines[done:])
    assert "As of 2026-06-30: " in closing
    assert "  MRR, 2026-06-30: $" in closing
    for name, path in {"Reports": "reports", "Snapshot": "published/productpulse.duckdb", "Exports": "exports"}.items():
        assert re.search(rf"{name}: +{re.escape(str(good_home / path))}$", closing, re.MULTILINE)
    assert "\x1b" not in good_run.output
    assert good_run.stderr == ""


def test_a_selection_runs_alone(productpulse, home):
    before = tree(home / "exports")
    result = productpulse("run", "--home", home, "--select", "kpi_summary")
    assert result.exit_code == 0, result.output
    assert steps(result) == {"metrics"}
    assert result.stdout.splitlines()[-1].startswith("Done: 1 steps in ")
    assert tree(home / "exports") == before


@pytest.mark.parametrize("selection", ["customers", "customers_rejects"])
def test_a_dataset_and_its_rejects_are_selected_together(productpulse, company_exports, home, selection):
    result = productpulse("run", "--data", company_exports, "--home", home, "--select", selection)
    assert result.exit_code == 0, result.output
    assert steps(result) == {"customers_source", "customers_gate", "as_of_date"}


def test_a_selection_may_name_what_lies_before_an_asset(productpulse, company_exports, home):
    result = productpulse("run", "--data", company_exports, "--home", home, "--select", "+kpi_summary")
    assert result.exit_code == 0, result.output
    assert {"targets_source", "targets_gate", "facts", "metrics"} <= steps(result)
    assert "reports" not in steps(result)
    assert "exports" not in steps(result)


def test_a_run_that_fails_after_publishing_says_that_the_snapshot_is_new(productpulse, home):
    shutil.rmtree(home / "exports")
    (home / "exports").write_text("in the way")
    result = productpulse("run", "--home", home, "--select", "published_snapshot+")
    assert result.exit_code == 1
    assert result.stderr.splitlines()[-1] == "The snapshot was published before that: it is new."


# --- bad usage -----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (["--as-of", "30.06.2026"], "The as-of date is '30.06.2026', which is not a date. Give it as YYYY-MM-DD, for example 2026-06-30."),
        (["--data", "nowhere"], f"{Path('nowhere').resolve()} is not a folder. Give one that exists."),
        (["--rules", "nowhere"], f"{Path('nowhere').resolve()} is not a folder. Give one that exists."),
        (["--select", "no_such_asset"], "The selection 'no_such_asset' does not fit the graph: "),
        (["--select", "kpi_summary and ("], "The selection 'kpi_summary and (' does not fit the graph: "),
    ],
)  # fmt: skip
def test_bad_usage_ends_with_2_and_a_sentence(productpulse, tmp_path, arguments, sentence):
    result = productpulse("run", "--home", tmp_path / "home", *arguments)
    assert result.exit_code == 2
    assert result.stderr.startswith(sentence)
    assert result.stdout == ""
    assert not (tmp_path / "home").exists()


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


# --- generate ------------------------------------------------------------------------------------

SMALL = ("--customers", 20, "--months", 6)


def test_generate_writes_the_same_bytes_for_the_same_arguments(productpulse, tmp_path):
    for name, more in {"one": [], "two": [], "other": ["--seed", 43]}.items():
        result = productpulse("generate", *SMALL, "--out", tmp_path / name, *more)
        assert result.exit_code == 0
        assert result.stdout.splitlines()[-1] == f"Written to {tmp_path / name}."
    one, two, other = (tree(tmp_path / name) for name in ("one", "two", "other"))
    assert one == two
    assert one.keys() == other.keys()
    assert one["subscriptions.csv"] != other["subscriptions.csv"]


def test_generate_writes_parquet_and_counts_its_rows(productpulse, tmp_path):
    result = productpulse("generate", *SMALL, "--as-of", "2025-03-15", "--format", "parquet", "--out", tmp_path)
    told = {fields(line)[0]: int(fields(line)[1].replace(",", "")) for line in result.stdout.splitlines()[:-1]}
    assert len(told) == 8
    for name, rows in told.items():
        assert duckdb.read_parquet(str(tmp_path / f"{name}.parquet")).count("*").fetchone() == (rows,)
    newest = duckdb.read_parquet(str(tmp_path / "product_usage.parquet")).max("date").fetchone()[0]
    assert dt.date(2025, 2, 15) < newest <= dt.date(2025, 3, 15)


def test_generate_without_a_folder_fills_the_home(productpulse, tmp_path):
    assert productpulse("generate", *SMALL, "--home", tmp_path).exit_code == 0
    assert "customers.csv" in tree(tmp_path / "synthetic")


@pytest.mark.parametrize("arguments", [["--as-of", "June"], ["--customers", 0], ["--format", "xlsx"]])
def test_generate_refuses_what_it_cannot_make(productpulse, tmp_path, arguments):
    assert productpulse("generate", "--out", tmp_path / "demo", *arguments).exit_code == 2
    assert not (tmp_path / "demo").exists()


# --- validate ------------------------------------------------------------------------------------


def test_validate_says_what_would_be_rejected_and_changes_nothing(productpulse, exports, home, monkeypatch):
    path = exports / "customers.csv"
    lines = path.read_text().splitlines()
    lines[50] = re.sub(r"\d{4}-\d\d-\d\d", "31.02.2026", lines[50])
    path.write_text("\n".join(lines) + "\n")
    before = tree(home), tree(exports)
    monkeypatch.chdir(home)
    result = productpulse("validate", "--data", exports)
    assert result.exit_code == 0, result.output
    assert "customers: 200 rows in customers.csv, 199 kept, 1 rejected." in result.stdout
    assert "  signup_date: parses_as_date in 1 rows, first in row 50: '31.02.2026'" in result.stdout
    assert "  customer_id: parent_rejected in 1 rows, first in row " in result.stdout
    assert "  Optional columns that are absent: currency." in result.stdout
    assert result.stdout.splitlines()[-1] == "Every dataset passes the gate."
    assert (tree(home), tree(exports)) == before


def test_validate_ends_with_1_for_every_dataset_that_the_gate_would_stop(productpulse, exports):
    for name, column in {"nps_scores": 3, "targets": 1}.items():
        path = exports / f"{name}.csv"
        header, *rows = (line.split(",") for line in path.read_text().splitlines())
        for row in rows[::10]:
            row[column] = "much"
        path.write_text("\n".join(",".join(row) for row in [header, *rows]))
    (exports / "support_tickets.csv").unlink()
    result = productpulse("validate", "--data", exports)
    assert result.exit_code == 1
    assert [line.split(":")[0] for line in result.stderr.splitlines()] == ["nps_scores", "targets"]
    assert "rejected; 1.00% is tolerated. score parses_as_whole_number: " in result.stderr
    assert "support_tickets: not available." in result.stdout
    assert "Every dataset passes" not in result.stdout


def test_validate_ends_with_1_when_a_source_cannot_be_used(productpulse, exports):
    (exports / "customers.csv").write_bytes(b"")
    result = productpulse("validate", "--data", exports)
    assert result.exit_code == 1
    assert result.stderr.startswith("customers.csv is empty")


# --- status --------------------------------------------------------------------------------------


def test_status_without_a_snapshot_says_what_to_run(productpulse, tmp_path):
    result = productpulse("status", "--home", tmp_path)
    assert result.exit_code == 1
    assert f"There is no snapshot in {tmp_path}. Make one with: productpulse run" in result.output


def test_status_tells_age_last_run_and_row_counts(productpulse, home, company_exports):
    snapshot = home / "published" / "productpulse.duckdb"
    an_age = dt.datetime.now().timestamp() - 5 * 3600
    os.utime(snapshot, (an_age, an_age))
    result = productpulse("status", "--home", home)
    assert result.exit_code == 0, result.output
    first, second, third, *counts = result.stdout.splitlines()
    assert first == f"Snapshot: as of 2026-06-30, 5 hours old, {snapshot}"
    assert re.fullmatch(r"Last run: success, started \d{4}-\d\d-\d\d \d\d:\d\d\.", second)
    assert third == "Failing checks: 0."
    rows = {fields(line)[0]: int(fields(line)[1].replace(",", "")) for line in counts}
    assert rows["product_usage"] == len((company_exports / "product_usage.csv").read_text().splitlines()) - 1
    assert (rows["customers"], rows["customers_rejects"], rows["source_inventory"]) == (200, 0, 8)


def test_status_tells_of_a_run_that_failed_after_the_snapshot(productpulse, exports, home):
    (exports / "customers.csv").unlink()
    assert productpulse("run", "--data", exports, "--home", home).exit_code == 1
    result = productpulse("status", "--home", home)
    assert result.exit_code == 0
    assert "Last run: failure, started " in result.stdout
    assert "Failing checks: 1." in result.stdout
    assert "  source_inventory sources_usable: customers: the dataset is required" in result.stdout


def test_a_home_that_cannot_be_written_is_bad_usage(productpulse, tmp_path):
    blocked = tmp_path / "file"
    blocked.write_text("in the way")
    result = productpulse("run", "--home", blocked / "home")
    assert result.exit_code == 2
    assert re.match(r"Nothing can be written to .*home \(.+\)\. Give another folder with --home\.", result.stderr)


def test_a_selections_plus_takes_everything_that_follows():
    assert running.whole_lines("churn_evidence+") == 'key:"churn_evidence"+'
    assert running.whole_lines("+kpi_summary") == '+key:"kpi_summary"'
    assert running.whole_lines("group:risk") == "group:risk"
    job = running.selected_job(defs, "churn_risk_profiles+")
    made = {key.to_user_string() for key in job.asset_layer.selected_asset_keys}
    assert {"churn_risk_profiles", "intervention_plan", "owner_workload", "published_snapshot"} <= made
    assert made.isdisjoint({"customers", "customer_signals", "churn_evidence", "revenue_leakage"})


def test_rules_are_held_against_the_tables_before_anything_runs(productpulse, rules, tmp_path):
    segments = rules / "segments.yaml"
    segments.write_text(
        segments.read_text(encoding="utf-8").replace("column: latest_nps", "column: lastest_nps"), "utf-8"
    )
    result = productpulse("run", "--rules", rules, "--home", tmp_path / "home")
    assert result.exit_code == 2
    assert "segments.yaml: customer_segments > column: customer_360 has no column 'lastest_nps'" in result.stderr
    assert not (tmp_path / "home").exists()
