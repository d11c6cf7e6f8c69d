"""Small companies whose exports are unusual: their rows are read as a run reads them, and what is known is checked.

Each folder has the exports of one company.
"""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass, replace
from pathlib import Path

import duckdb
import ibis
import ibis.expr.types as ir
import pytest

from asset_checks.as_of import as_of_results
from asset_checks.contracts import CONTRACTS, DATASETS
from asset_checks.events import DATED, NewestEvent, newest_event
from asset_checks.periods import ended_results, period_results
from asset_checks.reconciliation import reconciliation_result
from asset_checks.target_values import percent_targets
from asset_checks.validation_gate import gate_results
from productpulse_assets.metrics.data_quality import data_quality_scores
from productpulse_assets.sources.assets import split
from productpulse_assets.sources.inventory import SCHEMA as INVENTORY
from productpulse_assets.sources.location import locate
from productpulse_assets.sources.staging import Parent
from resources.duckdb_connection import FileAccess, set_up
from resources.settings import Settings
from resources.tables import table_of
from resources.warehouse import fill
from rules.models import DatasetSource, Sources
from rules.today import company_today
from tests.builders import calendar, rows, stored
from tests.graph import RULES, empty, with_mrr
from tests.productpulse_assets.facts.test_coverage import queries

pytestmark = pytest.mark.slow

FOLDER = Path(__file__).parent
TODAY = dt.date(2026, 11, 26)


@dataclass(frozen=True)
class Company:
    """The datasets of a case, their rejects, and their numbers of rows in the files."""

    tables: dict[str, ir.Table]
    rejects: dict[str, ir.Table]
    rows_in: dict[str, int]

    def reasons(self, dataset: str) -> list[tuple]:
        return rows(self.rejects[dataset], "row_number", "column_name", "check_name", "value")

    def failed(self, dataset: str) -> dict[str, str]:
        """The checks of the gate that do not pass, with their sentences."""
        schema = CONTRACTS[dataset]
        found = gate_results(schema, self.tables[dataset], self.rejects[dataset], self.rows_in[dataset], 0.01)
        return {result.check_name: result.description for result in found if not result.passed}

    def newest(self, until: dt.date = TODAY) -> NewestEvent | None:
        return newest_event({name: self.tables[name] for name in DATED}, until, 30)

    def warnings(self, as_of: str) -> dict[str, str]:
        """What the checks of periods and of the as-of date warn about."""
        months, periods = calendar("2024-01-01", as_of), self.tables["subscriptions"]
        inventory = table_of(
            [dict.fromkeys(INVENTORY) | {"dataset": name, "source": name} for name in DATED], INVENTORY
        )
        dated = {name: self.tables[name] for name in DATED}
        results = [
            *period_results(periods), *ended_results(periods, months),
            *as_of_results(RULES, months, inventory, TODAY, dated),
        ]  # fmt: skip
        return {result.check_name: result.description for result in results if not result.passed}


def read(case: str, folder: Path, **settings: object) -> Company:
    """The datasets of the case, split into rows kept and rejects; `settings` are those of sources.yaml."""
    sources = Sources(**settings)
    run, rules = Settings(home=folder / "home", data_dir=FOLDER / case), replace(RULES, sources=sources)
    backend = set_up(duckdb.connect(), sources.time_zone, FileAccess(folders=(FOLDER / case, folder)))
    company = Company({}, {}, {})
    for name in DATASETS:
        schema = CONTRACTS[name]
        parents = [
            Parent(
                column, parent,
                company.tables[parent][CONTRACTS[parent].metadata["key"][0]], company.rejects[parent].row_key,
            )
            for column, parent in schema.metadata["parents"].items()
        ]  # fmt: skip
        kept, rejected, company.rows_in[name] = split(backend, schema, locate(name, run, rules), run, rules, parents)
        fill(backend, f"kept_{name}", kept)
        fill(backend, f"{name}_rejects", rejected)
        company.tables[name], company.rejects[name] = backend.table(f"kept_{name}"), backend.table(f"{name}_rejects")
    return company


