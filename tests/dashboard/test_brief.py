"""The decision brief: the interventions in view on one page of Markdown."""

import re

import pytest
from ibis import _

from dashboard.brief import ACTIONS_SHOWN, brief_html, brief_markdown
from dashboard.plan import plan_with_customers
from dashboard.reading import Reading
from resources.home import Home
from resources.published_snapshot import Snapshot, version_of
from rules.text.formats import money
from tests.graph import RULES

pytestmark = pytest.mark.slow


def test_it_has_the_totals_of_the_view_and_the_first_actions_with_reasons(reading, demo_sql):
    plan = plan_with_customers(reading).filter(_.category == "Retention")
    text = brief_markdown(reading, plan, "Retention")
    count, revenue = demo_sql.execute(
        "SELECT count(*), sum(monthly_revenue) FROM intervention_plan WHERE category = 'Retention'"
    ).fetchone()
    assert f"{count} interventions" in text and money(revenue) in text
    assert "View: Retention." in text
    first = demo_sql.execute(
        "SELECT recommendation_title, reason FROM intervention_plan WHERE category = 'Retention' "
        "ORDER BY priority_rank LIMIT 1"
    ).fetchone()
    assert f"1. **{first[0]}**" in text
    assert len(re.findall(r"^\d+\. \*\*", text, re.MULTILINE)) == ACTIONS_SHOWN


def test_an_empty_view_has_a_message(reading):
    text = brief_markdown(reading, plan_with_customers(reading).filter(_.category == "none of ours"), "Nothing")
    assert "This view has no interventions." in text
    assert "##" not in text


def test_hostile_names_stay_text(hostile_home):
    reading = Reading(Snapshot(version_of(Home(hostile_home).published)), RULES)
    text = brief_markdown(reading, plan_with_customers(reading), "All")
    html = brief_html(text)
    assert "<script" not in html and "<img" not in html and "<a " not in html
    tables = [line for line in text.splitlines() if line.startswith("|")]
    assert {line.count("|") - line.count("\\|") for line in tables} == {7}
