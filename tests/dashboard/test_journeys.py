"""Journeys through the dashboard in Chromium: from an action to its evidence, filters, downloads and updates."""

from __future__ import annotations

import csv
import io
import os
import re
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from dashboard.links import VIEWS
from resources.home import Home

expect = pytest.importorskip("playwright.sync_api", reason="Playwright is not installed").expect
browser_tools = pytest.importorskip("tests.dashboard.browser", reason="Playwright is not installed")
AXE = Path(os.environ.get("AXE_CORE", ".venv/node/node_modules/axe-core/axe.min.js"))
STREAMLITS_OWN = {
    "list": "the list of pages contains headings next to links",
    "listitem": "the same list",
    "svg-img-alt": "the small chart in a metric tile, which also shows the value as text",
}
"""Serious violations in Streamlit's own elements, which pages cannot fix, by rule."""

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(browser_tools.CHROMIUM is None, reason="Chromium is not installed: apt-get install chromium"),
]


@pytest.fixture(scope="module")
def browser():
    with browser_tools.chromium() as found:
        yield found


@pytest.fixture(scope="module")
def demo(demo_home) -> Iterator[str]:
    with browser_tools.serving(demo_home) as address:
        yield address


@pytest.fixture(scope="module")
def hostile(hostile_home) -> Iterator[str]:
    with browser_tools.serving(hostile_home) as address:
        yield address


@pytest.fixture
def page(browser):
    """A page in a new browser context."""
    context = browser.new_context(viewport={"width": 1440, "height": 1000}, accept_downloads=True)
    context.set_default_timeout(browser_tools.PATIENCE)
    yield context.new_page()
    context.close()


def words(page) -> str:
    return page.locator("[data-testid=stMain]").inner_text()


def wait_for(page, text: str) -> None:
    page.locator("[data-testid=stMain]").get_by_text(text).first.wait_for()


def test_from_the_first_action_to_its_customer_and_its_rule(page, demo, demo_sql):
    title, name, customer, rule = demo_sql.execute(
        """SELECT recommendation_title, company_name, customer_id, rule_id
           FROM intervention_plan JOIN customers USING (customer_id)
           JOIN recommendations USING (customer_id, recommendation_title)
           ORDER BY intervention_plan.priority_rank LIMIT 1"""
    ).fetchone()
    browser_tools.open_view(page, demo)
    wait_for(page, title)
    page.get_by_role("link", name=name).first.click()
    page.wait_for_url(re.compile(rf"customer_360\?.*customer={customer}"))
    browser_tools.settled(page)
    wait_for(page, rule)
    evidence = page.locator("details", has_text=rule).first
    assert re.search(r"From \w+_rules\.yaml, version [0-9a-f]{12}", evidence.inner_text())
    assert re.search(r"\d+ rows? of (subscriptions|transactions|support_tickets|product_usage)", evidence.inner_text())


def test_the_evidence_of_an_action_is_opened_by_keyboard(page, demo):
    browser_tools.open_view(page, f"{demo}/top_actions")
    why = page.locator("summary", has_text="Why?").first
    why.focus()
    page.keyboard.press("Enter")
    page.locator("details details summary", has_text="Recommendation").first.wait_for()


def test_a_slider_moved_by_keyboard_changes_the_result_and_the_address(page, browser, demo):
    browser_tools.open_view(page, f"{demo}/scenario_simulator")
    slider = page.get_by_role("slider", name="Churn Reduction")
    before = words(page)
    slider.focus()
    for _step in range(5):
        page.keyboard.press("ArrowRight")
    page.wait_for_url(re.compile("churn_reduction=15"))
    wait_for(page, "Monthly churn falls by 15.0 % of itself.")
    assert words(page) != before
    again = browser.new_context().new_page()
    browser_tools.open_view(again, page.url)
    wait_for(again, "Monthly churn falls by 15.0 % of itself.")
    expect(again.get_by_role("slider", name="Churn Reduction")).to_have_value("15", timeout=browser_tools.PATIENCE)
    again.context.close()


def test_an_address_shows_the_same_view_in_another_browser(page, browser, demo, demo_sql):
    count = demo_sql.execute(
        """SELECT count(*) FROM intervention_plan JOIN customers USING (customer_id)
           WHERE category = 'Billing Recovery' AND company_name ILIKE '%dental%'"""
    ).fetchone()[0]
    assert count > 0
    browser_tools.open_view(page, f"{demo}/top_actions")
    page.get_by_role("radio", name="Billing recovery").click()
    page.wait_for_url(re.compile("view=Billing"))
    wait_for(page, "62 interventions about")
    box = page.get_by_role("textbox", name="Search")
    box.fill("dental")
    box.press("Enter")
    page.wait_for_url(re.compile("q=dental"))
    wait_for(page, f"{count} interventions about")
    totals = re.compile(r"\d+ interventions about [^.]+")
    seen = totals.search(words(page))[0]
    other = browser.new_context().new_page()
    browser_tools.open_view(other, page.url)
    wait_for(other, "interventions about")
    assert totals.search(words(other))[0] == seen
    expect(other.get_by_role("textbox", name="Search")).to_have_value("dental", timeout=browser_tools.PATIENCE)
    other.context.close()


