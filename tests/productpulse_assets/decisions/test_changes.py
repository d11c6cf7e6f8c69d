"""Two plans, a day apart: what is new, what is still open, what is gone."""

import datetime as dt
import shutil
from decimal import Decimal
from pathlib import Path
from types import SimpleNamespace

import ibis
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from productpulse_assets.decisions.changes import FIRST_DAY, OPEN_DECISION, decision_changes, open_decisions
from productpulse_assets.reports.changes import summarize_changes
from resources.decision_history import DECISIONS, previous_date, read_day, write_day
from resources.tables import rows_of, table_of
from tests.builders import calendar, rows
from tests.errors import raises

pytestmark = pytest.mark.slow

PLAN = OPEN_DECISION | {"priority_rank": "int64"}
TODAY, YESTERDAY = dt.date(2026, 6, 30), dt.date(2026, 6, 29)
COLUMNS = ("intervention_id", "change", "recurring_value", "previous_recurring_value", "priority_rank")


def intervention(name: str, impact: int, rank: int | None = None, **about: object) -> dict[str, object]:
    return {
        "intervention_id": name, "customer_id": f"C-{name}", "recommendation_title": f"Call {name}",
        "category": "Retention", "suggested_owner": "Ann", "monthly_revenue": Decimal(impact) / 10, "recurring_value": Decimal(impact), "one_off_cash": Decimal(impact % 10),
        "priority_band": "High", "scheduled_week": "2026-07-06", "priority_rank": rank,
    } | about  # fmt: skip


def plan(*interventions: dict) -> ibis.Table:
    return table_of([row | {"as_of_date": TODAY} for row in interventions], ibis.schema(PLAN))


def before(*interventions: dict) -> ibis.Table:
    return table_of(
        [{name: row.get(name) for name in OPEN_DECISION} | {"as_of_date": YESTERDAY} for row in interventions],
        OPEN_DECISION,
    )


def changes(now: ibis.Table, earlier: ibis.Table) -> ibis.Table:
    days = calendar("2026-06-01", "2026-06-30")
    return decision_changes(now.drop("as_of_date"), earlier, days)


def test_new_still_open_and_gone():
    table = changes(
        plan(intervention("A", 100, rank=1), intervention("B", 50, rank=2)),
        before(intervention("B", 70, priority_band="Critical"), intervention("C", 30)),
    )
    assert rows(table, *COLUMNS) == [
        ("A", "New", 100, None, 1),
        ("B", "Still open", 50, 70, 2),
        ("C", "Gone", None, 30, None),
    ]
    assert rows(table, "intervention_id", "previous_priority_band", "recommendation_title")[1:] == [
        ("B", "Critical", "Call B"),
        ("C", "High", "Call C"),
    ]
    assert set(rows(table, "previous_as_of_date", "as_of_date")) == {("2026-06-29", "2026-06-30")}


def test_without_an_earlier_date_nothing_is_new():
    table = changes(plan(intervention("A", 100, rank=1)), before())
    assert rows(table, "intervention_id", "change", "previous_as_of_date", "not_available_reason") == [
        ("A", None, None, FIRST_DAY)
    ]


def test_after_a_day_without_interventions_everything_is_new():
    nothing = table_of([dict.fromkeys(OPEN_DECISION) | {"as_of_date": YESTERDAY}], OPEN_DECISION)
    assert rows(changes(plan(intervention("A", 100, rank=1)), nothing), *COLUMNS) == [("A", "New", 100, None, 1)]


def test_the_paragraph_counts_and_names_the_largest():
    table = changes(
        plan(*(intervention(name, impact, rank=1) for name, impact in zip("ABCDE", (10, 40, 20, 30, 5), strict=True))),
        before(intervention("E", 8), intervention("F", 9)),
    )
    customers = table_of(
        [{"customer_id": "C-B", "company_name": "Bell"}],
        ibis.schema({"customer_id": "string", "company_name": "string"}),
    )
    summary = summarize_changes(table, customers)
    assert summary.since == YESTERDAY
    assert summary.count == {"New": 4, "Still open": 1, "Gone": 1}
    assert {change: (row["recurring_value"], row["one_off_cash"]) for change, row in summary.money.items()} == {"New": (100, 0), "Still open": (5, 5), "Gone": (9, 9)}  # fmt: skip
    assert [row["recommendation_title"] for row in summary.new] == ["Call B", "Call D", "Call C"]
    assert [row["company_name"] for row in summary.new] == ["Bell", None, None]
    assert [row["recommendation_title"] for row in summary.gone] == ["Call F"]


# --- the files -----------------------------------------------------------------------------------


def test_a_day_is_kept_and_read_back_and_the_newest_before_is_found(tmp_path):
    days = calendar("2026-06-01", "2026-06-30")
    now = open_decisions(plan(intervention("B", 50), intervention("A", 100)).drop("as_of_date"), days)
    backend = ibis.duckdb.connect()
    for day in ("2026-06-01", "2026-06-15", "2026-07-01"):
        write_day(
            backend.create_table(f"t{day[-2:]}{day[5:7]}", now.to_pyarrow()),
            tmp_path,
            DECISIONS,
            dt.date.fromisoformat(day),
        )
    (tmp_path / DECISIONS / "notes.parquet").write_bytes(b"somebody's own")
    assert previous_date(tmp_path, DECISIONS, TODAY) == dt.date(2026, 6, 15)
    assert previous_date(tmp_path, DECISIONS, dt.date(2026, 6, 1)) is None
    read = read_day(tmp_path, DECISIONS, dt.date(2026, 6, 15), OPEN_DECISION)
    assert read.column("intervention_id").to_pylist() == ["A", "B"]
    assert read.column("as_of_date").to_pylist() == [TODAY, TODAY]
    assert str(read.schema.field("recurring_value").type) == "decimal128(18, 2)"


