"""A demo company through the whole graph; its figures are compared with plain SQL over the exports."""

from __future__ import annotations

import re
import shutil
from collections.abc import Iterator
from pathlib import Path

import duckdb
import pytest

from productpulse_assets.synthetic import DATASETS
from resources.duckdb_connection import open_read_only
from resources.home import Home

pytestmark = pytest.mark.slow

DEMO = ("--customers", 120, "--months", 24, "--seed", 3, "--as-of", "2026-06-30")
OF_AVAILABLE_DATASETS = {
    "data_quality_score", "voluntary_churned_customers", "voluntary_churned_revenue", "involuntary_churned_customers",
    "involuntary_churned_revenue",
}  # fmt: skip
"""Metrics that are computed from what is available: without payments, the reasons for churn still tell its type."""
OF_DEMO_MARGIN = {"gross_margin_applied", "gross_profit_per_user", "customer_lifetime_value"}
"""Metrics that count the gross margin of the demo company, which the same files as a company of one's own do not have."""
AS_OF, LAST_MONTH_END, YEAR_AGO = "2026-06-30", "2026-05-31", "2025-06-30"


@pytest.fixture(scope="module")
def home(productpulse, tmp_path_factory) -> Path:
    return demo_run(productpulse, tmp_path_factory.mktemp("demo"))


def demo_run(productpulse, home: Path) -> Path:
    assert productpulse("generate", *DEMO, "--home", home).exit_code == 0
    result = productpulse("run", "--home", home)
    assert result.exit_code == 0, result.output
    return home


@pytest.fixture(scope="module")
def sql(home) -> Iterator[duckdb.DuckDBPyConnection]:
    """The exported files, read with DuckDB only."""
    database = duckdb.connect()
    for name in DATASETS:
        database.execute(f"CREATE VIEW {name} AS FROM read_csv('{home / 'synthetic' / name}.csv')")
    database.execute("""
        CREATE MACRO mrr_on(last_day) AS TABLE
        SELECT customer_id, sum(monthly_price) AS mrr FROM subscriptions
        WHERE status <> 'Trial' AND start_date <= last_day::DATE AND coalesce(end_date > last_day::DATE, true)
        GROUP BY customer_id HAVING sum(monthly_price) > 0
    """)
    yield database
    database.close()


@pytest.fixture(scope="module")
def summary(home) -> dict[str, dict]:
    """kpi_summary of the published snapshot, by metric."""
    return rows_by_metric(open_read_only(Home(home).published))


def rows_by_metric(backend) -> dict[str, dict]:
    return {row["metric_name"]: row for row in backend.table("kpi_summary").to_pyarrow().to_pylist()}


def one(database, query: str, **values: object) -> float:
    return float(database.execute(query, values).fetchone()[0])


def test_mrr_and_paying_customers(summary, sql):
    mrr = one(sql, "SELECT sum(mrr) FROM mrr_on($day)", day=AS_OF)
    assert mrr > 10_000
    assert float(summary["monthly_recurring_revenue"]["amount"]) == pytest.approx(mrr, abs=0.001)
    assert summary["monthly_recurring_revenue"]["period_end"].isoformat() == AS_OF
    assert summary["annual_recurring_revenue"]["value"] == pytest.approx(12 * mrr)
    assert summary["paying_customers"]["value"] == one(sql, "SELECT count(*) FROM mrr_on($day)", day=AS_OF)


def test_churned_revenue(summary, sql):
    query = "FROM mrr_on($before) AS b ANTI JOIN mrr_on($now) USING (customer_id)"
    lost = {"before": LAST_MONTH_END, "now": AS_OF}
    assert one(sql, f"SELECT sum(mrr) {query}", **lost) > 0
    assert summary["churned_revenue"]["value"] == pytest.approx(one(sql, f"SELECT sum(mrr) {query}", **lost))
    assert summary["churned_customers"]["value"] == one(sql, f"SELECT count(*) {query}", **lost)


def test_new_revenue(summary, sql):
    # Paying now, and on the last day of no month before.
    new = """
        FROM mrr_on($now) AS n WHERE NOT EXISTS (
            SELECT 1 FROM subscriptions AS s,
                (SELECT unnest(generate_series(DATE '2024-07-01', DATE '2026-06-01', INTERVAL 1 MONTH)) - INTERVAL 1 DAY AS day)
            WHERE s.customer_id = n.customer_id AND s.status <> 'Trial' AND s.monthly_price > 0
                AND s.start_date <= day AND (s.end_date IS NULL OR s.end_date > day))
    """
    assert one(sql, f"SELECT sum(mrr) {new}", now=AS_OF) > 0
    assert summary["new_revenue"]["value"] == pytest.approx(one(sql, f"SELECT sum(mrr) {new}", now=AS_OF))
    assert summary["new_customers"]["value"] == one(sql, f"SELECT count(*) {new}", now=AS_OF)


def test_gross_and_net_revenue_retention_over_twelve_months(summary, sql):
    kept = """
        SELECT sum({}) / sum(t.mrr) FROM mrr_on($then) AS t LEFT JOIN mrr_on($now) AS n USING (customer_id)
    """
    days = {"then": YEAR_AGO, "now": AS_OF}
    gross = one(sql, kept.format("least(t.mrr, coalesce(n.mrr, 0))"), **days)
    assert 0.3 < gross < 1
    assert summary["gross_revenue_retention"]["value"] == pytest.approx(gross)
    net = one(sql, kept.format("coalesce(n.mrr, 0)"), **days)
    assert summary["net_revenue_retention"]["value"] == pytest.approx(net)


