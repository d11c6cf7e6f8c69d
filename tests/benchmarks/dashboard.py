"""How long users wait for the dashboard: `python -m tests.benchmarks.dashboard --customers 100000`.

In Chromium, with the snapshot in the disk's cache: the first view of each page, and a search, a filter and the customers
behind a number where the page has them; medians of several visits, from the input until the page shows the result and the
server sends nothing more, or until the panel shows the customers. Each visit filters by another member and opens another
number, so that no answer is known yet.
"""

from __future__ import annotations

import argparse
import re
import statistics
import subprocess
import time
from collections.abc import Callable
from pathlib import Path

from playwright.sync_api import Browser, Locator, Page

from dashboard.links import VIEWS
from tests.benchmarks.company import (
    CHECKOUT,
    DEFAULT_CACHE,
    PRODUCTPULSE,
    default_environment,
    ensure_company,
)
from tests.dashboard.browser import chromium, open_list, open_view, serving, settled

PAUSE = 1500
"""Milliseconds between the first view and the input."""

SEARCHES = {
    "top_actions": ("Search", "willow"),
    "customer_360": ("Search", "willow"),
    "kpi_review": ("Search", "churn"),
    "risk_queue": ("Search", "willow"),
    "revenue_leakage": ("Search", "willow"),
    "decision_traces": ("Search", "willow"),
}
FILTERS = {
    "top_actions": ("Owner", "Billing Operations"),
    "revenue_leakage": ("Kind", "Refund"),
    "decision_traces": ("Step", "Recommendation"),
}


DRILL_DOWNS = {
    "executive_cockpit": "Customers behind: MRR and customer churn by month",
    "kpi_review": re.compile("^Customers behind: .* by month"),
    "risk_queue": re.compile("^Customers behind: .* by driver"),
    "revenue_leakage": re.compile("^Customers behind: .* by kind"),
    "cohort_retention": re.compile("^Customers behind: .* by cohort"),
    "funnel_analysis": re.compile("^Customers behind: .* by segment"),
}
"""By page, the list below a chart that opens the customers behind its numbers."""


def main() -> None:
    """Publish the snapshot if there is none, visit every page, print the medians."""
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--customers", type=int, default=100_000)
    options.add_argument("--home", type=Path, help="a home with a published snapshot; without it, a run makes one")
    options.add_argument("--visits", type=int, default=5)
    options.add_argument("--pages", nargs="*", choices=list(VIEWS), default=list(VIEWS))
    given = options.parse_args()
    home = given.home or published_home(given.customers)
    with serving(home) as address, chromium() as browser:
        views = {name: VIEWS[name] for name in given.pages}
        for view in views.values():  # the first visit of a page also waits for imports and the disk
            first_view(browser, address + view.path)
        heads = " ".join(f"{head:>10}" for head in ("first view", "search", "filter", "filter bar", "customers"))
        print(f"{'page':<20} {heads}   seconds, medians of {given.visits}")
        for name, view in views.items():
            page = address + view.path
            times = [median(given.visits, lambda page=page: first_view(browser, page))]
            times += (
                [median(given.visits, lambda n=name, p=page: search(browser, p, n))] if name in SEARCHES else [None]
            )
            times += (
                [median(given.visits, lambda n=name, p=page: choose_filter(browser, p, n))]
                if name in FILTERS
                else [None]
            )
            times += [
                median_of_each(given.visits, lambda n, p=page: filter_bar(browser, p, n)) if view.has_filters else None,
                median_of_each(given.visits, lambda n, p=page, name=name: drill_down(browser, p, DRILL_DOWNS[name], n))
                if name in DRILL_DOWNS
                else None,
            ]
            cells = " ".join(f"{seconds:10.2f}" if seconds else f"{'':10}" for seconds in times)
            print(f"{name:<20} {cells}", flush=True)


