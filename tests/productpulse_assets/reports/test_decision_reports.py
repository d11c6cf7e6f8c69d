"""The reports show the risk, leakage and actions of the tables."""

import re
from pathlib import Path

import pytest

from productpulse_assets.reports import markdown
from resources.duckdb_connection import open_read_only
from resources.home import Home
from resources.tables import rows_of
from rules.text.formats import ACTION_MONEY, action_money, money, name_with_key, value_text
from rules.text.markdown import escape
from tests.productpulse_assets.reports.build_report import REPORTS


@pytest.fixture(scope="module")
def snapshot(good_run, good_home):
    return open_read_only(Home(good_home).published)


@pytest.fixture(scope="module")
def report(good_run, good_home):
    return lambda name: (Home(good_home).reports / f"{name}.md").read_text(encoding="utf-8")


def test_the_plan_lists_the_first_interventions_of_each_owner_and_counts_the_rest(report, snapshot):
    text, plan = report("intervention_plan"), rows_of(snapshot.table("intervention_plan").order_by("priority_rank"))
    monthly, value, cash = (sum(row[name] for row in plan) for name in ACTION_MONEY)
    about = f"{money(monthly)} a month, {money(value)} over 12 months, and {money(cash)} once"
    assert f"{len(plan)} interventions about {about}." in text
    for owner in {row["suggested_owner"] for row in plan}:
        mine = [row for row in plan if row["suggested_owner"] == owner]
        section = text.split(f"## {owner}\n")[1].split("\n## ")[0]
        assert section.count("**") == 2 * min(len(mine), 15)
        assert escape(mine[0]["recommendation_title"]) in section
        rest = re.search(r"(\d+) more (?:is|are) in \[exports/intervention_plan.csv\]", section)
        assert (int(rest[1]) if rest else 0) == max(len(mine) - 15, 0)


def test_the_workload_table_has_a_column_for_every_week(report, snapshot):
    weeks = list(dict.fromkeys(row["week"] for row in rows_of(snapshot.table("owner_workload"))))
    header = next(line for line in report("intervention_plan").splitlines() if line.startswith("| Owner"))
    assert header == f"| Owner | {' | '.join(weeks)} |"


def test_the_risk_register_has_every_band_and_kind(report, snapshot):
    text = report("risk_register")
    for band in rows_of(snapshot.table("churn_risk_profiles").select("risk_band").distinct()):
        assert f"\n### {band['risk_band']}\n" in text
    for row in rows_of(snapshot.table("leakage_summary")):
        assert re.search(
            rf"^\| \[{row['leakage_type']}\]\(\S+\) \| {row['cases']} \| {row['customers']} \|", text, re.M
        )
        section = text.split(f"\n### {row['leakage_type']}\n")[1].split("\n## ")[0].split("\n### ")[0]
        assert len(re.findall(r"^\| .*\d", section, re.M)) == min(row["cases"], 10)


def test_the_risk_register_lists_customers_at_risk_with_their_rank_in_the_plan(report, snapshot):
    text = report("risk_register")
    names = {row["customer_id"]: row["company_name"] for row in rows_of(snapshot.table("customers"))}
    plan = snapshot.table("intervention_plan")
    at_risk = snapshot.table("churn_risk_profiles").filter(lambda t: t.revenue_at_risk > 0)
    for row in rows_of(at_risk.order_by(at_risk.revenue_at_risk.desc()).limit(5)):
        line = next(line for line in text.splitlines() if escape(row["explanation"]) in line)
        assert escape(name_with_key(names[row["customer_id"]], row["customer_id"])) in line
        mine = plan.filter(plan.customer_id == row["customer_id"]).priority_rank.min().execute()
        assert f"| {mine} |" in line or f"| [{mine}](intervention_plan.md#plan-{mine}) |" in line


def test_the_executive_summary_begins_with_the_three_most_urgent_actions_and_reasons(report, snapshot):
    text, plan = report("executive_summary"), rows_of(snapshot.table("intervention_plan").order_by("priority_rank"))
    section = text.split("## What to do first")[1].split("\n## ")[0]
    for number, row in enumerate(plan[:3], start=1):
        action = section.split(f"\n{number}. ")[1].split(f"\n{number + 1}. ")[0]
        assert action.startswith(f"**[{escape(row['recommendation_title'])}](intervention_plan.md#plan-{number})**")
        for text_part in (f"({row['customer_id']})", action_money(row)):
            assert text_part in action.splitlines()[0]
        assert f"- Why: {escape(row['reason'])}" in action and f"- Do: {escape(row['expected_action'])}" in action
        assert row["suggested_owner"] in action and row["scheduled_week"] in action
    assert "\n4. " not in section
    for row in rows_of(snapshot.table("scenario_analysis")):
        assert value_text(row["annualized_impact"], "money") in text
    for title in ("Churn risk", "Revenue leakage", "Potential gains"):
        assert f"\n## {title}\n" in text


def test_questions_list_the_first_rows_of_their_tables(report, snapshot):
    plan = rows_of(snapshot.table("intervention_plan").order_by("priority_rank").limit(3))
    text = report("business_questions")
    for number, row in enumerate(plan, start=1):
        assert f"{number}. {escape(row['recommendation_title'])} (" in text


def test_questions_show_the_names_of_customers(report, snapshot):
    profiles, customers = snapshot.table("churn_risk_profiles"), snapshot.table("customers")
    worst = rows_of(profiles.filter(profiles.revenue_at_risk > 0).order_by(profiles.revenue_at_risk.desc()).limit(1))[0]
    name = rows_of(customers.filter(customers.customer_id == worst["customer_id"]))[0]["company_name"]
    assert f"1. {escape(name_with_key(name, worst['customer_id']))}, " in report("business_questions")


def test_dates_have_one_format_and_no_raw_value_is_shown(report):
    for name in REPORTS:
        text = report(name)
        assert not re.search(r"\d{1,2} (?:Jan|Feb|Mar|Apr|May|Jun|Jul|Aug|Sep|Oct|Nov|Dec) \d{4}", text), name
        assert "None" not in text and "nan" not in text.split() and "team:" not in text, name


def test_templates_format_numbers_by_filters_only():
    for template in (Path(markdown.__file__).parent).glob("*.jinja"):
        assert not re.search(r"\| *(?:format|safe|round)\b|strftime|%\.", template.read_text("utf-8")), template.name
