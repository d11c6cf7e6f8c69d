"""What a page of another site can do in the browser of somebody who runs the program: nothing."""

from __future__ import annotations

import functools
import http.server
import json
import shutil
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import quote, urlsplit

import pytest
from playwright.sync_api import Browser, Page, Request, expect

from tests.dashboard.browser import CHROMIUM, chromium, open_view, serving
from tests.operations.services import ask, eventually, running_services

JOB = "productpulse/jobs/validate_sources"
LAUNCH = """mutation { launchRun(executionParams: {selector: {repositoryLocationName: "productpulse",
    repositoryName: "__repository__", jobName: "validate_sources"}, runConfigData: {}}) { __typename } }"""
RUNS = "{ runsOrError { ... on Runs { results { runId status } } } }"
FOREIGN = ("evil.example", "127.0.0.1")
"""Names under which the other site is open: one of its own, and this machine's, at another port (same-site)."""

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(CHROMIUM is None, reason="needs Chromium (on Debian: apt-get install chromium)"),
]


@pytest.fixture(scope="module")
def place(good_run, good_home, tmp_path_factory) -> Path:
    """A home after a good run."""
    return Path(shutil.copytree(good_home, tmp_path_factory.mktemp("asked") / "home"))


@pytest.fixture(scope="module")
def ui(place, company_exports, tmp_path_factory) -> Iterator[str]:
    """Dagster's UI as `productpulse dev` shows it."""
    log = tmp_path_factory.mktemp("log") / "dev.log"
    with running_services(place, log, DATA_DIR=company_exports, SCHEDULE="0 0 1 1 *") as address:
        yield address


@pytest.fixture(scope="module")
def dashboard(place) -> Iterator[str]:
    with serving(place) as address:
        yield address


@pytest.fixture(scope="module")
def foreign(tmp_path_factory) -> Iterator[int]:
    """The port of another site, whose pages are empty."""
    folder = tmp_path_factory.mktemp("foreign")
    (folder / "index.html").write_text("<!doctype html><title>another site</title>")
    handler = functools.partial(http.server.SimpleHTTPRequestHandler, directory=folder)
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield server.server_port
        server.shutdown()


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    """A browser for which evil.example is this machine, as DNS rebinding makes it."""
    with chromium("--host-resolver-rules=MAP evil.example 127.0.0.1") as found:
        yield found


@pytest.fixture
def page(browser) -> Iterator[Page]:
    context = browser.new_context(viewport={"width": 1400, "height": 900})
    context.set_default_timeout(60_000)
    yield context.new_page()
    context.close()


@pytest.fixture(params=FOREIGN)
def evil(request, page, foreign) -> Page:
    """A page of another site."""
    page.goto(f"http://{request.param}:{foreign}/")
    return page


def runs(address: str) -> list[dict]:
    return ask(address, RUNS)["runsOrError"]["results"]


def answer(page: Page, address: str, script: str, *given: object) -> int | None:
    """The status of what a script of the page asks for; None where the browser itself keeps it from the page."""
    ended: list[Request] = []
    for event in ("requestfinished", "requestfailed"):
        page.on(event, lambda request: ended.append(request) if request.url.startswith(address) else None)
    page.evaluate(script, list(given))
    until = time.monotonic() + 30
    while not ended and time.monotonic() < until:
        page.wait_for_timeout(50)
    assert ended, "The browser did not ask."
    response = ended[0].response()
    return response.status if response else None


FORM = """([url]) => { const form = Object.assign(document.createElement('form'), {method: 'POST', action: url});
    document.body.append(form); form.submit() }"""
POSTED = """([url, body, type]) => {
    fetch(url, {method: 'POST', mode: 'no-cors', body, headers: {'Content-Type': type}}).catch(() => 0) }"""
IMAGE = "([url]) => { new Image().src = url }"
FETCHED = "([url]) => { fetch(url, {mode: 'no-cors'}).catch(() => 0) }"
OPENED = "([url]) => { location = url }"
FRAMED = "([url]) => { document.body.append(Object.assign(document.createElement('iframe'), {src: url})) }"
SOCKET = """([url, protocol]) => new Promise(done => {
    const socket = protocol ? new WebSocket(url, protocol) : new WebSocket(url)
    socket.onopen = () => done('open'); socket.onerror = () => done('refused') })"""
WAYS = {"form": FORM, "text/plain": POSTED, "image": IMAGE, "fetch": FETCHED, "link": OPENED, "frame": FRAMED}
"""How a page makes the browser ask."""

REFUSED = (403, None)
"""Chromium itself keeps the answer from the page where an image is asked for and a text is found."""


