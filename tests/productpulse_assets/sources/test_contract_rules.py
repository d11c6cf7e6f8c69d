"""Every rule of every contract, each broken by one row that is rejected under the name of the rule.

A dataset is read once from a small CSV file: a valid row, then one row per case. Each case is
the valid row with a single change.
"""

from __future__ import annotations

import csv
import datetime as dt
from dataclasses import dataclass, replace
from decimal import Decimal
from pathlib import Path

import ibis
import pytest
from pandera.errors import SchemaError, SchemaErrors

from asset_checks.contracts import CONTRACTS, is_computed, may_be_unknown, table_schema
from productpulse_assets.sources.assets import read_unknown_values, split
from productpulse_assets.sources.currency import has_amounts_in_currencies
from productpulse_assets.sources.location import locate
from productpulse_assets.sources.staging import Parent
from resources.settings import Settings
from resources.tables import rows_of, table_of
from rules.models import Sources
from tests.graph import RULES

pytestmark = pytest.mark.slow


@dataclass(frozen=True, eq=False)
class Case:
    """A row that breaks one rule; `value` is the value in the rejects."""

    dataset: str
    column_name: str | None
    check_name: str
    changes: dict[str, str]
    value: str | None

    @property
    def is_kept(self) -> bool:
        """Whether the row is kept, and only the value is left empty."""
        return self.column_name is not None and may_be_unknown(CONTRACTS[self.dataset], self.column_name)

    def __str__(self) -> str:
        return f"{self.dataset}-{self.column_name or 'line'}-{self.check_name}-{self.value}"


VALID: dict[str, dict[str, str]] = {
    "customers": {
        "customer_id": "C1", "signup_date": "2026-01-05", "company_name": "Acme", "segment": "SMB",
        "country": "DE", "acquisition_channel": "Organic", "is_active": "true",
        "account_owner": "Ann", "cancel_reason": "",
    },
    "subscriptions": {
        "subscription_id": "S1", "customer_id": "C1", "plan": "Growth", "status": "Active",
        "start_date": "2026-01-05", "end_date": "", "monthly_price": "99.90", "billing_cycle": "Monthly",
        "auto_renew": "true", "currency": "USD", "quantity": "3", "unit_price": "40", "discount_amount": "20.10",
        "discount_end": "2026-09-01", "product": "Core", "is_addon": "no", "paused_from": "2026-08-01",
        "cancel_requested_date": "2026-05-01", "term_months": "12", "term_end": "2027-01-05",
        "cancel_at": "2027-01-05", "cancel_reason": "Price", "cancel_comment": "Too dear for us",
    },
    "transactions": {
        "transaction_id": "T1", "customer_id": "C1", "subscription_id": "S1", "amount": "99.90",
        "currency": "USD", "status": "Success", "transaction_date": "2026-01-05", "payment_method": "Card",
    },
    "product_usage": {
        "usage_id": "U1", "customer_id": "C1", "date": "2026-01-05", "logins": "3", "key_actions": "5",
        "active_users": "2", "features_used": "4",
    },
    "support_tickets": {
        "ticket_id": "K1", "customer_id": "C1", "date_opened": "2026-01-05", "status": "Closed",
        "date_closed": "2026-01-06", "priority": "Low", "category": "Billing", "resolution_time_hours": "20.5",
    },
    "nps_scores": {
        "score_id": "N1", "customer_id": "C1", "date": "2026-01-05", "score": "9", "feedback_category": "Price",
    },
    "acquisition_channels": {"channel_name": "Organic", "cost_per_acquisition": "85"},
    "targets": {"metric_name": "MRR", "target_value": "5000", "date": "2026-01-01"},
    "exchange_rates": {"date": "2026-01-01", "currency": "EUR", "rate": "1.08"},
    "acquisition_spend": {"channel_name": "Organic", "month": "2026-01-01", "amount": "900"},
    "annotations": {"annotation_id": "E1", "date": "2026-01-05", "text": "New prices", "dimension": "plan", "member": "Growth"},
}  # fmt: skip

