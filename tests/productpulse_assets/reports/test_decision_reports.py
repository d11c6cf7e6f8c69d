"""What the reports say of risk, leakage and actions is what the tables hold."""

import pytest

from productpulse_assets.reports.markdown import escape
from productpulse_assets.telling import read_only
from resources.settings import Home
from resources.tables import rows_of
from rules.formats import money, value_text


@pytest.fixture(scope="module")
def snapshot(good_run, good_home):
    return read_only(Home(good_home).published)


@pytest.fixture(scope="module")
def report(good_run, good_home):
    return lambda name: (Home(good_home).reports / f"{name}.md").read_text(encoding="utf-8")


def test_the_plan_lists_each_owners_first_interventions_and_counts_the_rest(report, snapshot):
    text, plan = report("intervention_plan"), rows_of(snapshot.table("intervention_plan").order_by("priority_rank"))
    total = sum(row["estimated_revenue_impact"] for row in plan)
    assert f"{len(plan)} interventions about {money(total)}." in text
    for owner in {row["suggested_owner"] for row in plan}:
        mine = [row for row in plan if row["suggested_owner"] == owner]
        section = text.split(f"## {owner}\n")[1].split("\n## ")[0]
        assert section.count("**") == 2 * min(len(mine), 15)
        assert escape(mine[0]["recommendation_title"]) in section
        assert (f"{len(mine) - 15} more are in" in section) == (len(mine) > 15)


def test_the_workload_table_has_a_column_for_every_week(report, snapshot):
    weeks = list(dict.fromkeys(row["week"] for row in rows_of(snapshot.table("owner_workload"))))
    header = next(line for line in report("intervention_plan").splitlines() if line.startswith("| Owner"))
    assert header == f"| Owner | {' | '.join(weeks)} |"


def test_the_risk_register_has_every_band_and_kind_and_the_customers_at_risk(report, snapshot):
    text = report("risk_register")
    for row in rows_of(snapshot.table("leakage_summary")):
        assert f"| {row['leakage_type']} | {row['cases']} | {row['customers']} |" in text
    at_risk = snapshot.table("churn_risk_profiles").filter(lambda t: t.revenue_at_risk > 0)
    for row in rows_of(at_risk.order_by(at_risk.revenue_at_risk.desc()).limit(5)):
        assert f"({row['customer_id']})" in text
        assert escape(row["explanation"]) in text


def test_the_executive_summary_begins_with_the_most_urgent_action(report, snapshot):
    text, plan = report("executive_summary"), rows_of(snapshot.table("intervention_plan").order_by("priority_rank"))
    section = text.split("## What to do first")[1].split("\n## ")[0]
    assert f"| 1 | **{escape(plan[0]['recommendation_title'])}**" in section
    for row in rows_of(snapshot.table("scenario_analysis")):
        assert value_text(row["annualized_impact"], "money") in text
    for title in ("Churn risk", "Revenue leakage", "What could be gained"):
        assert f"\n## {title}\n" in text


def test_questions_list_the_first_rows_of_their_tables(report, snapshot):
    plan = rows_of(snapshot.table("intervention_plan").order_by("priority_rank").limit(3))
    text = report("business_questions")
    for number, row in enumerate(plan, start=1):
        assert f"{number}. {escape(row['recommendation_title'])} (" in text


def test_reports_link_to_reports_that_exist(report, good_home):
    folder = Home(good_home).reports
    for name in ("executive_summary", "intervention_plan", "risk_register"):
        links = {part.split(")")[0] for part in report(name).split("](")[1:]}
        assert links
        assert all((folder / link.split("#")[0]).exists() for link in links)
