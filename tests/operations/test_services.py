"""The program left running by itself: the schedule's hour comes, and a file is dropped into the folder."""

from __future__ import annotations

import datetime as dt
import os
import re
import shutil
import signal
from collections.abc import Iterator
from pathlib import Path

import duckdb
import pytest
from playwright.sync_api import Page, expect

from resources.home import Home
from resources.run_lock import AT_WORK
from tests.dashboard.browser import CHROMIUM, chromium
from tests.operations.services import ended, eventually, running_services, runs_because

RULES = Path(__file__).parents[2] / "rules"
LOCATION = "productpulse"
PATIENCE = 540
"""Seconds within which a run begins and ends, on a machine that has other things to do."""
STARTS_WITHIN = 20
"""Seconds that the program needs before its schedule is watched; a second chance comes five minutes later."""

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(CHROMIUM is None, reason="needs Chromium (on Debian: apt-get install chromium)"),
]


@pytest.fixture(scope="module")
def exports(company_exports, tmp_path_factory) -> Path:
    """The folder into which other systems put the company's files."""
    return Path(shutil.copytree(company_exports, tmp_path_factory.mktemp("dropped") / "exports"))


@pytest.fixture(scope="module")
def place(good_run, good_home, tmp_path_factory) -> Home:
    """A home after yesterday's run over the same files."""
    return Home(Path(shutil.copytree(good_home, tmp_path_factory.mktemp("left") / "home")))


@pytest.fixture(scope="module")
def rules(tmp_path_factory) -> Path:
    """Rules that somebody changed since: no file is new, but the answer is another one."""
    folder = tmp_path_factory.mktemp("rules")
    for path in RULES.glob("*.yaml"):
        shutil.copy(path, folder)
    catalog = folder / "metric_catalog.yaml"
    text = catalog.read_text(encoding="utf-8")
    assert "label: MRR\n" in text
    catalog.write_text(text.replace("label: MRR\n", "label: Recurring revenue\n"), encoding="utf-8")
    return folder


def next_minutes() -> str:
    """A cron expression for the next minute, with a second chance for a machine that starts slowly."""
    first = dt.datetime.now(dt.UTC) + dt.timedelta(seconds=60 + STARTS_WITHIN)
    minutes = sorted({first.minute, (first.minute + 5) % 60})
    return f"{','.join(map(str, minutes))} * * * *"


@pytest.fixture(scope="module")
def address(place, exports, rules, tmp_path_factory) -> Iterator[str]:
    """Dagster's page of the program that was left running, with the schedule's time moved to the next minute."""
    log = tmp_path_factory.mktemp("log") / "dev.log"
    with running_services(place.root, log, DATA_DIR=exports, RULES_DIR=rules, SCHEDULE=next_minutes()) as address:
        yield address


@pytest.fixture(scope="module")
def page() -> Iterator[Page]:
    with chromium() as browser:
        page = browser.new_page(viewport={"width": 1400, "height": 900})
        page.set_default_timeout(60_000)
        yield page


def answer(place: Home, question: str) -> object:
    """One value of the published snapshot."""
    with duckdb.connect(str(place.published), read_only=True) as snapshot:
        return snapshot.execute(question).fetchone()[0]


def see_run(page: Page, address: str, run_id: str, launched_by: str, tag: str) -> None:
    """The run is in the list of runs, with what started it and that it went well."""
    page.goto(f"{address}/runs")
    link = page.get_by_role("link", name=f"run {run_id[:8]}")
    row = link.locator("xpath=ancestor::div[.//a[normalize-space() = 'View']][1]")
    expect(row).to_contain_text("Success", timeout=60_000)
    expect(row).to_contain_text(launched_by)
    expect(row).to_contain_text(tag)


def test_when_its_minute_comes_the_schedule_runs_everything(address, page, place):
    name = "SELECT label FROM kpi_summary WHERE metric_name = 'monthly_recurring_revenue'"
    assert answer(place, name) == "MRR"
    run = eventually(lambda: ended(address, "the schedule"), PATIENCE)
    assert (run["status"], run["jobName"]) == ("SUCCESS", "daily_refresh")
    assert answer(place, name) == "Recurring revenue"
    assert "Recurring revenue" in (place.reports / "executive_summary.md").read_text(encoding="utf-8")
    see_run(page, address, run["runId"], "daily_refresh", "productpulse/started_because: the schedule")
    page.goto(f"{address}/locations/{LOCATION}/schedules/daily_refresh")
    expect(page.get_by_role("row").filter(has_text=run["runId"][:8])).to_contain_text("1 run requested")


def test_a_file_that_is_dropped_into_the_folder_starts_a_run(address, page, place, exports):
    scores = "SELECT count(*) FROM nps_scores"
    before = answer(place, scores)
    with (exports / "nps_scores.csv").open("a", encoding="utf-8") as file:
        file.write("N-new,C-000001,2026-06-30,9,Price\n")
    run = eventually(lambda: ended(address, "new files: nps_scores"), PATIENCE)
    assert run["status"] == "SUCCESS"
    assert answer(place, scores) == before + 1
    see_run(page, address, run["runId"], "new_files", "productpulse/started_because: new files: nps_scores")
    page.goto(f"{address}/locations/{LOCATION}/sensors/new_files")
    expect(page.get_by_role("row").filter(has_text=run["runId"][:8])).to_contain_text("1 run requested")


def test_a_file_whose_run_is_killed_is_run_again(address, place, exports):
    scores = "SELECT count(*) FROM nps_scores"
    before = answer(place, scores)
    with (exports / "nps_scores.csv").open("a", encoding="utf-8") as file:
        file.write("N-newer,C-000001,2026-06-30,9,Price\n")
    first = eventually(lambda: under_way(address, "new files: nps_scores"), PATIENCE)
    os.kill(worker(place), signal.SIGKILL)
    run = eventually(lambda: ended(address, f"new files, whose run {first['runId'][:8]} ended early"), PATIENCE)
    assert run["status"] == "SUCCESS"
    assert answer(place, scores) == before + 1


def under_way(address: str, reason: str) -> dict | None:
    """The run that was started for a reason and has its turn."""
    return next(
        (
            run
            for run in runs_because(address, reason)
            if run["status"] == "STARTED" and any(tag["key"] == AT_WORK for tag in run["tags"])
        ),
        None,
    )


def worker(place: Home) -> int:
    """The process of the run that has its turn, as its lock says."""
    return int(re.match(r"process (\d+),", place.run_lock.read_text(encoding="utf-8"))[1])


def test_what_it_published_is_fresh(address, page):
    page.goto(f"{address}/assets/published_snapshot?view=overview")
    expect(page.get_by_text("Freshness policy").first).to_be_visible()
    expect(page.get_by_text("Passing", exact=True).first).to_be_visible()
