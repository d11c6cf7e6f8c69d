"""Past month ends, computed from the snapshot: those of runs with --as-of, and nothing that became known later."""

import datetime as dt
import shutil
from pathlib import Path
from types import SimpleNamespace

import duckdb
import pytest

from productpulse_assets.cli.backfill import month_of
from productpulse_assets.orchestration import backfill as past_days
from productpulse_assets.orchestration.history_partitions import day_of, history_assets, span
from productpulse_assets.orchestration.schedules import HISTORY
from resources.home import Home
from resources.settings import Settings
from tests.builders import calendar, dataset, store
from tests.errors import assert_known, raises
from tests.graph import RULES

pytestmark = pytest.mark.slow

THEN = dt.date(2025, 12, 31)
MONTHS = [*past_days.month_ends(dt.date(2025, 7, 1), dt.date(2026, 6, 1))]


def days(home, kind="risk"):
    return sorted(path.stem for path in (Home(home).history / kind).glob("*.parquet"))


def content(home, kind, day):
    """The rows of a file as text, without what tells how they were computed."""
    file = Home(home).history / kind / f"{day}.parquet"
    columns = [name for (name, *_rest) in duckdb.execute(f"DESCRIBE FROM '{file}'").fetchall() if name != "inputs_hash"]
    return duckdb.execute(f"SELECT {', '.join(columns)} FROM '{file}' ORDER BY ALL").fetchall()


@pytest.fixture(scope="module")
def filled(productpulse, good_home, tmp_path_factory):
    """A copy of the home after a run, with its last twelve months computed, and what that printed."""
    home = Path(shutil.copytree(good_home, tmp_path_factory.mktemp("filled") / "home"))
    before = Home(home).published.read_bytes()
    result = productpulse("backfill", "--home", home, "--from", "2025-07", "--to", "2026-06")
    assert result.exit_code == 0, result.output
    assert Home(home).published.read_bytes() == before
    return home, result.output


def test_a_past_day_is_that_of_a_run_as_of_it_and_the_next_run_shows_all(
    productpulse, company_exports, filled, tmp_path
):
    home, printed = filled
    assert days(home) == days(home, "kpis") == [str(day) for day in MONTHS]
    assert "Done: 11 of 12 month ends computed." in printed
    assert "2026-06-30" in printed.split("already there, recorded on the day itself")[0].splitlines()[-1]
    separate = tmp_path / "separate"
    result = productpulse("run", "--data", company_exports, "--home", separate, "--as-of", THEN)
    assert result.exit_code == 0, result.output
    assert content(home, "risk", THEN) == content(separate, "risk", THEN) != []
    values = f"SELECT metric_name, value, amount FROM '{{}}/kpis/{THEN}.parquet' ORDER BY metric_name"
    found, expected = (duckdb.execute(values.format(Home(each).history)).fetchall() for each in (home, separate))
    assert found == expected

    seen = Path(shutil.copytree(home, tmp_path / "seen"))
    result = productpulse("run", "--data", company_exports, "--home", seen)
    assert result.exit_code == 0, result.output
    with duckdb.connect(str(Home(seen).published), read_only=True) as store:
        points = store.execute("SELECT DISTINCT as_of_date FROM risk_history ORDER BY 1").fetchall()
        assert points == [(day,) for day in MONTHS]
        trend = "SELECT count(value) FROM kpi_history WHERE metric_name = 'revenue_at_risk'"
        assert store.execute(trend).fetchall() == [(12,)]
        now = (
            "SELECT value - previous_value = change, change FROM kpi_summary WHERE metric_name = 'accounts_receivable'"
        )
        is_difference, change = store.execute(now).fetchall()[0]
        assert is_difference and change != 0
        past_due = "SELECT count(leakage_unpaid_active_subscription) FROM risk_history WHERE NOT is_current"
        assert store.execute(past_due).fetchall() == [(0,)]


def test_a_day_is_computed_again_only_if_something_changed_or_is_forced(productpulse, filled, tmp_path):
    home = Path(shutil.copytree(filled[0], tmp_path / "home"))
    arguments = ("backfill", "--home", home, "--from", "2026-03", "--to", "2026-03")
    assert "already there, from the same data and rules" in productpulse(*arguments).output
    file = Home(home).history / "risk" / "2026-03-31.parquet"
    rows = content(home, "risk", "2026-03-31")
    file.write_bytes(b"PAR1 damaged")
    assert "computed in" in productpulse(*arguments).output
    assert content(home, "risk", "2026-03-31") == rows
    assert "computed in" in productpulse(*arguments, "--force").output


