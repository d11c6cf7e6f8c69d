"""Past month ends, computed from the snapshot: those of runs with --as-of, and nothing that became known later."""

import datetime as dt
import shutil
from pathlib import Path

import duckdb
import pytest

from productpulse_assets.orchestration import backfill as past_days
from productpulse_assets.orchestration.history_partitions import day_of, history_assets, span
from productpulse_assets.orchestration.schedules import HISTORY
from resources.home import Home
from resources.settings import Settings
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


@pytest.mark.parametrize(
    ("months", "sentence"),
    [
        (("--from", "2026-13"), "--from is '2026-13', which is not a month."),
        (("--to", "06.2026"), "--to is '06.2026', which is not a month."),
        (("--from", "2026-05", "--to", "2026-03"), "There is no month from 2026-05 to 2026-03."),
        (("--from", "1999-12", "--to", "2026-03"), "There was no customer by 1999-12-31"),
        (("--to", "2026-07"), "2026-07-31 is after 2026-06-30, the as-of date of the published snapshot."),
    ],
)
def test_months_that_cannot_be_computed_are_refused(productpulse, good_home, tmp_path, months, sentence):
    home = Path(shutil.copytree(good_home, tmp_path / "home"))
    result = productpulse("backfill", "--home", home, *months)
    assert (result.exit_code, sentence in result.stderr) == (2, True), result.output
    assert days(home) == ["2026-06-30"]


def test_without_a_run_that_ended_there_is_nothing_to_compute_from(productpulse, tmp_path):
    result = productpulse("backfill", "--home", tmp_path / "home")
    assert result.exit_code == 1
    assert "run `productpulse run` first" in result.stderr


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
