"""Exports of another structure, read with the settings of sources.yaml instead of SQL."""

from __future__ import annotations

import datetime as dt
from dataclasses import replace
from decimal import Decimal
from fractions import Fraction
from pathlib import Path
from types import SimpleNamespace

import ibis
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from asset_checks.contracts import CONTRACTS
from productpulse_assets.sources.assets import split
from productpulse_assets.sources.crosswalk import crosswalk_advice
from productpulse_assets.sources.inventory import inspect_source
from productpulse_assets.sources.location import check_sources, locate
from productpulse_assets.sources.price import UNITS, price_per_month
from productpulse_assets.sources.staging import Parent
from resources.settings import Settings
from resources.tables import rows_of
from rules.models import DatasetSource, Price, Sources
from tests.builders import rows
from tests.errors import assert_known, raises, raises_problems
from tests.graph import RULES
from tests.productpulse_assets.facts.ledger import account, ledger
from tests.productpulse_assets.sources.staged import Outcome, parent, staged

pytestmark = pytest.mark.slow

C1 = {"customer_id": (["C1"], [])}


@pytest.fixture(scope="module")
def backend():
    return ibis.duckdb.connect()


@pytest.fixture
def read(backend, tmp_path):
    """The rows of a dataset whose file has these lines, read with these settings of sources.yaml."""

    def run(name: str, lines: str, parents: dict | None = None, *, common: dict | None = None, **source) -> Outcome:
        (tmp_path / f"{name}.csv").write_text(lines)
        sources = Sources(datasets={name: DatasetSource(**source)}, **(common or {}))
        check_sources(replace(RULES, sources=sources))
        return staged(backend, tmp_path, name, sources, parents or {})

    return run


def refused(*problems: str, **datasets: dict) -> None:
    """Assert that these settings of datasets are refused for these problems."""
    sources = Sources(datasets={name: DatasetSource(**source) for name, source in datasets.items()})
    with raises_problems(*problems):
        check_sources(replace(RULES, folder=Path("my-rules"), sources=sources))


# --- columns that the file does not have -----------------------------------------------------------


def test_a_column_can_have_the_same_value_in_every_row(read):
    outcome = read(
        "subscriptions",
        "subscription_id,customer_id,start_date,monthly_price\nS1,C1,2026-01-01,10\nS2,C1,2026-02-01,20\n",
        C1,
        columns={"status": {"value": "active"}, "billing_cycle": {"value": "Monthly"}, "auto_renew": {"value": True}},
    )
    assert outcome.kept_values("subscription_id", "status", "billing_cycle", "auto_renew") == [
        ("S1", "Active", "Monthly", True), ("S2", "Active", "Monthly", True),
    ]  # fmt: skip
    assert outcome.reasons() == []


def test_the_status_of_a_subscription_follows_from_its_end(read):
    outcome = read(
        "subscriptions",
        "subscription_id,customer_id,start_date,end_date,monthly_price\n"
        "S1,C1,2026-01-01,2026-02-01,10\nS2,C1,2026-02-01,,10\nS3,C1,2026-02-01,NULL,10\nS4,C1,2026-02-01,soon,10\n",
        C1,
        columns={"status": {"from_dates": True}},
    )
    assert outcome.kept_values("subscription_id", "status") == [("S1", "Canceled"), ("S2", "Active"), ("S3", "Active")]
    assert (4, "end_date", "parses_as_date", "soon") in outcome.reasons()


def test_the_status_of_a_ticket_follows_from_its_closing(read):
    outcome = read(
        "support_tickets",
        "customer_id,date_opened,date_closed\nC1,2026-01-01,2026-01-02\nC1,2026-02-01,\n",
        C1,
        columns={"status": {"from_dates": True}},
    )
    assert outcome.kept_values("date_opened", "status") == [
        (dt.date(2026, 1, 1), "closed"), (dt.date(2026, 2, 1), "open"),
    ]  # fmt: skip


def test_columns_that_the_contract_would_reject_are_refused():
    place = "datasets > subscriptions > columns"
    refused(
        f"{place} > status: rules.constant_value",
        f"{place} > monthly_price: rules.constant_value",
        f"{place} > start_date: rules.constant_value",
        f"{place} > plan: rules.constant_value",
        f"{place} > customer_id: rules.constant_value",
        f"{place} > end_date: rules.not_from_dates",
        subscriptions={
            "columns": {
                "status": {"value": "Sleeping"},
                "monthly_price": {"value": -1},
                "start_date": {"value": "soon"},
                "plan": {"value": True},
                "customer_id": {"value": "C1"},
                "end_date": {"from_dates": True},
            }
        },
    )


