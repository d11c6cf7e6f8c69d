"""Homes for the dashboard: the demo, a company with two datasets, one customer, and hostile names."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator
from pathlib import Path

import duckdb
import pytest
from streamlit.testing.v1 import AppTest

import dashboard
from dashboard.links import VIEWS
from dashboard.reading import Reading
from productpulse_assets.synthetic import CompanyPlan, write_company
from resources.home import Home
from resources.published_snapshot import Snapshot, version_of
from tests.dashboard.hostile import make_hostile
from tests.graph import RULES

APP = Path(dashboard.__file__).with_name("app.py")
Opened = Callable[..., AppTest]


@pytest.fixture(scope="session")
def bare_home(home_after, once, company_exports) -> Path:
    """A run in which six of the eight datasets are absent."""

    def two_files(folder: Path) -> None:
        for name in ("customers", "subscriptions"):
            shutil.copy(company_exports / f"{name}.csv", folder)

    return home_after("bare", "--data", once("bare_exports", two_files))


@pytest.fixture(scope="session")
def lone_home(home_after, once) -> Path:
    """A run with one customer."""
    plan = CompanyPlan(customers=1, months=14, seed=7)
    return home_after("lone", "--data", once("lone_exports", lambda folder: write_company(plan, folder, "csv")))


@pytest.fixture(scope="session")
def hostile_home(home_after, once, company_exports) -> Path:
    """A run with exports whose names contain markup, scripts and formulas, and with a rejected row."""

    def hostile_files(folder: Path) -> None:
        shutil.copytree(company_exports, folder, dirs_exist_ok=True)
        make_hostile(folder)
        with (folder / "transactions.csv").open("a", encoding="utf-8") as file:
            file.write('T-evil,C-000001,S-000001-01,"<script>window.hacked = 9</script>",USD,Success,2026-06-01,card\n')

    return home_after("hostile", "--data", once("hostile_exports", hostile_files))


@pytest.fixture(scope="session")
def homes(demo_home, bare_home, lone_home, hostile_home) -> dict[str, Path]:
    """The homes by kind."""
    return {"demo": demo_home, "bare": bare_home, "one customer": lone_home, "hostile": hostile_home}


@pytest.fixture
def opened(monkeypatch) -> Opened:
    """Opens a page for a home's snapshot; `state` are the parameters of its address."""

    def open_page(home: Path, name: str, **state: object) -> AppTest:
        monkeypatch.setenv("PRODUCTPULSE_SNAPSHOT", str(Home(home).published))
        app = AppTest.from_file(str(APP), default_timeout=60).run()
        for key, value in state.items():
            app.query_params[key] = value
        return app.switch_page(VIEWS[name].file).run()

    return open_page


@pytest.fixture(scope="session")
def demo_sql(demo_home) -> Iterator[duckdb.DuckDBPyConnection]:
    """The demo's snapshot, for plain SQL."""
    database = duckdb.connect(str(Home(demo_home).published), read_only=True)
    yield database
    database.close()


@pytest.fixture(scope="session")
def reading(demo_home) -> Reading:
    """The demo's snapshot as the pages read it."""
    return Reading(Snapshot(version_of(Home(demo_home).published)), RULES)
