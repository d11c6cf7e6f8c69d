"""Every page with every kind of home shows its content and no stack trace."""

import datetime as dt
import os
import shutil
from pathlib import Path

import duckdb
import pytest
from streamlit.testing.v1 import AppTest

from dashboard.links import VIEWS
from resources.home import Home
from rules.rule_set import SHIPPED
from tests.dashboard.conftest import APP

pytestmark = pytest.mark.slow


def faults(app):
    return [error.value for error in app.error] + [error.value for error in app.exception]


@pytest.mark.parametrize("kind", ["demo", "bare", "one customer", "hostile"])
@pytest.mark.parametrize("name", VIEWS)
def test_every_page_is_shown_for_every_home(homes, opened, kind, name):
    app = opened(homes[kind], name)
    assert faults(app) == []
    assert [title.value for title in app.title] == [VIEWS[name].title]
    assert len(app.main.children) > 2  # more than its title


@pytest.mark.parametrize("name", VIEWS)
def test_every_page_lists_absent_datasets(homes, opened, name):
    app = opened(homes["bare"], name)
    assert any("Not in the data" in box.value and "transactions" in box.value for box in app.sidebar.info)
    assert not opened(homes["demo"], name).sidebar.info


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("funnel_analysis", "product\\_usage is not in the data"),
        ("revenue_leakage", "No case of leakage was found"),
        ("executive_cockpit", "There are no targets for this period"),
        ("scenario_simulator", "which is not available"),
        ("customer_360", "Payments are not available: transactions is not in the data"),
    ],
)
def test_a_page_shows_what_is_not_available(homes, opened, name, message):
    assert any(message in box.value for box in opened(homes["bare"], name).main.info)


def test_without_a_snapshot_a_page_shows_what_to_run(monkeypatch, tmp_path):
    monkeypatch.setenv("PRODUCTPULSE_SNAPSHOT", str(Home(tmp_path).published))
    app = AppTest.from_file(str(APP)).run()
    (fault,) = faults(app)
    assert "There is no snapshot" in fault
    assert "productpulse run" in fault


def test_an_app_started_without_a_home_shows_the_command(monkeypatch):
    monkeypatch.delenv("PRODUCTPULSE_SNAPSHOT", raising=False)
    (fault,) = faults(AppTest.from_file(str(APP)).run())
    assert "productpulse dashboard" in fault


def test_a_snapshot_that_cannot_be_read_has_a_message(monkeypatch, tmp_path):
    published = Home(tmp_path).published
    published.parent.mkdir()
    published.write_bytes(b"no database" * 1000)
    monkeypatch.setenv("PRODUCTPULSE_SNAPSHOT", str(published))
    (fault,) = faults(AppTest.from_file(str(APP)).run())
    assert "cannot be read" in fault
    assert "Traceback" not in fault


def copied(home, tmp_path):
    shutil.copytree(Home(home).published.parent, tmp_path / "published")
    return tmp_path


def test_a_setting_that_cannot_be_used_has_a_message(homes, opened, monkeypatch):
    monkeypatch.setenv("PRODUCTPULSE_WAIT", "soon")
    (fault,) = faults(opened(homes["one customer"], "kpi_review"))
    assert "The wait is" in fault and "Give 0 or more" in fault


def test_a_snapshot_of_an_earlier_version_has_a_message(homes, opened, tmp_path):
    home = copied(homes["one customer"], tmp_path)
    with duckdb.connect(str(Home(home).published)) as database:
        database.execute("DROP TABLE owner_workload; DROP TABLE scenario_analysis")
    (fault,) = faults(opened(home, "scenario_simulator"))
    assert "no table scenario" in fault.replace("\\", "")
    assert "productpulse run" in fault
    assert faults(opened(home, "kpi_review")) == []


def test_a_missing_column_has_a_message_without_stack_trace(homes, opened, tmp_path):
    home = copied(homes["demo"], tmp_path)
    with duckdb.connect(str(Home(home).published)) as database:
        database.execute("ALTER TABLE intervention_plan DROP COLUMN category")
    (fault,) = faults(opened(home, "top_actions", view="Retention"))
    assert "replace it with" in fault


def aged(days: int, file: Path) -> None:
    """Set the time of a file to a number of days ago."""
    then = (dt.datetime.now() - dt.timedelta(days=days)).timestamp()
    os.utime(file, (then, then))


def test_a_stale_snapshot_has_a_warning_with_its_age(homes, opened, tmp_path):
    home = copied(homes["one customer"], tmp_path)
    assert not opened(home, "kpi_review").sidebar.warning
    for file in (Home(home).published, Home(home).inputs):
        aged(3, file)
    (warning,) = opened(home, "kpi_review").sidebar.warning
    assert "3 days old" in warning.value
    assert "productpulse run" in warning.value


def test_a_snapshot_that_a_run_found_up_to_date_is_not_stale(homes, opened, tmp_path):
    home = copied(homes["one customer"], tmp_path)
    aged(5, Home(home).published)
    aged(1, Home(home).inputs)
    sidebar = opened(home, "kpi_review").sidebar
    assert not sidebar.warning
    assert "published 5 days ago, found up to date 24 hours ago." in sidebar.caption[0].value


def test_a_new_snapshot_is_shown_without_a_restart(homes, monkeypatch, tmp_path):
    home = copied(homes["one customer"], tmp_path)
    monkeypatch.setenv("PRODUCTPULSE_SNAPSHOT", str(Home(home).published))
    app = AppTest.from_file(str(APP), default_timeout=60).run()
    before = app.metric[0].value
    shutil.copy(Home(homes["demo"]).published, tmp_path / "new")
    os.replace(tmp_path / "new", Home(home).published)
    assert app.run().metric[0].value != before


@pytest.fixture
def rules(monkeypatch, tmp_path):
    """A rules folder for the dashboard: a copy of the shipped one."""
    folder = tmp_path / "rules"
    folder.mkdir()
    for file in SHIPPED.glob("*.yaml"):
        shutil.copy(file, folder)
    monkeypatch.setenv("PRODUCTPULSE_RULES_DIR", str(folder))
    return folder


def test_bands_and_currency_are_those_of_the_rules_folder(homes, opened, rules):
    for name, before, after in (
        ("sources", "reporting_currency: USD", "reporting_currency: EUR"),
        ("churn_rules", "bands: {Critical: ", "bands: {Burning: "),
        ("churn_rules", "revenue_at_risk_bands: [Critical, ", "revenue_at_risk_bands: [Burning, "),
    ):
        text = (rules / f"{name}.yaml").read_text(encoding="utf-8")
        assert before in text
        (rules / f"{name}.yaml").write_text(text.replace(before, after), encoding="utf-8")
    assert "€" in opened(homes["demo"], "executive_cockpit").metric[0].value
    (bands,) = (box for box in opened(homes["demo"], "risk_queue").multiselect if box.label == "Risk band")
    assert bands.options[0] == "Burning"


def test_a_mistake_in_the_rules_has_a_message_until_it_is_fixed(homes, opened, rules):
    sources = rules / "sources.yaml"
    sources.write_text("time_zone: [", encoding="utf-8")
    (fault,) = faults(opened(homes["demo"], "executive_cockpit"))
    assert "is not valid YAML" in fault
    shutil.copy(SHIPPED / "sources.yaml", sources)
    assert faults(opened(homes["demo"], "executive_cockpit")) == []