PARENT_KEYS = {"customers": (["C1"], ["C8"]), "subscriptions": (["S1"], ["S8"])}
"""The parents a child may name: those kept, and those that were rejected."""

NEGATIVE = {
    "subscriptions": ("monthly_price", "quantity", "unit_price", "discount_amount"),
    "transactions": ("amount",),
    "product_usage": ("logins", "key_actions", "active_users", "features_used"),
    "support_tickets": ("resolution_time_hours",),
    "acquisition_channels": ("cost_per_acquisition",),
    "acquisition_spend": ("amount",),
}
ORPHANS = ("subscriptions", "transactions", "product_usage", "support_tickets", "nps_scores")

BUSINESS_RULES = [
    *(
        Case(name, column, "not_negative", {column: "-1"}, "-1")
        for name, columns in NEGATIVE.items()
        for column in columns
    ),
    Case("nps_scores", "score", "between_0_and_10", {"score": "11"}, "11"),
    Case("nps_scores", "score", "between_0_and_10", {"score": "-1"}, "-1"),
    Case("subscriptions", "term_months", "between_1_and_120", {"term_months": "0"}, "0"),
    Case("subscriptions", "status", "allowed_values", {"status": "Paused"}, "Paused"),
    Case("subscriptions", "billing_cycle", "allowed_values", {"billing_cycle": "Weekly"}, "Weekly"),
    Case("exchange_rates", "rate", "positive", {"rate": "0"}, "0"),
    Case("exchange_rates", "currency", "currency_code", {"currency": "Euro"}, "Euro"),
    Case("transactions", "status", "allowed_values", {"status": "Pending"}, "Pending"),
    Case("subscriptions", "currency", "currency_code", {"currency": "US Dollar"}, "US Dollar"),
    Case("transactions", "currency", "currency_code", {"currency": "€"}, "€"),
    Case("subscriptions", "currency", "known_currency", {"currency": "CHF"}, "CHF"),
    Case("transactions", "currency", "known_currency", {"currency": "CHF"}, "CHF"),
    Case("subscriptions", "end_date", "end_date_not_before_start_date", {"end_date": "2026-01-04"}, "2026-01-04"),
    Case(
        "support_tickets",
        "date_closed",
        "date_closed_not_before_date_opened",
        {"date_closed": "2026-01-04"},
        "2026-01-04",
    ),
    Case("subscriptions", "end_date", "ended_has_end_date", {"status": "Canceled"}, None),
    Case("subscriptions", "end_date", "ended_has_end_date", {"status": "Expired"}, None),
    *(Case(name, "customer_id", "known_customer", {"customer_id": "C9"}, "C9") for name in ORPHANS),
    *(Case(name, "customer_id", "parent_rejected", {"customer_id": "C8"}, "C8") for name in ORPHANS),
    Case("transactions", "subscription_id", "known_subscription", {"subscription_id": "S9"}, "S9"),
    Case("transactions", "subscription_id", "parent_rejected", {"subscription_id": "S8"}, "S8"),
]


def missing_values() -> list[Case]:
    """A blank in each column that must have a value."""
    return [
        Case(name, column, "not_null", {column: blank}, blank or None)
        for name, schema in CONTRACTS.items()
        for column, about in schema.columns.items()
        if not about.nullable
        for blank in ("", "  ")
    ]


def unreadable_values() -> list[Case]:
    """A word in each column that is not text."""
    words = {"date": "date", "boolean": "boolean", "int64": "whole_number"}
    return [
        Case(name, column, f"parses_as_{words.get(str(kind), 'number')}", {column: "soon"}, "soon")
        for name, schema in CONTRACTS.items()
        for column, kind in table_schema(schema).items()
        if not kind.is_string() and not is_computed(schema, column)
    ]


