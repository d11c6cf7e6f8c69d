"""A metric and a dimension that a user adds with two edits of YAML appear in every table and report."""

import csv
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import duckdb
import pytest

from productpulse_assets.synthetic import CompanyPlan, write_company
from tests.documents import CHECKOUT, block_with, text_of

pytestmark = pytest.mark.slow

METRIC = "collected_per_customer"


def own_rules(folder: Path) -> Path:
    """The rules with the metric of docs/metrics-and-rules.md added, and customers sliced by industry too."""
    folder.mkdir()
    for file in (CHECKOUT / "rules").glob("*.yaml"):
        shutil.copy(file, folder)
    page = text_of("docs/metrics-and-rules.md")
    metric, dimensions = (block_with(page, "yaml", word) for word in (METRIC, "industry"))
    with (folder / "metric_catalog.yaml").open("a", encoding="utf-8") as catalog:
        catalog.write("\n" + metric)
    segments = folder / "segments.yaml"
    text = re.sub(r"^dimensions:.*\n", dimensions, segments.read_text(encoding="utf-8"), flags=re.MULTILINE)
    segments.write_text(text, encoding="utf-8")
    return folder


def exports_with_industry(folder: Path) -> Path:
    write_company(CompanyPlan(customers=40, months=14), folder, "csv")
    path = folder / "customers.csv"
    with path.open(newline="", encoding="utf-8") as stream:
        rows = list(csv.DictReader(stream))
    with path.open("w", newline="", encoding="utf-8") as stream:
        writer = csv.DictWriter(stream, [*rows[0], "industry"])
        writer.writeheader()
        writer.writerows(row | {"industry": ("Retail", "Health")[number % 2]} for number, row in enumerate(rows))
    return folder


def test_two_edits_of_yaml_add_a_metric_and_a_dimension(tmp_path):
    exports, rules, home = exports_with_industry(tmp_path / "exports"), own_rules(tmp_path / "rules"), tmp_path / "home"
    options = ["--data", str(exports), "--rules", str(rules), "--home", str(home)]
    environment = {name: value for name, value in os.environ.items() if not name.startswith("PRODUCTPULSE_")}
    command = [sys.executable, "-m", "productpulse_assets.cli", "run", *options]
    done = subprocess.run(command, capture_output=True, text=True, cwd=CHECKOUT, env=environment, check=False)
    assert done.returncode == 0, done.stderr
    with duckdb.connect(str(home / "published" / "productpulse.duckdb"), read_only=True) as snapshot:
        ((value, top, bottom),) = snapshot.execute(
            "SELECT value, numerator, denominator FROM kpi_history "
            "WHERE metric_name = $name AND month = DATE '2026-06-01'",
            {"name": METRIC},
        ).fetchall()
        collected, paying = snapshot.execute(
            "SELECT (SELECT sum(amount) FROM transactions WHERE status = 'Success' AND transaction_date >= '2026-06-01'), "
            "(SELECT count(DISTINCT customer_id) FROM subscriptions "
            " WHERE status <> 'Trial' AND monthly_price > 0 AND start_date <= '2026-06-30' "
            " AND (end_date IS NULL OR end_date > '2026-06-30'))"
        ).fetchone()
        assert (top, bottom) == (float(collected), paying)
        assert value == top / bottom
        members = snapshot.execute(
            "SELECT member, customers FROM kpi_by_segment WHERE metric_name = $name AND is_latest AND dimension = 'industry'",
            {"name": METRIC},
        ).fetchall()
        assert {member for member, _customers in members} == {"Health", "Retail"}
        assert sum(customers for _member, customers in members) == paying
        assert snapshot.execute(
            "SELECT count(*) FROM metric_lineage WHERE metric_name = $name", {"name": METRIC}
        ).fetchone() == (1,)
        assert snapshot.execute("SELECT count(*) > 0 FROM revenue_drivers WHERE dimension = 'industry'").fetchone() == (
            True,
        )
    for report in ("executive_summary", "metric_definitions"):
        assert "Collected per paying customer" in (home / "reports" / f"{report}.md").read_text("utf-8")