def test_settings_of_other_datasets_and_settings_that_contradict_each_other_are_refused():
    refused(
        "datasets > customers > price: rules.setting_of_another_dataset",
        "datasets > customers > minor_units: rules.setting_of_another_dataset",
        "datasets > subscriptions > ends_of_active_rows: rules.contradicting_settings",
        "datasets > transactions > shape: rules.setting_of_another_dataset",
        customers={"price": {"per": "year"}, "minor_units": True},
        subscriptions={"columns": {"status": {"from_dates": True}}, "ends_of_active_rows": "planned"},
        transactions={"shape": {"kind": "wide_months"}},
    )


def test_a_shape_reads_the_file_as_it_is():
    refused(
        "datasets > customers > rows_from: rules.contradicting_settings",
        "datasets > subscriptions > price: rules.contradicting_settings",
        "datasets > subscriptions > columns > plan: rules.contradicting_settings",
        customers={"rows_from": "subscriptions"},
        subscriptions={
            "shape": {"kind": "monthly_snapshots", "month": "Month"},
            "price": {"per": "year"},
            "columns": {"plan": {"value": "Pro"}},
        },
    )


# --- prices ----------------------------------------------------------------------------------------

PRICED = (
    "subscription_id,customer_id,status,start_date,Amount,Interval,Count,Quantity\n"
    "S1,C1,Active,2026-01-01,10.00,month,1,23\n"
    "S2,C1,Active,2026-01-01,100.00,year,1,1\n"
    "S3,C1,Active,2026-01-01,59.97,month,3,2\n"
    "S4,C1,Active,2026-01-01,0,month,1,\n"
    "S5,C1,Active,2026-01-01,10.00,month,1,\n"
    "S6,C1,Active,2026-01-01,10.00,month,0,many\n"
    "S7,C1,Active,2026-01-01,10.00,,1,1\n"
    "S8,C1,Active,2026-01-01,10.00,fortnight,1,1\n"
    "S9,C1,Active,2026-01-01,10.00,month,2,1\n"
)


def test_a_price_is_per_seat_and_per_count_of_billing_cycles(read):
    outcome = read(
        "subscriptions",
        PRICED,
        C1,
        columns={"monthly_price": "Amount", "billing_cycle": "interval"},
        price={"per": "billing_cycle", "every": "Count", "seats": "quantity"},
        common={"aliases": {"subscriptions.billing_cycle": {"month": "Monthly", "year": "Annual"}}},
    )
    assert outcome.kept_values("subscription_id", "monthly_price", "billing_cycle") == [
        ("S1", Decimal("230.00"), "Monthly"),
        ("S2", Decimal("8.33"), "Annual"),
        ("S3", Decimal("39.98"), "Quarterly"),
        ("S4", Decimal("0.00"), "Monthly"),  # free for any number of seats
        ("S9", Decimal("5.00"), None),  # every two months
    ]
    assert outcome.reasons() == [
        (5, "seats", "not_null", None),
        (6, "every", "at_least_one", "0"),
        (6, "seats", "parses_as_number", "many"),
        (7, "billing_cycle", "not_null", None),
        (8, "billing_cycle", "allowed_values", "fortnight"),
    ]


@pytest.mark.parametrize(
    ("per", "price", "monthly"),
    [
        ("month", "10.0050", "10.01"),
        ("quarter", "100", "33.33"),
        ("year", "0.06", "0.01"),  # half a cent
        ("week", "10", "43.33"),
        ("day", "1", "30.42"),
    ],
)
def test_a_price_for_another_time_is_made_one_per_month(read, per, price, monthly):
    header = "subscription_id,customer_id,status,start_date,monthly_price,seats"
    outcome = read(
        "subscriptions", f"{header}\nS1,C1,Active,2026-01-01,{price},1\n", C1, price={"per": per, "seats": "seats"}
    )
    # The cycle stays unknown: a price per year may be billed each month.
    assert outcome.kept_values("monthly_price", "billing_cycle") == [(Decimal(monthly), None)]