def published_home(customers: int) -> Path:
    """The home of a run with a simulated company; the run happens once."""
    exports, _rows = ensure_company(customers, "parquet", DEFAULT_CACHE)
    home = exports.with_name(f"{exports.name}-home")
    if not (home / "published").exists():
        run = (*PRODUCTPULSE, "run", "--data", str(exports), "--home", str(home))
        subprocess.run(run, check=True, cwd=CHECKOUT, env=default_environment(), stdout=subprocess.DEVNULL)
    return home


def median(visits: int, visit: Callable[[], float]) -> float:
    """The median of several visits, in seconds."""
    return statistics.median(visit() for _visit in range(visits))


def median_of_each(visits: int, visit: Callable[[int], float]) -> float:
    """The median of several visits, each with its own number, in seconds."""
    return statistics.median(visit(number) for number in range(visits))


def filter_bar(browser: Browser, address: str, number: int) -> float:
    """Seconds from choosing a value of the filter bar."""

    def fill_country(page: Page) -> Locator:
        page.get_by_role("button", name="Filters").click()
        return option_of(page, page.get_by_role("combobox", name="Country").first, number)

    return input_seconds(browser, address, fill_country, "country=")


def drill_down(browser: Browser, address: str, label: str | re.Pattern[str], number: int) -> float:
    """Seconds from choosing a number until the panel shows its customers; each time another number."""

    def choose(page: Page) -> Locator:
        return option_of(page, page.get_by_role("combobox", name=label).first, number)

    return input_seconds(browser, address, choose, "rows=", shows_panel)


def option_of(page: Page, box: Locator, number: int) -> Locator:
    """The box with the option of this number highlighted."""
    open_list(page, box)
    for _option in range(number + 1):
        box.press("ArrowDown")
    return box


def shows_panel(page: Page) -> None:
    """Wait until the panel has its number and its table; the page below may still be at work."""
    panel = page.get_by_role("dialog")
    panel.get_by_text(re.compile("The amounts add up to|These are the rows")).first.wait_for()
    panel.get_by_test_id("stDataFrame").first.wait_for()


def shows_all(page: Page) -> None:
    """Wait until the server sends nothing more."""
    page.wait_for_timeout(150)  # the address changes before the server starts to answer
    settled(page)


def first_view(browser: Browser, address: str) -> float:
    """Seconds until a new visitor sees the page."""
    page = browser.new_page(viewport={"width": 1440, "height": 1000})
    start = time.perf_counter()
    open_view(page, address)
    seconds = time.perf_counter() - start
    page.close()
    return seconds


def input_seconds(
    browser: Browser,
    address: str,
    prepare: Callable[[Page], Locator],
    expected: str,
    wait: Callable[[Page], None] = shows_all,
) -> float:
    """Seconds from pressing Enter until the address contains `expected` and the page shows what `wait` waits for."""
    page = browser.new_page(viewport={"width": 1440, "height": 1000})
    open_view(page, address)
    page.wait_for_timeout(PAUSE)
    box = prepare(page)
    start = time.perf_counter()
    box.press("Enter")
    page.wait_for_function(f"location.search.includes({expected!r})")
    wait(page)
    seconds = time.perf_counter() - start
    page.close()
    return seconds


def search(browser: Browser, address: str, name: str) -> float:
    """Seconds from pressing Enter in the search box."""
    label, words = SEARCHES[name]

    def fill_search(page: Page) -> Locator:
        box = page.get_by_role("textbox", name=label).first
        box.fill(words)
        return box

    return input_seconds(browser, address, fill_search, words)


def choose_filter(browser: Browser, address: str, name: str) -> float:
    """Seconds from choosing a value of a filter."""
    label, value = FILTERS[name]

    def fill_filter(page: Page) -> Locator:
        box = page.get_by_role("combobox", name=label).first
        box.click()
        box.fill(value)
        return box

    return input_seconds(browser, address, fill_filter, value.split()[0])


if __name__ == "__main__":
    main()
