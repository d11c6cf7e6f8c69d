"""Aliases: words of other systems as values of any type, as no value, and as rows that are left out."""

from __future__ import annotations

import datetime as dt
from dataclasses import replace
from decimal import Decimal

import dagster as dg
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from asset_checks.contracts import CONTRACTS
from asset_checks.validation_gate import gate_results, unknown_result
from productpulse_assets.sources.assets import read_unknown_values
from productpulse_assets.sources.location import check_sources
from rules.loading.files import load
from rules.models import Sources
from tests.errors import problem_codes, raises
from tests.graph import RULES

SUBSCRIPTION = "subscription_id,customer_id,status,start_date,end_date,monthly_price,billing_cycle,auto_renew\n"
ONE_CUSTOMER = {"customer_id": (["C1"], [])}


@pytest.mark.parametrize(
    ("aliases", "problem"),
    [
        ("customers.is_active: {ja: maybe}", "ja: is 'maybe'; accepted: yes, no, '' for no value."),
        ("customers.segment: {small: yes}", "small: is yes or no; accepted: text."),
        ("customers.segment: {small: 1}", "small: is '1'; accepted: text."),
        ("customers.signup_date: {never: }", "never: is no value; accepted: a value, because no row may lack one."),
        ("subscriptions.end_date: {open: soon}", "open: is 'soon'; accepted: a date such as 2026-06-30, '' for no value."),
        ("subscriptions.end_date: {open: 2026-02-30}", "open: is '2026-02-30'; accepted: a date such as 2026-06-30"),
        ("subscriptions.end_date: {open: ignore}", "open: is 'ignore'; accepted: a date such as 2026-06-30"),
        ("subscriptions.monthly_price: {free: none}", "free: is 'none'; accepted: a number such as 1234.50"),
        ("product_usage.active_users: {few: 2.5}", "few: is '2.5'; accepted: a whole number"),
        ("subscriptions.status: {gone: Left}", "gone: is 'Left'; accepted: Active, Past Due, Canceled, Expired, Trial, ignore."),
        ("subscriptions.status: {gone: ''}", "gone: is no value; accepted: Active, Past Due"),
        ("subscriptions.billing_cycle: {weekly: ignore}", "weekly: is 'ignore'; accepted: Monthly, Quarterly, Annual, '' for no value."),
        ("subscriptions.status: {gone: [Canceled]}", "gone: is ['Canceled']; is a list or a mapping; give one value."),
    ],
)  # fmt: skip
def test_an_alias_that_could_not_be_used_is_refused(tmp_path, aliases, problem):
    path = tmp_path / "sources.yaml"
    path.write_text(f"aliases:\n  {aliases}\n".replace("2026-02-30", "'2026-02-30'"))
    with raises("rules.invalid") as caught:
        check_sources(replace(RULES, folder=tmp_path, sources=load(path, Sources)))
    (only,) = problem_codes(caught.value)
    assert only.split(": ")[0] == f"aliases > {aliases.split(':')[0]} > {problem.split(':')[0]}"
    assert problem in str(caught.value)


def test_aliases_case_and_outer_spaces(stage, tmp_path):
    (tmp_path / "subscriptions.csv").write_text(
        SUBSCRIPTION
        + "S1, C1 , cancelled ,2026-01-01,2026-02-01,10, YEARLY ,Yes\n"
        + "S2,C1,ACTIVE,2026-01-01,,10,monthly,0\n"
        + "S3,C1,past due,2026-01-01,,10,,\n"
        + "S4,C1,Past_Due,2026-01-01,,10,quarter,INACTIVE\n"
        + "S5,C1,on hold,2026-01-01,,10,weekly,maybe\n"
    )
    outcome = stage("subscriptions", RULES.sources, parents={"customer_id": (["C1"], [])})
    assert outcome.kept_values("subscription_id", "customer_id", "status", "billing_cycle", "auto_renew") == [
        ("S1", "C1", "Canceled", "Annual", True),
        ("S2", "C1", "Active", "Monthly", False),
        ("S3", "C1", "Past Due", None, None),
        ("S4", "C1", "Past Due", "Quarterly", False),
    ]
    assert outcome.reasons() == [(5, "status", "allowed_values", "on hold")]


def test_an_alias_of_your_own_applies_to_one_column(stage, tmp_path):
    sources = Sources(aliases={"customers.segment": {"small": "SMB"}})
    (tmp_path / "customers.csv").write_text("customer_id,signup_date,segment,country\nC1,2026-01-01,SMALL,small\n")
    assert stage("customers", sources).kept_values("segment", "country") == [("SMB", "small")]