def test_what_is_done_stays_when_the_next_day_is_stopped(productpulse, good_home, tmp_path, monkeypatch):
    home = Path(shutil.copytree(good_home, tmp_path / "home"))
    record = past_days.record_figures

    def stop_in_april(backend, *arguments):
        if "2026-03-31" in days(home):
            raise KeyboardInterrupt
        return record(backend, *arguments)

    monkeypatch.setattr(past_days, "record_figures", stop_in_april)
    result = productpulse("backfill", "--home", home, "--from", "2026-03", "--to", "2026-05")
    assert result.exit_code == 130
    assert days(home) == ["2026-03-31", "2026-06-30"]
    assert not list(Home(home).history.rglob(".*"))


@pytest.fixture
def past(tmp_path):
    """A company whose first customer is of February 2025, as of the middle of June 2026."""
    tables = {
        "customers": dataset("customers", {"signup_date": "2025-02-03"}),
        "subscriptions": dataset("subscriptions", {"start_date": "2025-03-01"}),
        "published_calendar": calendar("2025-02-03", "2026-06-15"),
    }
    return past_days.Past(store(tables), Settings(home=str(tmp_path)), RULES, None, tmp_path)


def month(text):
    return month_of(text, "--from")


def test_without_months_the_last_twelve_complete_ones_are_computed(past):
    asked = past_days.months_asked(past, None, None)
    assert asked == past_days.month_ends(month("2025-06"), month("2026-05"))
    assert (len(asked), str(asked[-1])) == (12, "2026-05-31")
    assert [str(day) for day in past_days.months_asked(past, None, month("2025-03"))] == ["2025-02-28", "2025-03-31"]


@pytest.mark.parametrize(
    ("first", "last", "code"),
    [
        ("2026-05", "2026-03", "backfill.no_months"),
        ("2025-01", "2026-03", "backfill.before_data"),
        ("2026-05", "2026-06", "backfill.after_as_of"),
    ],
)
def test_months_that_cannot_be_computed_are_refused(past, first, last, code):
    with raises(code):
        past_days.months_asked(past, month(first), month(last))


@pytest.mark.parametrize("text", ["2026-13", "06.2026", "2026-6"])
def test_a_month_has_one_form(text):
    with raises("backfill.not_a_month"):
        month(text)


def test_without_a_run_that_ended_there_is_nothing_to_compute_from(productpulse, tmp_path):
    result = productpulse("backfill", "--home", tmp_path / "home")
    assert result.exit_code == 1
    assert_known("snapshot.unfinished", result.stderr.strip())


def test_a_snapshot_without_the_tables_of_this_version_is_refused(tmp_path, monkeypatch):
    settings = Settings(home=str(tmp_path / "home"))
    settings.home.published.parent.mkdir(parents=True)
    duckdb.connect(str(settings.home.published)).close()
    monkeypatch.setattr(past_days, "published_inputs", lambda _home: SimpleNamespace(is_demo=False))
    monkeypatch.setattr(past_days, "plan_for", lambda *_arguments: None)
    with raises("snapshot.other_columns"), past_days.open_past(settings, RULES, print):
        pass


def test_partitions_are_the_days_of_the_snapshot(good_home, tmp_path):
    assert day_of("2026-02", at_month_end=True) == dt.date(2026, 2, 28)
    assert day_of("2026-02-03", at_month_end=False) == dt.date(2026, 2, 3)
    first, end = span(Home(good_home), dt.date(2026, 12, 1))
    assert end == dt.datetime(2026, 7, 1)
    assert span(Home(good_home), dt.date(2026, 7, 2)) == (first, None)
    assert span(Home(tmp_path), dt.date(2026, 7, 2))[1] is None
    months, by_day = history_assets(Settings(home=str(good_home)), RULES)
    assert months.partitions_def.get_partition_keys()[-1] == "2026-06"
    assert by_day.partitions_def.get_partition_keys()[-1] == "2026-06-30"
    assert {months.group_names_by_key[key] for key in months.keys} == {HISTORY}