@pytest.fixture
def case(tmp_path):
    def read_case(name: str, **settings: object) -> Company:
        return read(name, tmp_path, **settings)

    return read_case


def test_a_signup_at_second_0_of_unix_is_no_date(case):
    company = case("signup_at_the_epoch")
    assert (1, "signup_date", "parses_as_date", "1970-01-01") in company.reasons("customers")
    assert rows(company.tables["customers"], "customer_id") == [("C2",)]
    assert "rejects_within_tolerance" in company.failed("customers")


def test_a_planned_end_does_not_set_the_as_of_date(case):
    assert case("a_planned_end_moves_the_as_of_date").newest() == NewestEvent(dt.date(2026, 6, 29))
    company = case("the_as_of_date_is_a_scheduled_end")
    assert company.newest().day == dt.date(2024, 10, 30)
    running = company.tables["subscriptions"].filter(lambda row: row.end_date > dt.date(2024, 10, 30))
    assert rows(running, "monthly_price") == [(100.0,), (100.0,)]


def test_one_mistyped_date_does_not_set_the_as_of_date_and_is_named(case):
    company = case("one_mistyped_date")
    assert company.newest() == NewestEvent(dt.date(2026, 6, 29), dt.date(2026, 11, 20), 144)
    assert "has the date_closed 2026-11-20, 144 days after" in str(company.warnings("2026-06-29"))


def test_today_is_the_companys_and_its_events_are_not_ahead_of_it(case):
    """12:23 in UTC is 02:23 of the next day on Kiritimati."""
    zone, moment = "Pacific/Kiritimati", dt.datetime(2026, 11, 26, 13, 0, tzinfo=dt.UTC)
    company = case("whose_today", time_zone=zone)
    assert company.newest(company_today(zone, moment)).day == dt.date(2026, 11, 27)
    assert rows(company.tables["transactions"], "transaction_date", "amount") == [
        ("2026-11-06", 100.0),
        ("2026-11-27", 55.0),
    ]


def test_a_time_without_an_offset_is_in_the_companys_zone_whatever_the_row_before_it(case):
    company = case("time_zone", time_zone="America/New_York")
    assert rows(company.tables["customers"], "customer_id", "signup_date") == [
        ("c1", "2025-04-26"), ("c2", "2025-04-25"), ("c3", "2025-04-26"), ("c4", "2025-04-25"),
    ]  # fmt: skip
    starts = case("times_without_an_offset", time_zone="America/New_York").tables["subscriptions"]
    assert rows(starts, "customer_id", "start_date") == [("C1", "2026-06-01"), ("C2", "2026-05-31")]


def test_an_export_that_ends_early_is_late(case):
    found = case("the_usage_export_is_late").warnings("2026-06-30")
    assert [text for text in found.values() if text.startswith("product_usage: the newest date is 2026-06-01, 29 days")]


def test_ends_that_are_the_last_day_are_warned_about_and_can_be_read_so(case):
    assert (
        case("ends_that_are_the_last_day")
        .warnings("2026-06-30")["ends_are_exclusive"]
        .startswith("subscriptions: 5 of 5 periods end the day before the customer's next one begins")
    )
    sources = {"subscriptions": DatasetSource(inclusive_ends=True)}
    company = case("ends_that_are_the_last_day", datasets=sources)
    assert "ends_are_exclusive" not in company.warnings("2026-06-30")
    ends = [end for (end,) in rows(company.tables["subscriptions"], "end_date", by=("start_date",))]
    assert ends == ["2026-02-01", "2026-03-01", "2026-04-01", "2026-05-01", "2026-06-01", None]


def test_one_subscription_under_two_ids_is_named(case):
    assert (
        case("one_subscription_twice")
        .warnings("2026-06-30")["one_subscription_once"]
        .startswith(
            "subscriptions: 1 pairs of rows have the same customer, plan, price and start under two ids (first: new-1 and "
            "old-1 of C1); 1 rows run on for some days after the row that follows them began (first: S0019 and S0035 of C2)."
        )
    )