# --- Dagster's UI --------------------------------------------------------------------------------


@pytest.mark.parametrize("way", WAYS)
def test_no_mutation_in_an_address_is_carried_out(evil, ui, way):
    before = runs(ui)
    assert answer(evil, ui, WAYS[way], f"{ui}/graphql?query={quote(LAUNCH)}", "", "text/plain") in REFUSED
    assert runs(ui) == before


def test_no_mutation_in_a_body_is_carried_out(evil, ui):
    before = runs(ui)
    body = json.dumps({"query": LAUNCH})
    assert answer(evil, ui, POSTED, f"{ui}/graphql", body, "text/plain") == 403
    assert runs(ui) == before


def test_a_mutation_in_an_address_is_not_carried_out_for_our_own_page_either(page, ui):
    before = runs(ui)
    page.goto(f"{ui}/runs")
    assert answer(page, f"{ui}/graphql?query", FETCHED, f"{ui}/graphql?query={quote(LAUNCH)}") == 403
    assert runs(ui) == before


def test_no_websocket_of_another_site_is_opened(evil, ui):
    address = ui.replace("http:", "ws:")
    assert evil.evaluate(SOCKET, [f"{address}/graphql", "graphql-ws"]) == "refused"


def test_a_rebound_name_is_refused(page, ui):
    before = runs(ui)
    rebound = ui.replace("127.0.0.1", "evil.example")
    assert page.goto(f"{rebound}/runs").status == 403
    body = json.dumps({"query": LAUNCH})
    assert answer(page, rebound, POSTED, f"{rebound}/graphql", body, "application/json") == 403
    socket = rebound.replace("http:", "ws:")
    assert page.evaluate(SOCKET, [f"{socket}/graphql", "graphql-ws"]) == "refused"
    assert runs(ui) == before


@pytest.mark.parametrize("name", ["127.0.0.1", "localhost"])
def test_its_own_pages_launch_a_run_and_follow_it(page, ui, name):
    heard: list[str] = []
    page.on("websocket", lambda socket: socket.on("framereceived", lambda text: heard.append(str(text))))
    before = {run["runId"] for run in runs(ui)}
    address = ui.replace("127.0.0.1", name)
    page.goto(f"{address}/locations/{JOB}")
    page.get_by_role("button", name="Materialize all").click()
    run = eventually(lambda: [run["runId"] for run in runs(ui) if run["runId"] not in before], 240)[0]
    page.goto(f"{address}/runs/{run}")
    expect(page.get_by_text("RUN_SUCCESS").first).to_be_visible(timeout=300_000)
    assert any("RunSuccessEvent" in text for text in heard)


def test_a_link_from_another_site_opens_the_page(evil, ui):
    assert answer(evil, f"{ui}/runs", OPENED, f"{ui}/runs") == 200


# --- the dashboard -------------------------------------------------------------------------------


@pytest.mark.parametrize("way", sorted(set(WAYS) - {"link"}))
def test_another_site_reads_nothing_from_the_dashboard(evil, dashboard, way):
    assert answer(evil, dashboard, WAYS[way], f"{dashboard}/", "", "text/plain") in REFUSED


def test_the_dashboards_websocket_is_not_opened_for_another_site(evil, dashboard):
    address = dashboard.replace("http:", "ws:")
    assert evil.evaluate(SOCKET, [f"{address}/_stcore/stream", "streamlit"]) == "refused"


def test_the_dashboard_is_not_shown_under_a_rebound_name(page, dashboard):
    rebound = dashboard.replace("127.0.0.1", "evil.example")
    assert page.goto(rebound).status == 403
    socket = rebound.replace("http:", "ws:")
    assert page.evaluate(SOCKET, [f"{socket}/_stcore/stream", "streamlit"]) == "refused"


@pytest.mark.parametrize("name", ["127.0.0.1", "localhost"])
def test_the_dashboards_own_pages_work(page, dashboard, name):
    open_view(page, dashboard.replace("127.0.0.1", name))
    assert page.locator("h1").first.inner_text()


# --- frames --------------------------------------------------------------------------------------


def test_no_page_of_either_can_be_framed(page, ui, dashboard):
    for address in (f"{ui}/runs", f"{ui}/graphql", f"{ui}/server_info", f"{dashboard}/", f"{dashboard}/top_actions"):
        headers = page.goto(address).headers_array()
        policies = [each["value"] for each in headers if each["name"].lower() == "content-security-policy"]
        assert "frame-ancestors 'none'" in policies, urlsplit(address).path
        assert {"name": "x-frame-options", "value": "DENY"} in headers
