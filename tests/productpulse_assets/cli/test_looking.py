"""`productpulse status` and `metric`: what is published, for those who look."""

from __future__ import annotations

import datetime as dt
import os
import re

from tests.productpulse_assets.cli.spoken import fields


def test_status_without_a_snapshot_says_what_to_run(productpulse, tmp_path):
    result = productpulse("status", "--home", tmp_path)
    assert result.exit_code == 1
    assert f"There is no snapshot in {tmp_path}. Make one with: productpulse run" in result.output


def test_status_tells_age_last_run_and_row_counts(productpulse, home, company_exports):
    snapshot = home / "published" / "productpulse.duckdb"
    an_age = dt.datetime.now().timestamp() - 5 * 3600
    for file in (snapshot, snapshot.parent / "inputs.json"):
        os.utime(file, (an_age, an_age))
    result = productpulse("status", "--home", home)
    assert result.exit_code == 0, result.output
    first, second, third, *counts = result.stdout.splitlines()
    assert first == f"Snapshot: as of 2026-06-30, published 5 hours ago, {snapshot}"
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
