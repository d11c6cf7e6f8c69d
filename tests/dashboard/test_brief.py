"""The Decision Brief: the view on a page of Markdown."""

import re

import pytest
from ibis import _

from dashboard.brief import ACTIONS, as_html, brief
from dashboard.plan import planned
from dashboard.reading import Reading
from resources.home import Home
from resources.published_snapshot import Snapshot, version_of
from rules.text.formats import money
from tests.graph import RULES

pytestmark = pytest.mark.slow


def test_it_sums_up_the_view_and_gives_reasons_for_what_comes_first(reading, demo_sql):
    plan = planned(reading).filter(_.category == "Retention")
    text = brief(reading, plan, "Retention")
    count, revenue = demo_sql.execute(
        "SELECT count(*), sum(estimated_revenue_impact) FROM intervention_plan WHERE category = 'Retention'"
    ).fetchone()
    assert f"{count} interventions" in text and money(revenue) in text
    assert "View: Retention." in text
    first = demo_sql.execute(
        "SELECT recommendation_title, reason FROM intervention_plan WHERE category = 'Retention' "
        "ORDER BY priority_rank LIMIT 1"
    ).fetchone()
    assert f"1. **{first[0]}**" in text
    assert len(re.findall(r"^\d+\. \*\*", text, re.MULTILINE)) == ACTIONS


def test_an_empty_view_says_so(reading):
    text = brief(reading, planned(reading).filter(_.category == "none of ours"), "Nothing")
    assert "Nothing in this view asks for an intervention." in text
    assert "##" not in text


def test_hostile_names_stay_text(hostile_home):
    reading = Reading(Snapshot(version_of(Home(hostile_home).published)), RULES)
    text = brief(reading, planned(reading), "All")
    shown = as_html(text)
    assert "<script" not in shown and "<img" not in shown and "<a " not in shown
    tables = [line for line in text.splitlines() if line.startswith("|")]
    assert {line.count("|") - line.count("\\|") for line in tables} == {5}