def test_a_damaged_day_is_said_and_what_to_do(tmp_path):
    file = tmp_path / DECISIONS / "2026-06-29.parquet"
    file.parent.mkdir()
    file.write_bytes(b"PAR1 no more")
    with raises("history.damaged_file") as caught:
        read_day(tmp_path, DECISIONS, YESTERDAY, OPEN_DECISION)
    assert caught.value.details == {"file": file}


def test_a_day_of_another_version_is_read_by_its_columns_names(tmp_path):
    file = tmp_path / DECISIONS / "2026-06-29.parquet"
    file.parent.mkdir()
    pq.write_table(pa.table({"a_later_idea": [7], "recurring_value": [100], "intervention_id": ["A"]}), file)
    read = read_day(tmp_path, DECISIONS, YESTERDAY, OPEN_DECISION)
    known = {"intervention_id": "A", "recurring_value": 100}
    assert read.to_pylist() == [dict.fromkeys(OPEN_DECISION) | known]


@pytest.fixture(scope="module")
def two_days(productpulse, company_exports, tmp_path_factory):
    """A home in which the same exports were looked at on two days, and what the second run printed."""
    home = tmp_path_factory.mktemp("two-days")
    for day in ("2026-05-31", "2026-06-30"):
        result = productpulse("run", "--data", company_exports, "--home", home, "--as-of", day)
        assert result.exit_code == 0, result.output
    return SimpleNamespace(root=home, history=home / "published" / "history")


def test_each_run_adds_its_day_and_leaves_the_others(two_days, productpulse, company_exports):
    files = sorted(str(path.relative_to(two_days.history)) for path in two_days.history.rglob("*.*"))
    assert files == [
        "decisions/2026-05-31.parquet", "decisions/2026-06-30.parquet",
        "kpis/2026-05-31.parquet", "kpis/2026-06-30.parquet",
        "risk/2026-05-31.parquet", "risk/2026-06-30.parquet",
    ]  # fmt: skip
    store = ibis.duckdb.connect(two_days.root / "published" / "productpulse.duckdb", read_only=True)
    mrr = store.table("kpi_summary").filter(ibis._.metric_name == "monthly_recurring_revenue").amount.max().execute()
    kpis = ibis.duckdb.connect().read_parquet(two_days.history / "kpis" / "*.parquet")
    by_day = {
        row["as_of_date"]: row["amount"]
        for row in rows_of(kpis.filter(kpis.metric_name == "monthly_recurring_revenue"))
    }
    assert set(by_day) == {dt.date(2026, 5, 31), TODAY}
    assert by_day[TODAY] == mrr != by_day[dt.date(2026, 5, 31)]


def test_the_changes_are_those_between_the_two_plans(two_days):
    day = {
        name: set(
            read_day(two_days.history, DECISIONS, dt.date.fromisoformat(name), OPEN_DECISION)
            .column("intervention_id")
            .to_pylist()
        )
        for name in ("2026-05-31", "2026-06-30")
    }
    store = ibis.duckdb.connect(two_days.root / "published" / "productpulse.duckdb", read_only=True)
    found = {kind: {row["intervention_id"] for row in rows_of(store.table("decision_changes").filter(ibis._.change == kind))} for kind in ("New", "Still open", "Gone")}  # fmt: skip
    assert found == {
        "New": day["2026-06-30"] - day["2026-05-31"],
        "Still open": day["2026-06-30"] & day["2026-05-31"],
        "Gone": day["2026-05-31"] - day["2026-06-30"],
    }
    assert all(found.values())
    said = (two_days.root / "reports" / "executive_summary.md").read_text()
    assert f"Since 2026-05-31: {len(found['New'])} interventions are new" in said
    assert f"{len(found['Still open'])} still open" in said
    assert f"{len(found['Gone'])} gone" in said


@pytest.mark.parametrize("change", ["a column more", "a column fewer", "no ids"])
def test_a_history_of_another_version_stops_no_run(two_days, productpulse, company_exports, tmp_path, change):
    home = Path(shutil.copytree(two_days.root, tmp_path / "home"))
    file = home / "published" / "history" / "decisions" / "2026-05-31.parquet"
    plan_before = pq.read_table(file)
    if change == "a column more":
        plan_before = plan_before.append_column("a_later_idea", pa.array(range(plan_before.num_rows)))
    else:
        lacking = ["intervention_id"] if change == "no ids" else ["as_of_date", "suggested_owner"]
        plan_before = plan_before.drop_columns(lacking)
    value = plan_before.column("recurring_value").cast(pa.float64())
    plan_before = plan_before.drop_columns(["recurring_value"]).append_column("recurring_value", value)
    pq.write_table(plan_before, file)
    result = productpulse("run", "--data", company_exports, "--home", home, "--as-of", "2026-06-30", "--force")
    assert result.exit_code == 0, result.output
    stores = [ibis.duckdb.connect(each / "published" / "productpulse.duckdb", read_only=True) for each in (home, two_days.root)]  # fmt: skip
    now, as_it_was = (
        rows(
            store.table("decision_changes"),
            "intervention_id",
            "change",
            "previous_as_of_date",
            "previous_recurring_value",
        )
        for store in stores
    )
    if change == "no ids":
        assert {kind for _id, kind, *_rest in now} == {None}
    else:
        assert now == as_it_was