CHANGED = {
    "customers": {"country": "FR"},
    "subscriptions": {"plan": "Scale"},
    "transactions": {"amount": "99.91"},
    "product_usage": {"logins": "4"},
    "support_tickets": {"category": ""},
    "nps_scores": {"score": "8"},
    "acquisition_channels": {"cost_per_acquisition": "86"},
    "targets": {"target_value": "6000"},
    "exchange_rates": {"rate": "1.09"},
    "acquisition_spend": {"amount": "901"},
    "annotations": {"text": "New plan"},
}
"""A change that leaves a row valid, and no copy of the valid row any more."""


def repeated_keys() -> list[Case]:
    """The valid row once more, and another row with its key."""
    shown = {
        name: (schema.metadata["key"][0], VALID[name][schema.metadata["key"][0]]) for name, schema in CONTRACTS.items()
    }
    return [
        *(Case(name, key, "duplicate_row", {}, value) for name, (key, value) in shown.items()),
        *(Case(name, key, "unique_key", CHANGED[name], value) for name, (key, value) in shown.items()),
    ]


MALFORMED = [Case(name, None, "malformed_line", {}, f"too few fields: 1 found, {len(row)} expected: torn") for name, row in VALID.items()]  # fmt: skip
CASES = [*BUSINESS_RULES, *missing_values(), *unreadable_values(), *repeated_keys(), *MALFORMED]
SOURCES = Sources(exchange_rates={"EUR": Decimal("1.1")})


