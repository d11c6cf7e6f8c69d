"""The HTML report needs no other file and shows the numbers of the tables."""

import json
import re
from html import unescape
from html.parser import HTMLParser

import ibis
import plotly.graph_objects as go
import pytest

from productpulse_assets.reports.executive_report import executive_report
from productpulse_assets.reports.sections import Section
from productpulse_assets.tables import declaration_of
from resources.duckdb_connection import open_read_only
from resources.home import Home
from resources.tables import rows_of
from rules.text.formats import money, value_text
from tests.graph import RULES

CHARTS = ("mrr-movement", "mrr-and-churn", "outlook", "cohorts", "funnel", "risk", "leakage", "workload")


@pytest.fixture(scope="module")
def snapshot(good_run, good_home):
    return open_read_only(Home(good_home).published)


@pytest.fixture(scope="module")
def tables(snapshot):
    return {name: snapshot.table(name) for name in declaration_of(executive_report).inputs}


@pytest.fixture(scope="module")
def page(good_run, good_home):
    return (Home(good_home).reports / "executive_report.html").read_text(encoding="utf-8")


def build(tables):
    return executive_report(**tables, rules=RULES)


def without_plotly(page):
    return re.sub(r'<script id="plotly">.*?</script>', "", page, flags=re.DOTALL)


def section(page, name):
    return unescape(without_plotly(page).split(f'<section id="{name}">')[1].split("</section>")[0])


def data(page, name):
    return json.loads(re.search(rf'<script type="application/json" id="data-{name}">(.*?)</script>', page)[1])


class Tags(HTMLParser):
    def __init__(self):
        super().__init__()
        self.found = []

    def handle_starttag(self, tag, attrs):
        self.found.append((tag, dict(attrs)))


def tags(page):
    parser = Tags()
    parser.feed(without_plotly(page))
    return parser.found


def test_the_page_loads_nothing_from_the_network(page):
    assert page.count('<script id="plotly">') == 1
    assert "http://" not in without_plotly(page) and "https://" not in without_plotly(page)
    found = tags(page)
    assert not any("src" in attributes for _tag, attributes in found)
    assert not {tag for tag, _attributes in found} & {"link", "iframe", "img", "object", "embed", "base"}
    assert "@import" not in without_plotly(page) and "url(" not in without_plotly(page)
    assert "default-src 'none'" in next(a["content"] for _t, a in found if a.get("http-equiv"))


def test_every_link_leads_to_a_report_in_the_same_folder(page, good_home):
    links = [attributes["href"] for tag, attributes in tags(page) if tag == "a"]
    assert "executive_summary.md" in links
    assert all((Home(good_home).reports / link).exists() for link in links)


@pytest.mark.parametrize("name", CHARTS)
def test_every_chart_has_data_and_a_table_of_its_numbers(page, name):
    assert data(page, name)["data"]
    assert f'id="chart-{name}"' in page
    assert "<details>" in section(page, name) and "<td>" in section(page, name)


def test_the_numbers_are_those_of_the_tables(page, tables):
    kpis = {row["metric_name"]: row for row in rows_of(tables["kpi_summary"])}
    opening = kpis["opening_revenue"]["amount"]
    assert f"MRR went from {money(opening)} to " in section(page, "mrr-movement")
    assert data(page, "mrr-movement")["data"][0]["y"][0] == float(opening)
    assert value_text(kpis["monthly_recurring_revenue"]["value"], "money") in page
    for row in rows_of(tables["leakage_summary"]):
        loss = value_text(row["estimated_revenue_loss"], "money", exact=True)
        assert f"<td>{row['leakage_type']}</td><td>{row['cases']}</td><td>{loss}</td>" in section(page, "leakage")
    users = [row["users"] for row in rows_of(tables["funnel_summary"].order_by("step_number"))]
    assert data(page, "funnel")["data"][0]["x"] == users
    at_risk = value_text(kpis["at_risk_customers"]["value"], "count")
    assert f": {at_risk} of {rows_of(tables['churn_risk_profiles'].count().as_table())[0].popitem()[1]} " in section(
        page, "risk"
    )


def test_the_same_input_gives_the_same_bytes(page, tables):
    assert build(tables) == build(tables) == page


def test_a_hostile_segment_is_shown_as_text(tables):
    hostile = "</script><script>alert(1)</script><a href='http://x'>x</a>"
    profiles = tables["churn_risk_profiles"].mutate(segment=ibis.literal(hostile))
    hostile_page = build(tables | {"churn_risk_profiles": profiles})
    plain = build(tables)
    assert [tag for tag, _attributes in tags(hostile_page)].count("script") == [tag for tag, _a in tags(plain)].count(
        "script"
    )
    assert [a for tag, a in tags(hostile_page) if tag == "a"] == [a for tag, a in tags(plain) if tag == "a"]
    (name,) = data(hostile_page, "risk")["layout"]["yaxis"]["ticktext"]
    assert "<" not in name and unescape(name) == hostile


def test_a_figure_cannot_end_the_script_element_around_it():
    figure = go.Figure(go.Bar(name="</script><b>"), layout={"template": {}})
    text = Section("x", "X", "", figure, [], []).figure_json
    assert "<" not in text and json.loads(text)["data"][0]["name"] == "</script><b>"


def test_what_is_not_available_has_a_reason(tables):
    reason = "Needs the dataset subscriptions, which is absent."
    kpis = tables["kpi_summary"].mutate(
        value=ibis.null("float64"), amount=ibis.null("decimal(18, 2)"), not_available_reason=ibis.literal(reason)
    )
    leakage = tables["leakage_summary"].mutate(
        cases=ibis.null("int64"), estimated_revenue_loss=ibis.null("decimal(18, 2)"),
        not_available_reason=ibis.literal("Needs the dataset transactions, which is absent."),
    )  # fmt: skip
    empty_tables = {"kpi_history", "cohort_summary", "funnel_summary", "churn_risk_profiles", "owner_workload"}
    empty = {name: tables[name].filter(ibis.literal(False)) for name in empty_tables}
    inventory = tables["source_inventory"].mutate(is_available=tables["source_inventory"].dataset != "transactions")
    page = build(tables | empty | {"kpi_summary": kpis, "leakage_summary": leakage, "source_inventory": inventory})
    assert f"Not available: {reason}" in section(page, "mrr-movement")
    assert f"The number of customers at risk is not available. {reason}" in section(page, "risk")
    assert "Refund" in section(page, "leakage")
    assert "Needs the dataset transactions, which is absent." in section(page, "leakage")
    assert "Not in the data: transactions." in page
    assert page.count('<dd class="value">not available</dd>') == 6
    for name in CHARTS:
        assert data(page, name)["data"] == []
        assert data(page, name)["layout"]["annotations"][0]["text"]