@pytest.fixture
def aliased() -> Sources:
    return Sources(
        aliases={
            "subscriptions.end_date": {"Open": "", "until cancelled": "", "2099-12-31": "", "mid year": "2026-07-01"},
            "subscriptions.monthly_price": {"free": 0, "on request": "12.345"},
            "subscriptions.auto_renew": {"sometimes": "", "immer": True},
            "subscriptions.status": {"Kündigung": "canceled"},
        }
    )


def test_columns_of_every_type_have_aliases(stage, tmp_path, aliased):
    (tmp_path / "subscriptions.csv").write_text(
        SUBSCRIPTION
        + "S1,C1,Active,2026-01-01, OPEN ,free,,immer\n"
        + "S2,C1,Kündigung,2026-01-01,Mid Year,on request,,sometimes\n"
        + "S3,C1,Active,2026-01-01,2026-02-01,10,,no\n"
        + "S4,C1,Canceled,2026-01-01,open,10,,\n"
    )
    outcome = stage("subscriptions", aliased, parents=ONE_CUSTOMER)
    assert outcome.kept_values("subscription_id", "status", "end_date", "monthly_price", "auto_renew") == [
        ("S1", "Active", None, Decimal("0.00"), True),
        ("S2", "Canceled", dt.date(2026, 7, 1), Decimal("12.35"), None),
        ("S3", "Active", dt.date(2026, 2, 1), Decimal("10.00"), False),
    ]
    assert outcome.reasons() == [(4, "end_date", "ended_has_end_date", "open")]  # it has left, and the day is not known
    assert outcome.unknown == []


def test_values_of_their_own_types_have_aliases_too(stage, tmp_path, aliased):
    columns = {
        "subscription_id": ["S1", "S2"],
        "customer_id": ["C1", "C1"],
        "status": ["Active", "Active"],
        "start_date": [dt.date(2026, 1, 1)] * 2,
        "end_date": [dt.date(2099, 12, 31), dt.date(2026, 2, 1)],
        "monthly_price": pa.array([Decimal("1.50"), Decimal("2.50")], pa.decimal128(10, 2)),
    }
    pq.write_table(pa.table(columns), tmp_path / "subscriptions.parquet")
    outcome = stage("subscriptions", aliased, parents=ONE_CUSTOMER)
    assert outcome.kept_values("end_date", "monthly_price") == [
        (None, Decimal("1.50")),
        (dt.date(2026, 2, 1), Decimal("2.50")),
    ]


def test_an_alias_of_a_word_for_no_value_gives_it_a_value(stage, tmp_path):
    sources = Sources(aliases={"customers.segment": {"none": "Self-serve"}, "customers.country": {"-": ""}})
    (tmp_path / "customers.csv").write_text(
        "customer_id,signup_date,segment,country\nC1,2026-01-01,None,-\nC2,2026-01-01,NULL,DE\n"
    )
    assert stage("customers", sources).kept_values("segment", "country") == [("Self-serve", None), (None, "DE")]


# --- rows that are left out -----------------------------------------------------------------------


PAYMENTS = "customer_id,subscription_id,amount,status,transaction_date\n"
PARENTS = {"customer_id": (["C1"], []), "subscription_id": (["S1"], [])}


def test_rows_of_an_ignored_status_are_left_out_and_are_no_fault(stage, tmp_path):
    (tmp_path / "transactions.csv").write_text(
        PAYMENTS
        + "C1,S1,10,Paid,2026-01-01\n"
        + "C1,S1,,Draft,\n"  # no other rule is of interest
        + "C1,S1,10, VOID ,2026-01-01\n"
        + "C9,S9,10,draft,2026-01-01\n"
        + "C1,S1,10,Paid,2026-02-01\n"
    )
    outcome = stage("transactions", RULES.sources, parents=PARENTS)
    assert [row["transaction_date"].isoformat() for row in outcome.kept] == ["2026-01-01", "2026-02-01"]
    assert outcome.reasons() == [
        (2, "status", "ignored_status", "Draft"),
        (3, "status", "ignored_status", " VOID "),
        (4, "status", "ignored_status", "draft"),
    ]
    results = {each.check_name: each for each in gate_results(CONTRACTS["transactions"], *outcome.tables, 5, 0)}
    assert [name for name, each in results.items() if not each.passed] == ["left_out_without_a_fault"]
    warning = results["left_out_without_a_fault"]
    assert warning.severity == dg.AssetCheckSeverity.WARN
    assert warning.description == (
        "transactions: 3 rows have a status that sources.yaml ignores; they are left out (first in row 2: 'Draft'; "
        "'draft' 2, 'void' 1)."
    )