def test_the_movements_add_up_to_the_difference_between_two_month_ends(summary, sql):
    now, before = (one(sql, "SELECT sum(mrr) FROM mrr_on($day)", day=day) for day in (AS_OF, LAST_MONTH_END))
    grown = "SELECT sum(n.mrr - b.mrr) FROM mrr_on($now) AS n JOIN mrr_on($before) AS b USING (customer_id) WHERE n.mrr > b.mrr"
    assert summary["expansion_revenue"]["value"] == pytest.approx(one(sql, grown, now=AS_OF, before=LAST_MONTH_END))
    assert summary["net_new_revenue"]["value"] == pytest.approx(now - before)


def test_failed_payments_over_three_months(summary, sql):
    tries = "FROM transactions WHERE transaction_date BETWEEN '2026-04-01' AND '2026-06-30' AND status {}"
    failed, tried = (one(sql, f"SELECT count(*) {tries.format(which)}") for which in ("= 'Failed'", "<> 'Refunded'"))
    assert failed > 0
    assert summary["failed_payment_rate"]["value"] == pytest.approx(failed / tried)


def test_the_report_and_the_exports_show_the_same_mrr(home, summary):
    mrr = summary["monthly_recurring_revenue"]["amount"]
    assert f"${mrr:,.2f}" in (home / "reports" / "executive_summary.md").read_text()
    exported = duckdb.read_csv(str(home / "exports" / "kpi_summary.csv")).filter(
        "metric_name = 'monthly_recurring_revenue'"
    )
    assert float(exported.select("amount").fetchone()[0]) == float(mrr)


def test_every_row_of_the_exports_is_in_the_snapshot(home, sql):
    snapshot = open_read_only(Home(home).published)
    for name in DATASETS:
        rows = one(sql, f"SELECT count(*) FROM {name}")
        assert snapshot.table(name).count().execute() == rows
        assert snapshot.table(f"{name}_rejects").count().execute() == 0


def test_the_same_run_in_another_home_gives_the_same_bytes(productpulse, home, tmp_path):
    other = demo_run(productpulse, tmp_path / "elsewhere")  # with the statements that the first run has written
    for part in ("exports", "reports", "synthetic"):
        assert tree(home / part)
        assert tree(home / part) == tree(other / part)


def tree(folder: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in folder.iterdir()}


def test_a_day_in_the_past_has_the_mrr_of_that_day(figures, home, sql, summary, tmp_path):
    past = "2025-11-17"
    rows = rows_by_metric(figures(home / "synthetic", tmp_path, as_of=past))
    mrr = one(sql, "SELECT sum(mrr) FROM mrr_on($day)", day=past)
    assert float(rows["monthly_recurring_revenue"]["amount"]) == pytest.approx(mrr, abs=0.001)
    assert mrr != pytest.approx(summary["monthly_recurring_revenue"]["value"])
    assert rows["monthly_recurring_revenue"]["period_end"].isoformat() == past
    # A flow is read in the last whole month before that day.
    assert rows["churned_revenue"]["period_end"].isoformat() == "2025-10-31"
    lost = "SELECT sum(mrr) FROM mrr_on($before) AS b ANTI JOIN mrr_on($now) USING (customer_id)"
    assert rows["churned_revenue"]["value"] == pytest.approx(one(sql, lost, before="2025-09-30", now="2025-10-31"))


def test_a_metric_of_an_absent_dataset_has_a_reason_and_is_never_0(figures, home, summary, tmp_path):
    given = {"customers", "subscriptions"}
    for name in given:
        (tmp_path / "exports").mkdir(exist_ok=True)
        shutil.copy(home / "synthetic" / f"{name}.csv", tmp_path / "exports")
    backend = figures(tmp_path / "exports", tmp_path / "home", as_of=AS_OF)
    rows = rows_by_metric(backend)
    needs = {
        r["metric_name"]: set(r["source_datasets"].split(", "))
        for r in backend.table("metric_lineage").to_pyarrow().to_pylist()
    }
    lacking = {name for name in rows if needs[name] - given} - OF_AVAILABLE_DATASETS
    assert {"failed_payment_rate", "failed_payments", "successful_payments"} <= lacking
    for name in lacking:
        assert rows[name]["value"] is None, name
        assert rows[name]["status"] == "Not available"
        reason, absent = rows[name]["not_available_reason"], sorted(needs[name] - given)
        assert reason.startswith("Needs the dataset") and reason.endswith(("which is absent.", "which are absent."))
        assert sorted(re.findall(r"[a-z]+_[a-z]+|transactions|targets", reason)) == absent, reason
    for name in rows.keys() - lacking - OF_AVAILABLE_DATASETS - OF_DEMO_MARGIN:
        assert rows[name]["value"] == summary[name]["value"], name
    facts = backend.table("customer_months")
    for fact in ("amount_collected", "payments_failed", "logins", "tickets_opened", "nps_responses"):
        assert facts[fact].count().execute() == 0, fact


def test_with_every_dataset_every_metric_has_a_value(summary):
    assert {name: row["not_available_reason"] for name, row in summary.items() if row["value"] is None} == {}