@settings(max_examples=25, deadline=None)
@given(
    rows=st.lists(
        st.tuples(st.integers(1, 10**11), st.integers(0, 10**4), st.integers(1, 10**4)), min_size=1, max_size=50
    ),
    per=st.sampled_from(sorted(UNITS)),
)
def test_prices_are_exact_to_the_cent_and_rounded_half_up(rows, per):
    amounts, seats, counts = zip(*rows, strict=True)
    table = ibis.memtable(
        pa.table(
            {
                "monthly_price": pa.array([Decimal(each).scaleb(-4) for each in amounts], pa.decimal128(18, 6)),
                "price_seats": pa.array([Decimal(each).scaleb(-1) for each in seats], pa.decimal128(12, 2)),
                "price_every": pa.array(counts, pa.int64()),
                "billing_cycle": pa.nulls(len(rows), pa.string()),
                "has_billing_cycle": pa.array([False] * len(rows)),
            }
        )
    )
    found = rows_of(price_per_month(table, Price(per=per, every="Count", seats="Seats")))
    times, months = UNITS[per]
    exact = [Fraction(a * s * times, 10**5 * months * c) for a, s, c in rows]
    assert [row["monthly_price"] for row in found] == [Decimal((200 * each + 1) // 2).scaleb(-2) for each in exact]


def test_a_price_needs_the_columns_that_its_setting_names(tmp_path, backend):
    lines = "subscription_id,customer_id,status,start_date,monthly_price,Quantity\nS1,C1,Active,2026-01-01,10,1\n"
    (tmp_path / "subscriptions.csv").write_text(lines)
    run = Settings(home=tmp_path / "home", data_dir=tmp_path)
    problems = {}
    for name, price in {"seats": {"seats": "Seats"}, "cycle": {"per": "billing_cycle"}}.items():
        rules = replace(RULES, sources=Sources(datasets={"subscriptions": DatasetSource(price=price)}))
        _row, problem = inspect_source("subscriptions", SimpleNamespace(backend=backend), run, rules)
        problems[name] = (problem.code, str(problem))
    assert problems["seats"][0] == "source.unknown_header"
    assert_known(*problems["seats"])
    assert problems["cycle"][0] == "source.missing_columns"


# --- amounts ---------------------------------------------------------------------------------------


def test_amounts_in_the_smallest_unit_of_their_currency(read):
    outcome = read(
        "transactions",
        "transaction_id,customer_id,subscription_id,amount,currency,status,transaction_date\n"
        "T1,C1,S1,1999,USD,Success,2026-01-01\n"
        "T2,C1,S1,1999,,Success,2026-01-01\n"
        "T3,C1,S1,1999,jpy,Success,2026-01-01\n"
        "T4,C1,S1,1999,KWD,Success,2026-01-01\n",
        C1 | {"subscription_id": (["S1"], [])},
        minor_units=True,
        common={"exchange_rates": {"JPY": "0.0065", "KWD": "3.25"}},
    )
    assert outcome.kept_values("transaction_id", "amount") == [
        ("T1", Decimal("19.99")), ("T2", Decimal("19.99")), ("T3", Decimal("12.99")), ("T4", Decimal("6.50")),
    ]  # fmt: skip


def test_minor_units_and_prices_go_together(read):
    header = "subscription_id,customer_id,status,start_date,monthly_price,seats"
    outcome = read(
        "subscriptions",
        f"{header}\nS1,C1,Active,2026-01-01,12050,10\n",
        C1,
        minor_units=True,
        price={"per": "year", "seats": "seats"},
    )
    assert outcome.kept_values("monthly_price") == [(Decimal("100.42"),)]


def test_negative_amounts_are_refunds_if_sources_yaml_says_so(read):
    lines = (
        "transaction_id,customer_id,subscription_id,amount,status,transaction_date\n"
        "T1,C1,S1,20,Success,2026-01-01\nT2,C1,S1,-20,Success,2026-01-05\nT3,C1,S1,-5,Refunded,2026-01-06\n"
        "T4,C1,S1,-5,Failed,2026-01-07\n"
    )
    parents = C1 | {"subscription_id": (["S1"], [])}
    rejected = [(number, "amount", "not_negative", value) for number, value in ((2, "-20"), (3, "-5"), (4, "-5"))]
    assert read("transactions", lines, parents).reasons() == rejected
    outcome = read("transactions", lines, parents, negative_amounts="refunds")
    assert outcome.kept_values("transaction_id", "amount", "status") == [
        ("T1", 20, "Success"), ("T2", 20, "Refunded"), ("T3", 5, "Refunded"),
    ]  # fmt: skip
    assert outcome.reasons() == rejected[2:]  # a refund that failed gave nothing back


# --- customers from another dataset ----------------------------------------------------------------

SOLD = (
    "Contract,Account,Account Name,State,Began,Price\n"
    "S1,C2,Beta,Active,2026-03-01,10\n"
    "S2,C1,Alpha plc,Active,2026-02-01,10\n"
    "S3, C1 ,Alpha,Active,2026-01-15,10\n"
    "S4,,Nobody,Active,2026-01-01,10\n"
    "S5,C3,Gamma,Active,soon,10\n"
    "S6,C2,Beta,Active,when,10\n"
)
SOLD_COLUMNS = {
    "subscription_id": "Contract", "customer_id": "Account", "status": "State", "start_date": "began", "monthly_price": "Price"
}  # fmt: skip


def test_customers_are_the_first_rows_of_another_dataset(tmp_path, backend):
    (tmp_path / "subscriptions.csv").write_text(SOLD)
    own = {"rows_from": "subscriptions", "columns": {"company_name": "Account Name", "country": {"value": "DE"}}}
    sources = Sources(
        datasets={
            "customers": DatasetSource(**own),
            "subscriptions": DatasetSource(columns=SOLD_COLUMNS, price={"per": "year"}, minor_units=True),
        }
    )
    check_sources(replace(RULES, sources=sources))
    outcome = staged(backend, tmp_path, "customers", sources, {})
    assert outcome.kept_values("customer_id", "signup_date", "company_name", "country") == [
        ("C1", dt.date(2026, 1, 15), "Alpha", "DE"), ("C2", dt.date(2026, 3, 1), "Beta", "DE"),
    ]  # fmt: skip
    assert outcome.rows_in == 3  # a row without a customer is a reject of subscriptions
    assert outcome.reasons() == [(5, "signup_date", "parses_as_date", "soon")]
    assert {reject["source_file"] for reject in outcome.rejects} == {"subscriptions.csv"}


def test_rows_of_another_dataset_need_that_dataset_and_nothing_that_contradicts_it(tmp_path, backend):
    refused(
        "datasets > customers > file: rules.contradicting_settings",
        "datasets > customers > columns > signup_date: rules.contradicting_settings",
        "datasets > subscriptions > ids: rules.contradicting_settings",
        customers={"rows_from": "subscriptions", "file": "crm.csv", "columns": {"signup_date": "Created"}},
        subscriptions={"ids": {"file": "crosswalk.csv", "from": "Stripe ID", "to": "Account ID"}},
    )
    rules = replace(RULES, sources=Sources(datasets={"customers": DatasetSource(rows_from="transactions")}))
    run = Settings(home=tmp_path / "home", data_dir=tmp_path)
    _row, problem = inspect_source("customers", SimpleNamespace(backend=backend), run, rules)
    assert problem.code == "source.missing_dataset"
    assert_known(problem.code, str(problem))


# --- ids of another system -------------------------------------------------------------------------

IDS = {"file": "crosswalk.csv", "from": "Stripe ID", "to": "account id"}
SCORES = "customer_id,date,score\ncus_1,2026-01-01,9\nC2,2026-01-01,8\ncus_9,2026-01-01,7\n"


def test_ids_go_through_a_crosswalk(read, tmp_path):
    (tmp_path / "crosswalk.csv").write_text("Account ID,Stripe ID\nC1,cus_1\nC1,cus_2\nC1, cus_1\nC3,\n")
    outcome = read("nps_scores", SCORES, {"customer_id": (["C1", "C2"], [])}, ids=IDS)
    assert outcome.kept_values("customer_id", "score") == [("C1", 9), ("C2", 8)]  # C2 is a customer as it is
    assert outcome.reasons() == [(3, "customer_id", "known_customer", "cus_9")]


def test_the_warning_about_unknown_customers_names_the_crosswalk(read, tmp_path):
    (tmp_path / "crosswalk.csv").write_text("Account ID,Stripe ID\nC1,cus_1\n")
    outcome = read("nps_scores", SCORES, {"customer_id": (["C1"], [])}, ids=IDS)
    sources = Sources(datasets={"nps_scores": DatasetSource(ids=IDS)})
    run = Settings(home=tmp_path / "home", data_dir=tmp_path)
    location = locate("nps_scores", run, replace(RULES, sources=sources))
    assert crosswalk_advice(location, outcome.tables[1], "left_out_without_a_fault") == (
        " The ids of nps_scores are looked up in crosswalk.csv; those that it does not have stay as they are."
    )
    assert crosswalk_advice(location, outcome.tables[1], "contract") == ""
    assert [file.name for file in location.all_files] == ["nps_scores.csv", "crosswalk.csv"]


def test_numbers_with_and_without_decimals_find_each_other_in_the_crosswalk(read, tmp_path):
    (tmp_path / "crosswalk.csv").write_text("Account ID,Stripe ID\nC1,7\nC2,8\n")
    outcome = read(
        "nps_scores", "customer_id,date,score\n7.0,2026-01-01,9\n8.0,2026-01-01,9\n", {"customer_id": (["C1", "C2"], [])}, ids=IDS
    )  # fmt: skip
    assert outcome.kept_values("customer_id") == [("C1",), ("C2",)]


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("Account ID,Stripe ID\nC1,cus_1\nC2,cus_1\n", "source.two_targets"),
        ("Account,Stripe ID\nC1,cus_1\n", "source.unknown_header"),
        ('Account ID,Stripe ID\nC1,cus_1\n"C2"x,cus_2\n', "source.crosswalk_line"),
    ],
)
def test_a_crosswalk_that_cannot_be_used_is_refused(read, tmp_path, text, code):
    (tmp_path / "crosswalk.csv").write_text(text)
    with raises(code):
        read("nps_scores", SCORES, {"customer_id": (["C1"], [])}, ids=IDS)


