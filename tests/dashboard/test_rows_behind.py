"""KPI Review shows the customers behind a metric, in the month and slice of the address, and they add up."""

import pytest
from ibis import _

from resources.published_snapshot import Snapshot, version_of
from rules.text.formats import money

pytestmark = pytest.mark.slow
ASKED = {"metric": "churned_revenue", "month": "2026-05", "slice": "plan", "member": "Starter"}


def test_the_customers_of_an_address_add_up_to_the_value(homes, opened):
    app = opened(homes["demo"], "kpi_review", **ASKED)
    grid = app.dataframe[-1].value
    total = sum(grid["part_amount"])
    assert total > 0
    assert f"**Churned MRR**, May 2026, Starter: **{money(total, cents=True)}**" in [
        each.value for each in app.markdown
    ]
    assert "The amounts add up to the value." in [each.value for each in app.caption]
    snapshot = Snapshot(version_of(homes["demo"] / "published" / "productpulse.duckdb"))
    months = snapshot.table("customer_months")
    churned = snapshot.rows(
        months.filter(months.month.strftime("%Y-%m") == "2026-05", _.plan == "Starter", _.mrr_churned > 0)
    )
    snapshot.close()
    assert sorted(grid["customer_id"]) == sorted(row["customer_id"] for row in churned)


def test_a_rate_has_the_rows_of_both_sides(homes, opened):
    app = opened(homes["demo"], "kpi_review", metric="customer_churn_rate", month="2026-05", side="Denominator")
    assert "The amounts add up to the denominator." in [each.value for each in app.caption]
    assert len(app.dataframe[-1].value) == 50


def test_a_mean_says_that_it_is_no_sum(homes, opened):
    app = opened(homes["demo"], "kpi_review", metric="data_quality_score")
    assert any("is no sum of them" in each.value for each in app.caption)