def click_block(page, chart: str, number: int) -> None:
    """Click a bar of a chart, whose picture plotly draws after the page is complete."""
    bar = page.locator(f"[aria-label='{chart}'] .point path, [alt='{chart}'] .point path, .waterfalllayer .point path")
    bar.nth(number).scroll_into_view_if_needed()
    place = bar.nth(number).bounding_box()
    page.mouse.click(place["x"] + place["width"] / 2, place["y"] + place["height"] / 2)


def panel(page):
    return page.get_by_role("dialog")


def test_from_the_june_bridge_to_the_churned_customers_to_the_payments_of_one(page, demo, demo_sql):
    churned = demo_sql.execute(
        """SELECT customer_id, mrr_churned FROM customer_months
           WHERE month = DATE '2026-06-01' AND mrr_churned > 0 ORDER BY 2 DESC, 1"""
    ).fetchall()
    browser_tools.open_view(page, demo)
    click_block(page, "MRR at the start of the month, its movements, and MRR at the end", 5)
    page.wait_for_url(re.compile("rows=churned_revenue&rows_period=2026-06"))
    total = f"${sum(amount for _customer, amount in churned):,.2f}"
    panel(page).get_by_text(f"The amounts add up to the value: {total}.").wait_for()
    with page.expect_download() as table:
        panel(page).get_by_role("button", name=f"{len(churned)} rows as CSV").click()
    assert table.value.suggested_filename == "rows_2026-06-30.csv"
    panel(page).get_by_text("The same customers as links").click()
    links = panel(page).locator("li a")
    expect(links).to_have_count(len(churned), timeout=browser_tools.PATIENCE)
    address = links.first.get_attribute("href")
    assert address == f"/customer_360?customer={churned[0][0]}"
    browser_tools.open_view(page, demo + address)
    page.get_by_role("tab", name="Payments").click()
    payments = demo_sql.execute(f"SELECT count(*) FROM transactions WHERE customer_id = '{churned[0][0]}'").fetchone()
    assert payments[0] > 0
    wait_for(page, f"The newest 20 of {payments[0]} rows.") if payments[0] > 20 else None
    page.get_by_role("button", name="CSV", exact=True).first.wait_for()


def test_the_retention_of_each_plan_by_month_and_its_address_in_another_browser(page, browser, demo, demo_sql):
    rates = dict(
        demo_sql.execute(
            """SELECT plan, sum(mrr_kept_12m) / sum(mrr_12m_ago) FROM customer_months
               WHERE month = DATE '2026-05-01' AND segment IN ('SMB', 'Enterprise')
               GROUP BY plan HAVING sum(mrr_12m_ago) > 0"""
        ).fetchall()
    )
    state = "metric=net_revenue_retention&by=plan&period=2026-05&segment=SMB&segment=Enterprise"
    browser_tools.open_view(page, f"{demo}/kpi_review?{state}")
    browser_tools.open_list(page, page.get_by_role("combobox", name=re.compile("^Customers behind: .* by plan")))
    expect(page.get_by_role("option")).to_have_count(len(rates), timeout=browser_tools.PATIENCE)
    page.get_by_role("option", name=re.compile("^Growth: ")).click()
    panel(page).locator("p", has_text="segment SMB or Enterprise, plan Growth").wait_for()
    value = panel(page).locator("p", has_text="plan Growth").first.inner_text()
    assert value.endswith(f"plan Growth: {rates['Growth'] * 100:.2f} %")
    other = browser.new_context().new_page()
    browser_tools.open_view(other, page.url)
    panel(other).locator("p", has_text=value).wait_for()
    other.keyboard.press("Escape")
    panel(other).wait_for(state="detached")
    other.wait_for_url(lambda address: "rows" not in address)
    other.get_by_role("link", name="Risk Queue", exact=True).click()
    other.wait_for_url(re.compile(r"risk_queue\?.*segment=SMB&segment=Enterprise"))
    wait_for(other, "This page shows the present: the period does not apply.")
    other.context.close()


def test_the_brief_and_the_table_are_downloaded(page, demo, demo_sql):
    browser_tools.open_view(page, f"{demo}/top_actions?view=Retention&as=Table")
    with page.expect_download() as brief:
        page.get_by_role("button", name="Brief as Markdown").click()
    text = Path(brief.value.path()).read_text(encoding="utf-8")
    count = demo_sql.execute("SELECT count(*) FROM intervention_plan WHERE category = 'Retention'").fetchone()[0]
    assert text.startswith("# Decision brief")
    assert f"{count} interventions" in text
    with page.expect_download() as table:
        page.get_by_role("button", name=f"{count} interventions as CSV").click()
    rows = list(csv.DictReader(io.StringIO(Path(table.value.path()).read_text(encoding="utf-8"))))
    assert len(rows) == count
    assert {row["category"] for row in rows} == {"Retention"}
    assert brief.value.suggested_filename == "decision_brief_2026-06-30.md"
    assert table.value.suggested_filename == "actions_2026-06-30.csv"