def test_the_word_ignore_is_an_alias_and_no_value(stage, tmp_path):
    tickets = "customer_id,date_opened,status\nC1,2026-01-01,ignore\nC1,2026-01-01,spam\n"
    (tmp_path / "support_tickets.csv").write_text(tickets)
    sources = Sources(aliases={"support_tickets.status": {"spam": "ignore"}})
    outcome = stage("support_tickets", sources, parents=ONE_CUSTOMER)
    assert outcome.kept_values("status") == [("ignore",)]
    assert outcome.reasons() == [(2, "status", "ignored_status", "spam")]


def test_payments_of_an_ignored_subscription_are_left_out_with_it(stage, tmp_path):
    (tmp_path / "subscriptions.csv").write_text(SUBSCRIPTION + "S1,C1,Test,2026-01-01,,10,,\n")
    sources = Sources(aliases={"subscriptions.status": {"test": "ignore"}})
    ignored = stage("subscriptions", sources, parents=ONE_CUSTOMER)
    (tmp_path / "transactions.csv").write_text(PAYMENTS + "C1,S1,10,Success,2026-01-01\n")
    lost = [reject["row_key"] for reject in ignored.rejects]
    outcome = stage("transactions", parents={"customer_id": (["C1"], []), "subscription_id": ([], lost)})
    assert outcome.reasons() == [(1, "subscription_id", "parent_rejected", "S1")]


# --- values that are left empty -------------------------------------------------------------------


def test_a_value_that_decides_no_figure_alone_is_left_empty_with_a_warning(backend, stage, tmp_path):
    (tmp_path / "subscriptions.csv").write_text(
        SUBSCRIPTION
        + "S1,C1,Active,2026-01-01,,10,weekly,maybe\n"
        + "S2,C1,Active,2026-01-01,,10,Fortnightly,yes\n"
        + "S3,C1,Active,2026-01-01,,10,weekly,\n"
        + "S4,C1,Active,someday,,10,weekly,perhaps\n"  # rejected for its date, and only for that
    )
    outcome = stage("subscriptions", parents=ONE_CUSTOMER)
    assert outcome.kept_values("subscription_id", "billing_cycle", "auto_renew") == [
        ("S1", None, None),
        ("S2", None, True),
        ("S3", None, None),
    ]
    assert outcome.reasons() == [(4, "start_date", "parses_as_date", "someday")]
    assert outcome.left_empty() == [
        (1, "auto_renew", "parses_as_boolean", "maybe"),
        (1, "billing_cycle", "allowed_values", "weekly"),
        (2, "billing_cycle", "allowed_values", "Fortnightly"),
        (3, "billing_cycle", "allowed_values", "weekly"),
    ]
    result = unknown_result(CONTRACTS["subscriptions"], read_unknown_values(backend, "subscriptions"))
    assert not result.passed and result.severity == dg.AssetCheckSeverity.WARN
    assert result.description == (
        "subscriptions: 3 values of billing_cycle cannot be used (allowed_values; first in row 1: 'weekly'); they are "
        "left empty, and their rows are kept. Fix the export, or give the meaning of 'weekly' and 'Fortnightly' under "
        "aliases > subscriptions.billing_cycle in sources.yaml. 1 values of auto_renew cannot be used "
        "(parses_as_boolean; first in row 1: 'maybe'); they are left empty, and their rows are kept. Fix the export, or "
        "give the meaning of 'maybe' under aliases > subscriptions.auto_renew in sources.yaml."
    )


def test_numbers_that_decide_no_figure_alone_are_left_empty(stage, tmp_path):
    header = "usage_id,customer_id,date,logins,key_actions,active_users,features_used\n"
    (tmp_path / "product_usage.csv").write_text(f"{header}U1,C1,2026-01-01,3,4,-1,many\nU2,C1,2026-01-01,-1,4,2,3\n")
    outcome = stage("product_usage", parents=ONE_CUSTOMER)
    assert outcome.kept_values("usage_id", "active_users", "features_used") == [("U1", None, None)]
    assert outcome.reasons() == [(2, "logins", "not_negative", "-1")]
    assert outcome.left_empty() == [
        (1, "active_users", "not_negative", "-1"),
        (1, "features_used", "parses_as_whole_number", "many"),
    ]


def test_a_dataset_without_such_values_has_no_warning(backend, stage, tmp_path):
    (tmp_path / "customers.csv").write_text("customer_id,signup_date,is_active\nC1,2026-01-01,yes\n")
    assert stage("customers").unknown == []
    assert unknown_result(CONTRACTS["customers"], read_unknown_values(backend, "customers")).passed
