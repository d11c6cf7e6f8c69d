"""`productpulse metric --rows`: the value of a month and slice, its rows, and all of them as a CSV."""

from __future__ import annotations

import csv
import shutil
from decimal import Decimal

import duckdb
import pytest

from productpulse_assets.cli.metric_rows import Answer, Question, answer_lines, parse_members
from resources.published_snapshot import Snapshot, version_of
from tests.errors import raises
from tests.graph import RULES


def test_members_are_written_in_one_way():
    assert parse_members(("segment=SMB", "plan=A=B")) == {"segment": "SMB", "plan": "A=B"}
    with raises("metric.member_format"):
        parse_members(("segment",))
    with raises("metric.member_twice"):
        parse_members(("plan=A", "plan=B"))


@pytest.mark.slow
def test_a_movement_has_its_customers_and_they_add_up(productpulse, demo_home, tmp_path):
    file = tmp_path / "rows.csv"
    asked = ("metric", "churned_revenue", "--month", "2026-05", "--by", "plan", "--rows", "--csv", file)
    result = productpulse(*asked, "--home", demo_home)
    assert result.exit_code == 0, result.output
    first, before, year_before, *rest = result.stdout.splitlines()
    assert first.startswith("Churned MRR (churned_revenue), May 2026: $")
    assert before.startswith("  April 2026: $") and year_before.startswith("  May 2025: $")
    assert "By plan:" in rest
    value = first.rpartition(": ")[2]
    assert f"  They add up to {value}." in rest
    with file.open(newline="") as rows:
        read = list(csv.DictReader(rows))
    assert sum(Decimal(row["contribution"]) for row in read) == Decimal(value.strip("$").replace(",", ""))
    assert all(Decimal(row["mrr_start"]) == Decimal(row["amount"]) and Decimal(row["mrr_end"]) == 0 for row in read)


@pytest.mark.slow
def test_a_misspelled_member_is_no_value_of_nothing(demo_home):
    snapshot = Snapshot(version_of(demo_home / "published" / "productpulse.duckdb"))
    with raises("metric.unknown_member"):
        Answer.of(snapshot, RULES, Question("monthly_recurring_revenue", where={"segment": "smb"}))
    with raises("metric.no_bridge"):
        Answer.of(snapshot, RULES, Question("paying_customers", with_bridge=True))
    with raises("metric.no_trend"):
        Answer.of(snapshot, RULES, Question("revenue_at_risk", where={"segment": "SMB"})).trend(3)
    snapshot.close()


@pytest.mark.slow
def test_without_a_month_the_value_is_the_current_one(productpulse, demo_home):
    card = productpulse("metric", "customer_churn_rate", "--home", demo_home).stdout
    result = productpulse("metric", "customer_churn_rate", "--rows", "--home", demo_home)
    value = result.stdout.splitlines()[0].rpartition(": ")[2]
    assert f"{value} = " in card
    assert "Rows of the numerator (" in result.stdout and "Rows of the denominator (" in result.stdout


@pytest.mark.slow
def test_a_metric_of_the_present_has_the_past_values_that_the_history_has(productpulse, demo_home, tmp_path):
    path = tmp_path / "snapshot.duckdb"
    shutil.copy(demo_home / "published" / "productpulse.duckdb", path)
    with duckdb.connect(str(path)) as store:
        past = "UPDATE kpi_history SET value = {} WHERE metric_name = 'revenue_at_risk' AND month = DATE '{}-01'"
        for value, month in ((1200.5, "2026-04"), (1000, "2026-05"), (1500, "2026-06")):
            store.execute(past.format(value, month))
    snapshot = Snapshot(version_of(path))
    may = Answer.of(snapshot, RULES, Question("revenue_at_risk", "2026-05", trend=3))
    assert list(answer_lines(may, with_rows=False)) == [
        "Revenue at risk (revenue_at_risk), May 2026: $1,000.00",
        "  April 2026: $1,200.50 (-$200.50, -16.7 % since then)",
        "  May 2025: No change is computed: The history has no value of May 2025.",
        "",
        "3 periods to May 2026:",
        "  March 2026: not available",
        "  April 2026: $1,200.50",
        "  May 2026: $1,000.00",
    ]
    with raises("metric.no_past_rows"):
        may.rows()
    with raises("metric.present_only"):
        Answer.of(snapshot, RULES, Question("revenue_at_risk", "2026-Q1"))
    snapshot.close()
