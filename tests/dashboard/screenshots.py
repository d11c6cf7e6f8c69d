"""Takes the screenshots of the demo for the documents: `make screenshots`."""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
from pathlib import Path
from urllib.parse import quote

from playwright.sync_api import Browser

from tests.dashboard.browser import CHROMIUM, chromium, open_view, serving, waiting_for

FOLDER = Path(__file__).parents[2] / "dashboard" / "screenshots"
WIDTH = 1400
OPEN_GROUPS = ("risk",)
"""Groups of the asset graph that are expanded; each other group is one box."""

VIEWS = {
    "executive_cockpit": ("/", 1900, "light"),
    "top_actions": ("/top_actions?view=Critical+%26+High", 1000, "light"),
    "customer_360": ("/customer_360?customer=C-000567", 1150, "light"),
    "outlook": ("/outlook?stay_by=plan", 1400, "light"),
    "cohort_retention": ("/cohort_retention", 1000, "light"),
    "scenario_simulator": ("/scenario_simulator?churn_reduction=25", 1000, "dark"),
}
"""By file name: the address, the height in pixels, and light or dark."""


def main() -> None:
    """Run the demo in a temporary folder, and take every screenshot."""
    if CHROMIUM is None:
        sys.exit("Chromium is not installed. On Debian: apt-get install chromium")
    FOLDER.mkdir(exist_ok=True)
    with tempfile.TemporaryDirectory() as folder:
        home = Path(folder)
        subprocess.run([sys.executable, "-m", "productpulse_assets.cli", "run", "--home", folder], check=True)
        with chromium() as browser:
            with serving(home) as address:
                for name, (view, height, scheme) in VIEWS.items():
                    dashboard(browser, address + view, FOLDER / f"{name}.png", height, scheme)
            graph(browser, home, FOLDER / "asset_graph.png")


def dashboard(browser: Browser, address: str, target: Path, height: int, scheme: str) -> None:
    """Take a screenshot of one page of the dashboard."""
    page = browser.new_page(viewport={"width": WIDTH, "height": height}, color_scheme=scheme)
    open_view(page, address)
    page.wait_for_timeout(2000)  # charts are drawn after the page has settled
    page.screenshot(path=target)
    page.close()
    print(target)


def graph(browser: Browser, home: Path, target: Path) -> None:
    """Take a screenshot of Dagster's asset graph, as `productpulse dev` shows it after a run."""
    port = "3917"
    command = [sys.executable, "-m", "productpulse_assets.cli", "dev", "--home", str(home), "--port", port]
    server = subprocess.Popen(command, env=os.environ.copy(), stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        waiting_for(f"http://127.0.0.1:{port}/server_info", server)
        page = browser.new_page(viewport={"width": 1800, "height": 1100})
        shown = quote(",".join(f"global@global:{group}" for group in OPEN_GROUPS))
        page.goto(f"http://127.0.0.1:{port}/asset-groups?expanded={shown}")
        page.get_by_role("button", name="Materialize all").wait_for(timeout=90_000)
        page.wait_for_timeout(8000)  # the graph lays itself out, then fetches the state of each asset
        page.screenshot(path=target)
        page.close()
        print(target)
    finally:
        server.terminate()
        server.wait(timeout=30)


if __name__ == "__main__":
    main()