def test_active_rows_that_have_ended_are_warned_about_and_can_renew(case):
    found = case("active_but_ended").warnings("2025-01-15")["active_rows_have_not_ended"]
    assert found.startswith("subscriptions: 2 of 2 rows that are Active or Past Due ended by 2024-12-31")
    renewing = {"subscriptions": DatasetSource(ends_of_active_rows="planned")}
    company = case("active_but_ended", datasets=renewing)
    assert "active_rows_have_not_ended" not in company.warnings("2025-01-15")
    assert rows(company.tables["subscriptions"], "end_date") == [(None,), (None,)]


def test_words_for_no_value_are_empty_in_text_and_in_dates(case):
    company = case("words_for_no_value")
    segments = [segment for (segment,) in rows(company.tables["customers"], "segment", by=("customer_id",))]
    assert sorted(filter(None, segments)) == ["SMB"] and len(segments) == 6
    company = case("null_words")
    assert company.failed("subscriptions") == {}
    assert rows(company.tables["subscriptions"], "subscription_id", "end_date") == [("s1", None), ("s2", "2025-05-10")]
    assert rows(company.tables["customers"], "country") == [("US",), (None,)]


def test_tickets_of_prospects_stop_nothing(case):
    company = case("tickets_of_prospects")
    assert company.failed("support_tickets") == {
        "left_out_without_a_fault": "support_tickets: 1 rows are of customers who are not in customers, such as prospects or "
        "staff; they are left out (first in row 41: 'lead_9')."
    }
    assert len(rows(company.tables["support_tickets"], "ticket_id")) == 40


def test_targets_in_percent_are_named(case):
    targets = case("targets_in_percent").tables["targets"]
    assert percent_targets(targets, RULES.metric_catalog) == [
        "Customer churn 5 (1 rows)",
        "Customer retention 95 (1 rows)",
    ]


def test_a_price_per_seat_is_seen_in_the_payments(case):
    tables = case("price_per_seat").tables
    result = reconciliation_result(tables["transactions"], tables["subscriptions"], RULES.data_quality.reconciliation)
    assert not result.passed and "23" in result.description


@pytest.mark.parametrize(
    ("name", "as_of", "collected", "tickets", "logins", "answers"),
    [
        ("facts_before_the_first_day", "2026-06-30", 600.0, 1, 130, 1),
        ("events_before_signup", "2025-03-30", 400.0, 4, None, None),
    ],
)
def test_events_before_the_signup_count_in_their_months(case, name, as_of, collected, tickets, logins, answers):
    company = case(name)
    tables = {each: ibis.memtable(table.to_pyarrow()) for each, table in company.tables.items()}
    months_query, coverage_query = queries()
    tables["calendar"] = calendar("2025-01-01", as_of)
    tables = with_mrr(**tables, bill_balances=empty("bill_balances"))
    months = stored(months_query, **tables)
    totals = months.aggregate(
        collected=months.amount_collected.sum(), tickets=months.tickets_opened.sum(), logins=months.logins.sum(),
        answers=months.nps_responses.sum(),
    )  # fmt: skip
    assert rows(totals, "collected", "tickets", "logins", "answers") == [(collected, tickets, logins, answers)]
    coverage = stored(coverage_query, **tables, customer_months=months)
    assert {outcome for (outcome,) in rows(coverage, "outcome")} == {"Counted"}


def test_a_list_without_new_rows_is_not_out_of_date(case):
    company = case("nothing_new_is_not_stale")
    stock = [dict.fromkeys(INVENTORY) | {"dataset": name, "is_available": True} for name in DATASETS]
    found = data_quality_scores(
        source_inventory=table_of(stock, INVENTORY), calendar=calendar("2025-06-01", "2026-06-30"), rules=RULES,
        **company.tables, **{f"{name}_rejects": table for name, table in company.rejects.items()},
    )  # fmt: skip
    scores = dict(rows(found.filter(found.dataset.isin(["customers", "subscriptions"])), "dataset", "timeliness_score"))
    assert scores == {"customers": None, "subscriptions": None}
