"""The program reads an export in another shape like any other: to reports, rejects and errors."""

from __future__ import annotations

from pathlib import Path

import pytest

from productpulse_assets.cli.init import copy_rules
from resources.duckdb_connection import open_read_only
from resources.home import Home

pytestmark = pytest.mark.slow

MRR = """Account,Plan,Jan 2026,Feb 2026,Mar 2026
C1,Basic,100,100,150
C2,Pro,200,200,
C3,Pro,,50,50
C4,Pro,,,75
C9,Pro,10,10,10
"""


@pytest.fixture
def company(tmp_path) -> Path:
    """A folder with the exports of a company that has one column per month, and its rules."""
    customers = "".join(f"C{number},2026-01-01\n" for number in range(1, 5))
    data, rules = tmp_path / "data", tmp_path / "rules"
    data.mkdir()
    (data / "customers.csv").write_text(f"customer_id,signup_date\n{customers}")
    (data / "mrr.csv").write_text(MRR)
    copy_rules(rules, None)
    settings = (
        "datasets: {subscriptions: {file: mrr.csv, shape: {kind: wide_months}, columns: {customer_id: Account}, "
        "max_reject_share: 0.2}}\n"
    )
    (rules / "sources.yaml").write_text(settings)
    return tmp_path


def test_a_table_with_one_column_per_month_becomes_a_report(productpulse, company):
    home = company / "home"
    result = productpulse("run", "--data", company / "data", "--rules", company / "rules", "--home", home)
    assert result.exit_code == 0, result.output
    backend = open_read_only(Home(home).published)
    facts = "SELECT strftime(month, '%m'), sum(mrr_end), sum(mrr_churned) FROM customer_months GROUP BY 1 ORDER BY 1"
    assert [tuple(map(float, row)) for row in backend.con.execute(facts).fetchall()] == [
        (1, 300, 0),
        (2, 350, 0),
        (3, 275, 200),
    ]
    rejects = "SELECT source_file, row_number, check_name, row_key FROM subscriptions_rejects"
    assert backend.con.execute(rejects).fetchall() == [("mrr.csv, column Jan 2026", 5, "known_customer", "C9")]
    assert "$275" in (home / "reports" / "executive_summary.md").read_text(encoding="utf-8")


def test_validate_names_the_column_that_is_missing_and_shows_the_doubts(productpulse, company):
    settings = company / "rules" / "sources.yaml"
    text = settings.read_text()
    arguments = ("validate", "--data", company / "data", "--rules", company / "rules", "--home", company / "home")
    settings.write_text(text.replace("wide_months}", "monthly_snapshots, month: Period}"))
    missing = productpulse(*arguments)
    assert (
        "mrr.csv has no column 'monthly_price' and 'Period' (for shape > month, as rules/sources.yaml says)"
        in missing.stderr
    )
    settings.write_text(text)
    header, *rows = MRR.splitlines()
    (company / "data" / "mrr.csv").write_text("\n".join([f"{header},Apr 2026", *(f"{row},0" for row in rows)]))
    doubts = productpulse(*arguments)
    assert "subscriptions: The columns after 2026-03, up to 2026-04, are 0 in every row" in doubts.output