def row_of(case: Case) -> dict[str, str]:
    """The case's row; its key differs from the others, so that it is not a duplicate as well."""
    key = CONTRACTS[case.dataset].metadata["key"][0]
    is_duplicate = case.check_name in ("duplicate_row", "unique_key")
    number = CASES.index(case)
    unique = (
        chr(65 + number // 26 % 26) + chr(65 + number % 26) + "X"
        if key == "currency"
        else f"{VALID[case.dataset][key]}-{number}"
    )
    own = {} if is_duplicate or key in case.changes else {key: unique}
    return VALID[case.dataset] | own | case.changes


def parents_of(backend: ibis.BaseBackend, dataset: str) -> list[Parent]:
    parents = []
    for column, parent in CONTRACTS[dataset].metadata["parents"].items():
        kept, rejected = PARENT_KEYS[parent]
        keys = backend.create_table(f"{parent}_keys", {"key": kept}, overwrite=True)
        lost = backend.create_table(f"{parent}_lost", {"row_key": rejected}, overwrite=True)
        parents.append(Parent(column, parent, keys.key, lost.row_key))
    return parents


@pytest.fixture(scope="module")
def rejects(tmp_path_factory: pytest.TempPathFactory) -> dict[Case | None, list[dict]]:
    """The rejects of each case's row, or its values left empty, from one reading per dataset; those of valid rows under
    None."""
    found: dict[Case | None, list[dict]] = {case: [] for case in CASES} | {None: []}
    for name in CONTRACTS:
        cases = [case for case in CASES if case.dataset == name]
        for reject in read(tmp_path_factory.mktemp(name), name, cases):
            place = reject["row_number"] - 2  # the first data row is 1, and it is the valid one
            found[cases[place] if place >= 0 else None].append(reject)
    return found


def read(folder: Path, name: str, cases: list[Case]) -> list[dict]:
    with (folder / f"{name}.csv").open("w", newline="", encoding="utf-8") as stream:
        writer = csv.DictWriter(stream, VALID[name])
        writer.writeheader()
        writer.writerow(VALID[name])
        for case in cases:
            stream.write("torn\r\n") if case.check_name == "malformed_line" else writer.writerow(row_of(case))
    backend = ibis.duckdb.connect()
    settings = Settings(home=folder / "home", data_dir=folder)
    rules = replace(RULES, sources=SOURCES)
    location = locate(name, settings, rules)
    kept, rejected, rows_in = split(backend, CONTRACTS[name], location, settings, rules, parents_of(backend, name))
    assert rows_in == len(cases) + 1
    assert kept.count().execute() == 1 + sum(case.is_kept for case in cases)
    return [*rows_of(rejected), *rows_of(read_unknown_values(backend, name))]


@pytest.mark.parametrize("case", CASES, ids=str)
def test_a_row_that_breaks_one_rule_is_rejected_for_it_or_loses_the_value(rejects, case):
    (reject,) = rejects[case]
    assert (reject["column_name"], reject["check_name"], reject["value"]) == (
        case.column_name,
        case.check_name,
        case.value,
    )
    assert (reject["dataset"], reject["source_file"]) == (case.dataset, f"{case.dataset}.csv")


def test_a_valid_row_breaks_no_rule(rejects):
    assert rejects[None] == []


KNOWN_ONLY_TO_THE_SPLIT = ("known_", "parent_rejected", "parses_as_", "malformed_line")
"""Rules about other tables, or about text that has no place in a typed table."""
TYPED = [case for case in CASES if not case.check_name.startswith(KNOWN_ONLY_TO_THE_SPLIT) and case.value != "  "]


@pytest.mark.parametrize("case", TYPED, ids=str)
def test_pandera_fails_a_table_with_the_row(case):
    with pytest.raises(SchemaErrors) as failed:
        validate(case.dataset, VALID[case.dataset], row_of(case))
    # An exact copy is a repeated key to Pandera, which knows no rows but values.
    wanted = "unique_key" if case.check_name == "duplicate_row" else case.check_name
    assert wanted in {check_word(error) for error in failed.value.schema_errors}


@pytest.mark.parametrize("name", CONTRACTS)
def test_pandera_passes_valid_rows_with_and_without_optional_values(name):
    bare = {column: "" if CONTRACTS[name].columns[column].nullable else text for column, text in VALID[name].items()}
    validate(name, VALID[name])
    validate(name, bare)


def validate(name: str, *given: dict[str, str]) -> None:
    schema = CONTRACTS[name]
    schema.validate(table_of([typed(name, row) for row in given], table_schema(schema)), lazy=True)


def check_word(error: SchemaError) -> str:
    """The broken rule by our name: Pandera reports a NULL by a reason code, a check by name."""
    return "not_null" if error.reason_code.name == "SERIES_CONTAINS_NULLS" else error.check.name


def typed(dataset: str, row: dict[str, str]) -> dict[str, object]:
    """The row as the contract's types, read without the code under test."""

    def value(text: str, kind) -> object:
        if not text.strip():
            return None
        if kind.is_date():
            return dt.date.fromisoformat(text)
        if kind.is_boolean():
            return text == "true"
        if kind.is_decimal():
            return Decimal(text)
        return int(text) if kind.is_integer() else text

    return {column: value(row.get(column, ""), kind) for column, kind in table_schema(CONTRACTS[dataset]).items()}


def test_every_rule_of_every_contract_has_a_row_that_breaks_it():
    covered = {(case.dataset, case.column_name, case.check_name) for case in CASES}
    assert sorted(rules_of_contracts() - covered) == []


def rules_of_contracts() -> set[tuple[str, str | None, str]]:
    """(dataset, column, check) for all that the contracts say, read from the schemas themselves."""
    rules: set[tuple[str, str | None, str]] = set()
    words = {"date": "date", "boolean": "boolean", "int64": "whole_number"}
    for name, schema in CONTRACTS.items():
        for column, about in schema.columns.items():
            kind = about.dtype.type
            rules |= {(name, column, check.name) for check in about.checks}
            if not about.nullable:
                rules.add((name, column, "not_null"))
            if not kind.is_string() and not is_computed(schema, column):
                rules.add((name, column, f"parses_as_{words.get(str(kind), 'number')}"))
        key = schema.metadata["key"][0]
        rules |= {(name, check.statistics.get("column", key), check.name) for check in schema.checks}
        rules |= {(name, key, "duplicate_row"), (name, None, "malformed_line")}
        for column, parent in schema.metadata["parents"].items():
            rules |= {(name, column, f"known_{parent[:-1]}"), (name, column, "parent_rejected")}
        if has_amounts_in_currencies(schema):
            rules.add((name, "currency", "known_currency"))
    return rules
