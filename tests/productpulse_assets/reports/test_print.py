"""The HTML report on paper: every chart fits the page, at any width of the window."""

import pytest

from resources.home import Home

pytest.importorskip("playwright.sync_api", reason="Playwright is not installed")
browser_tools = pytest.importorskip("tests.dashboard.browser", reason="Playwright is not installed")
pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(browser_tools.CHROMIUM is None, reason="Chromium is not installed: apt-get install chromium"),
]

A4_WIDTH, MARGIN, LETTER_WIDTH = 210, 20, 215.9
"""Millimetres; the margin is wider than the browser's default."""

DRAWN = """() => Object.fromEntries([...document.querySelectorAll(".chart")].map(chart => {
    const left = chart.getBoundingClientRect().left;
    const right = each => each.getBoundingClientRect().right - left;
    return [chart.id, Math.max(...[...chart.querySelectorAll("svg.main-svg, path, text, image")].map(right))];
}))"""
"""By chart: the width in pixels from its left edge to the right edge of everything in it."""


@pytest.fixture(scope="module")
def browser():
    with browser_tools.chromium() as found:
        yield found


def printed(browser, report, width, paper):
    """The widths of the charts while the browser prints; waits until they fit the window again."""
    page = browser.new_page(viewport={"width": width, "height": 1000})
    page.goto(report.as_uri())
    page.wait_for_selector("#chart-workload svg.main-svg")
    page.evaluate(f"addEventListener('beforeprint', () => window.onPaper = ({DRAWN})())")
    page.pdf(format=paper, margin=dict.fromkeys(("top", "bottom", "left", "right"), f"{MARGIN}mm"))
    page.wait_for_function(f"Object.values(({DRAWN})()).every(right => right > {min(width, 992) - 60})")
    found = page.evaluate("window.onPaper")
    page.close()
    return found


@pytest.mark.parametrize(("paper", "paper_width"), [("A4", A4_WIDTH), ("Letter", LETTER_WIDTH)])
@pytest.mark.parametrize("width", [2560, 800])
def test_charts_are_not_cut_off_on_paper(browser, good_run, good_home, width, paper, paper_width):
    charts = printed(browser, Home(good_home).reports / "executive_report.html", width, paper)
    assert len(charts) == 8
    room = (paper_width - 2 * MARGIN) / 25.4 * 96
    assert {name: right for name, right in charts.items() if not room / 2 < right <= room + 1} == {}
