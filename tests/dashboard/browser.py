"""A dashboard server for tests, and headless Chromium."""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from playwright.sync_api import Browser, Locator, Page, TimeoutError, sync_playwright

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
PATIENCE = 60_000
QUIET = (
    "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking",
    "--disable-component-update", "--disable-sync",
)  # fmt: skip
"""Options that stop the browser's own network requests; `--no-sandbox` lets it run as root."""


@contextmanager
def serving(home: Path) -> Iterator[str]:
    """Run `productpulse dashboard` for a home, and give its address."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    command = [sys.executable, "-m", "productpulse_assets.cli", "dashboard", "--home", str(home), "--port", str(port)]
    clean = {name: value for name, value in os.environ.items() if not name.startswith("PRODUCTPULSE_")}
    server = subprocess.Popen(command, env=clean, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    address = f"http://127.0.0.1:{port}"
    try:
        waiting_for(f"{address}/_stcore/health", server)
        yield address
    finally:
        server.terminate()
        server.wait(timeout=20)


def waiting_for(url: str, server: subprocess.Popen) -> None:
    """Wait until the server answers; raises RuntimeError if it ends or does not answer within four minutes.

    A first start compiles the graph, and other tests use the machine too.
    """
    until = time.monotonic() + 240
    while time.monotonic() < until:
        if server.poll() is not None:
            raise RuntimeError(f"The server ended with status {server.returncode}.")
        try:
            urllib.request.urlopen(url, timeout=5)
            return
        except (urllib.error.URLError, OSError):
            time.sleep(0.25)
    raise RuntimeError(f"{url} does not answer.")


@contextmanager
def chromium(*options: str) -> Iterator[Browser]:
    """The installed Chromium, started with command-line options."""
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=[*QUIET, *options])
        try:
            yield browser
        finally:
            browser.close()


def settled(page: Page) -> None:
    """Wait until the page has its title and the server has finished the page."""
    page.locator("h1").first.wait_for(timeout=PATIENCE)
    page.wait_for_function(
        "document.querySelector('[data-testid=stApp]')?.dataset.testScriptState !== 'running'"
        " && !document.querySelector('[data-stale=true]')",
        timeout=PATIENCE,
    )


def open_list(page: Page, box: Locator) -> None:
    """Open the list of a select box; it closes again while the page scrolls to it, as it does after a first click."""
    box.scroll_into_view_if_needed()
    for _attempt in range(10):
        box.click()
        try:
            page.get_by_role("option").first.wait_for(timeout=2000)
        except TimeoutError:
            continue
        return
    raise RuntimeError("The list does not open.")


def open_view(page: Page, address: str) -> None:
    """Open an address and wait until its page is complete."""
    page.goto(address)
    settled(page)
