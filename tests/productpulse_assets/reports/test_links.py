"""The reports link to each other, and every link has a target."""

import pytest

from productpulse_assets.reports.markdown import PAGES
from resources.home import Home
from tests.productpulse_assets.reports.build_report import REPORTS
from tests.productpulse_assets.reports.rendered import page

OTHER_FORMAT = "executive_report.html"


@pytest.fixture(scope="module")
def pages(good_run, good_home):
    texts = {f"{name}.md": (Home(good_home).reports / f"{name}.md").read_text("utf-8") for name in REPORTS}
    return {name: page(text) for name, text in texts.items()}


def test_every_link_leads_to_an_existing_file_or_anchor(pages, good_home):
    folder = Home(good_home).reports
    for name, seen in pages.items():
        for target in seen.links:
            file, _, place = target.partition("#")
            assert file in ("", OTHER_FORMAT) or (folder / file).exists(), f"{name}: {target}"
            assert not place or place in pages[file or name].anchors, f"{name}: {target}"


def test_every_anchor_is_unique(pages):
    for name, seen in pages.items():
        assert len(seen.anchors) == len(set(seen.anchors)), name


@pytest.mark.parametrize("name", REPORTS)
def test_every_report_links_to_all_others(name, pages):
    first = pages[f"{name}.md"].links[: len(PAGES) - 1]
    assert first == [file for file in PAGES if file != f"{name}.md"]


def test_metrics_bands_kinds_and_actions_link_to_their_sections(pages):
    links = set(pages["executive_summary.md"].links)
    assert {
        "metric_definitions.md#monthly_recurring_revenue", "risk_register.md#leakage-failed-payment",
        "risk_register.md#band-low", "intervention_plan.md#plan-1",
    } <= links  # fmt: skip


def test_the_plan_and_the_risk_register_link_to_each_other(pages):
    to_customers = [
        link for link in pages["intervention_plan.md"].links if link.startswith("risk_register.md#customer-")
    ]
    to_the_plan = [link for link in pages["risk_register.md"].links if link.startswith("intervention_plan.md#plan-")]
    assert to_customers and to_the_plan