def test_the_renewals_of_an_account_owner_are_sent_as_a_link(page, browser, demo, demo_sql):
    ours = demo_sql.execute(
        """SELECT subscription_id FROM renewals
           WHERE outcome = 'Open' AND days_to_renewal <= 60 AND account_owner = 'Carla Rossi'"""
    ).fetchall()
    browser_tools.open_view(page, f"{demo}/renewals")
    page.get_by_role("combobox", name="Account owner").fill("Carla")
    page.keyboard.press("Enter")
    page.wait_for_url(re.compile("owner=Carla"))
    other = browser.new_context(accept_downloads=True).new_page()
    browser_tools.open_view(other, page.url)
    with other.expect_download() as table:
        other.get_by_role("button", name=f"{len(ours)} renewals as CSV").click()
    listed = list(csv.DictReader(io.StringIO(Path(table.value.path()).read_text(encoding="utf-8"))))
    assert sorted(row["subscription_id"] for row in listed) == sorted(name for (name,) in ours)
    assert {row["account_owner"] for row in listed} == {"Carla Rossi"}
    other.context.close()


def test_the_download_button_of_streamlit_is_hidden(page, hostile):
    browser_tools.open_view(page, f"{hostile}/risk_queue")
    page.locator("[data-testid=stDataFrame]").first.hover()
    page.get_by_role("button", name=re.compile("^Search: Table")).first.wait_for()
    assert not page.locator("[aria-label^='Download as CSV']").first.is_visible()


def test_the_page_updates_when_a_snapshot_is_published(page, homes, tmp_path):
    shutil.copytree(Home(homes["one customer"]).published.parent, tmp_path / "published")
    with browser_tools.serving(tmp_path) as address:
        browser_tools.open_view(page, f"{address}/risk_queue")
        shutil.copy(Home(homes["demo"]).published, tmp_path / "new")
        os.replace(tmp_path / "new", Home(tmp_path).published)
        page.get_by_role("button", name="628 customers as CSV").wait_for(timeout=30_000)


def outside(page, address: str) -> list[str]:
    """A list that collects the page's requests to other machines."""
    found: list[str] = []
    ours = (address, address.replace("http:", "ws:"), "data:", "blob:")
    page.on("request", lambda request: None if request.url.startswith(ours) else found.append(request.url))
    page.on("websocket", lambda socket: None if socket.url.startswith(ours) else found.append(socket.url))
    return found


def test_no_page_sends_a_request_to_another_machine_and_each_has_its_title(page, demo):
    asked = outside(page, demo)
    for view in VIEWS.values():
        browser_tools.open_view(page, demo + view.path)
        page.wait_for_timeout(300)
        assert page.title() == view.title
    assert asked == []


@pytest.mark.parametrize("name", VIEWS)
def test_hostile_names_run_nothing_and_do_not_break_the_layout(page, hostile, name):
    asked = outside(page, hostile)
    dialogs = []
    page.on("dialog", lambda dialog: (dialogs.append(dialog.message), dialog.dismiss()))
    state = {"top_actions": "?as=Cards", "customer_360": "?find=script"}.get(name, "")
    browser_tools.open_view(page, hostile + VIEWS[name].path + state)
    page.wait_for_timeout(500)
    assert page.evaluate("window.hacked") is None
    assert asked == [] and dialogs == []
    main = page.locator("[data-testid=stMain]")
    assert main.locator("a[href*='evil'], a[href^='javascript'], img[src*='evil'], script, h1 >> text=Big").count() == 0
    assert page.evaluate("document.documentElement.scrollWidth <= window.innerWidth")
    assert page.evaluate(
        "[...document.querySelectorAll('[data-testid=stMain] p, [data-testid=stMain] li, [data-testid=stMain] summary')]"
        ".every(each => each.getBoundingClientRect().right <= window.innerWidth + 1)"
    )


def test_a_name_with_markup_is_shown_as_text(page, hostile):
    browser_tools.open_view(page, f"{hostile}/customer_360?find=script")
    assert "<script>window.hacked = 1</script>" in words(page)


@pytest.mark.skipif(not AXE.exists(), reason="axe-core is not installed: npm install --prefix .venv/node axe-core")
@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_no_serious_accessibility_violation_except_in_streamlits_own_elements(browser, demo, scheme):
    context = browser.new_context(viewport={"width": 1440, "height": 1000}, color_scheme=scheme)
    page = context.new_page()
    found = {}
    pages = {name: view.path for name, view in VIEWS.items()} | {"panel": "/?rows=churned_revenue&segment=SMB"}
    for name, path in pages.items():
        browser_tools.open_view(page, demo + path)
        page.wait_for_timeout(800)
        page.evaluate(AXE.read_text(encoding="utf-8"))
        result = page.evaluate("axe.run(document, {resultTypes: ['violations']})")
        for each in result["violations"]:
            if each["impact"] in ("serious", "critical") and each["id"] not in STREAMLITS_OWN:
                found[f"{name}: {each['id']}"] = [node["html"][:200] for node in each["nodes"]]
    context.close()
    assert found == {}