# --- one id over changes of the price --------------------------------------------------------------

REPEATED = (
    "subscription_id,customer_id,status,start_date,end_date,monthly_price,billing_cycle\n"
    "S1,C1,Active,2026-04-05,,150,Monthly\n"
    "S1,C1,Active,2026-01-05,2026-03-05,100,Monthly\n"
    "S1,C1,Active,2026-03-05,,120,Monthly\n"
    "S2,C1,Active,2026-01-05,,30,Monthly\n"
    "S1,C1,Active,2026-04-05,,155,Monthly\n"
)


def paid(day: str, amount: int, subscription_id: str = "S1") -> str:
    return f"{subscription_id}-{day},C1,{subscription_id},{amount},Success,{day}"


def test_rows_of_one_id_are_periods_and_payments_belong_to_the_one_of_their_day(tmp_path, backend):
    payments = [paid("2026-01-05", 100), paid("2026-02-05", 100), paid("2026-03-05", 120), paid("2026-04-05", 150)]
    payments += [paid("2026-05-05", 150), paid("2026-06-05", 150)]
    payments += [paid(f"2026-0{month}-05", 30, "S2") for month in range(1, 7)]
    lines = [
        "transaction_id,customer_id,subscription_id,amount,status,transaction_date",
        *payments,
        paid("2025-12-31", 1),
    ]
    (tmp_path / "subscriptions.csv").write_text(REPEATED)
    (tmp_path / "transactions.csv").write_text("\n".join([*lines, paid("2026-01-05", 1, "S9")]))
    sources = Sources(datasets={"subscriptions": DatasetSource(repeated_ids=True)})
    periods = staged(backend, tmp_path, "subscriptions", sources, C1)
    assert periods.kept_values("subscription_id", "end_date", "monthly_price") == [
        ("S1", dt.date(2026, 3, 5), 100),
        ("S1@2026-03-05", dt.date(2026, 4, 5), 120),  # it ends where the next one begins
        ("S1@2026-04-05", None, 150),
        ("S2", None, 30),
    ]
    assert periods.reasons() == [(5, "subscription_id", "unique_key", "S1")]

    subscriptions = backend.create_table("kept_periods", periods.tables[0].to_pyarrow(), overwrite=True)
    customers = parent(backend, "customer_id", ["C1"], [])
    keys = parent(backend, "subscription_id", [], ["LOST"]).rejected
    run, rules = Settings(home=tmp_path / "home", data_dir=tmp_path), replace(RULES, sources=sources)
    known = [customers, Parent("subscription_id", "subscriptions", subscriptions.subscription_id, keys, subscriptions)]
    where = locate("transactions", run, rules)
    kept, rejects, _rows = split(backend, CONTRACTS["transactions"], where, run, rules, known)
    booked = {row["transaction_id"]: row["subscription_id"] for row in rows_of(kept)}
    assert [booked[f"S1-{day}"] for day in ("2025-12-31", "2026-02-05", "2026-03-05", "2026-06-05")] == [
        "S1", "S1", "S1@2026-03-05", "S1@2026-04-05",
    ]  # fmt: skip
    assert [row["check_name"] for row in rows_of(rejects)] == ["known_subscription"]

    tables = ledger(periods.kept, [row for row in rows_of(kept) if row["transaction_date"] > dt.date(2026, 1, 1)])
    assert rows(tables["contract_lines"], "subscription_id", "contract_line") == [
        ("S1", "S1"), ("S1@2026-03-05", "S1"), ("S1@2026-04-05", "S1"), ("S2", "S2"),
    ]  # fmt: skip
    assert account(tables, "amount_due", "amount_open", "credit") == [(950.0, 0.0, 0.0)]
    assert rows(tables["bill_balances"].filter(lambda t: ~t.is_settled), "bill_id") == []
