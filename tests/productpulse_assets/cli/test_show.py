"""`productpulse status` and `metric`: what is published."""

from __future__ import annotations

import datetime as dt
import os
import re
import shutil
import tempfile
from pathlib import Path

import pytest

from asset_checks.contracts import DATASETS
from tests.productpulse_assets.cli.output import fields

pytestmark = pytest.mark.slow


def test_status_without_a_snapshot_says_what_to_run(productpulse, tmp_path):
    result = productpulse("status", "--home", tmp_path)
    assert result.exit_code == 1
    assert f"There is no snapshot in {tmp_path}. Make one with: productpulse run" in result.output


def test_status_prints_age_last_run_and_row_counts(productpulse, home, company_exports):
    snapshot = home / "published" / "productpulse.duckdb"
    old = dt.datetime.now().timestamp() - 5 * 3600
    for file in (snapshot, snapshot.parent / "inputs.json"):
        os.utime(file, (old, old))
    result = productpulse("status", "--home", home)
    assert result.exit_code == 0, result.output
    first, second, third, *counts = result.stdout.splitlines()
    assert first == f"Snapshot: as of 2026-06-30, published 5 hours ago, {snapshot}"
    assert re.fullmatch(r"Last run: success, started \d{4}-\d\d-\d\d \d\d:\d\d\.", second)
    assert third == "Failing checks: 0."
    rows = {fields(line)[0]: int(fields(line)[1].replace(",", "")) for line in counts}
    assert rows["product_usage"] == len((company_exports / "product_usage.csv").read_text().splitlines()) - 1
    assert (rows["customers"], rows["customers_rejects"], rows["source_inventory"]) == (200, 0, len(DATASETS))


def test_status_reports_a_run_that_failed_after_the_snapshot(productpulse, exports, home):
    (exports / "customers.csv").unlink()
    assert productpulse("run", "--data", exports, "--home", home).exit_code == 1
    result = productpulse("status", "--home", home)
    assert result.exit_code == 0
    assert "Last run: failure, started " in result.stdout
    assert "Failing checks: 1." in result.stdout
    assert "  source_inventory sources_usable: customers: the dataset is required" in result.stdout


def test_status_reports_an_old_snapshot(productpulse, home):
    old = dt.datetime.now().timestamp() - 3 * 86400
    for name in ("productpulse.duckdb", "inputs.json"):
        os.utime(home / "published" / name, (old, old))
    second = productpulse("status", "--home", home).stdout.splitlines()[1]
    assert second == "It is more than two days old. Publish a new one with: productpulse run"


def test_status_without_a_history_changes_nothing(productpulse, home):
    shutil.rmtree(home / "dagster_home")
    result = productpulse("status", "--home", home)
    assert result.exit_code == 0
    assert "Last run: none is recorded." in result.stdout
    assert not (home / "dagster_home").exists()


@pytest.mark.parametrize("command", [["status"], ["metric", "mrr"], ["explain", "C-000001"]])
def test_a_damaged_snapshot_is_a_sentence(productpulse, home, command):
    snapshot = home / "published" / "productpulse.duckdb"
    snapshot.write_bytes(b"not a database")
    result = productpulse(*command, "--home", home)
    assert result.exit_code == 1
    assert result.stdout == ""
    assert result.stderr.startswith(f"{snapshot} cannot be read: ")
    assert "productpulse run" in result.stderr


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("mmr", "There is no metric 'mmr'. Did you mean: monthly_recurring_revenue?\n"),
        ("paying custmers", "There is no metric 'paying custmers'. Did you mean: paying_customers"),
        ("moon phase", "There is no metric 'moon phase'. The metrics are: monthly_recurring_revenue, "),
    ],
)
def test_an_unknown_metric_gives_similar_names(productpulse, tmp_path, text, message):
    result = productpulse("metric", text, "--home", tmp_path)
    assert result.exit_code == 2
    assert result.stderr.startswith(message)


def test_an_unknown_customer_gives_similar_names(productpulse, home):
    result = productpulse("explain", "C-00012", "--home", home)
    assert result.exit_code == 2
    assert re.match(r"There is no customer 'C-00012'\. Did you mean: C-\d+", result.stderr)


@pytest.mark.skipif(os.getuid() != 0, reason="only root can become another user")
def test_a_user_who_may_only_read_sees_the_snapshot(productpulse, good_run, good_home):
    assert productpulse("status", "--home", good_home).exit_code == 0  # imports modules that another user cannot read
    with tempfile.TemporaryDirectory() as folder:
        home = Path(shutil.copytree(good_home, Path(folder) / "home"))
        for path in (home.parent, home, *home.rglob("*")):
            path.chmod(0o555 if path.is_dir() else 0o444)
        os.seteuid(65534)
        try:
            result = productpulse("status", "--home", home)
        finally:
            os.seteuid(0)
    assert result.exit_code == 0, result.output
    lines = result.stdout.splitlines()
    assert lines[0].startswith("Snapshot: as of 2026-06-30")
    assert lines[1].startswith(f"Last run: not known. Dagster's history in {home / 'dagster_home'} cannot be opened (")
    assert lines[1].endswith("to read it, Dagster must be allowed to write there.")
    assert any(line.split()[0] == "customers" for line in lines[2:])
