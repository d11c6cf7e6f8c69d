"""Numbers and days as exports write them: separators, currencies, unclear points, and days as whole numbers."""

from __future__ import annotations

import datetime as dt
from dataclasses import replace
from decimal import Decimal

import pytest

from productpulse_assets.sources.location import check_sources
from rules.loading.files import load
from rules.models import DatasetSource, Sources
from tests.errors import raises_problems
from tests.graph import RULES

pytestmark = pytest.mark.slow

READ = {
    "1234.50": {
        "1234.5": "1234.50", "1.234": "1.23", "-2": "-2", "1e2": "100", "1,234.50": None, "1.234,50": None, "1 234": None,
    },
    "1,234.50": {
        "1,234.50": "1234.50", "1,234,567": "1234567", "12,34,567.5": "1234567.50", "1234.5": "1234.50", "49": "49", ".5": "0.50",
        "12,50": None, "1,2345": None, "0,123": None, "1234,567": None, "1.234,50": None, "1,234.": "1234", ",": None, "1,,234": None,
    },
    "1.234,50": {
        "1.234,50": "1234.50", "1.234.567": "1234567", "1.234": "1234", "1234,5": "1234.50", "49": "49", "-1.234,50": "-1234.50",
        "12.50": None, "1234.50": None, "0.125": None, "1,234.50": None, "1,5E2": "150", "−3,5": "-3.50",
    },
    "1 234,50": {
        "1 234,50": "1234.50", "1\u00a0234\u202f567": "1234567", "1234,5": "1234.50", "1 23": None, "1.234,50": None, "1234.50": None,
    },
    "1'234.50": {"1'234.50": "1234.50", "1\u2019234": "1234", "1234.5": "1234.50", "1'23": None, "1,234.50": None},
}  # fmt: skip


@pytest.mark.parametrize("number_format", READ)
def test_numbers_are_read_in_the_format_that_is_set(stage, tmp_path, number_format):
    texts = READ[number_format]
    lines = [f'm{n:02},"{text}",2026-01-01' for n, text in enumerate(texts)]
    (tmp_path / "targets.csv").write_text("\n".join(["metric_name,target_value,date", *lines]))
    outcome = stage("targets", Sources(number_format=number_format))
    read = {f"m{n:02}": Decimal(text) for n, text in enumerate(texts.values()) if text}
    found = {key: value.quantize(Decimal("0.01")) for key, value in outcome.kept_values("metric_name", "target_value")}
    assert found == {key: value.quantize(Decimal("0.01")) for key, value in read.items()}
    assert {reject["value"] for reject in outcome.rejects} == {text for text, value in texts.items() if value is None}
    assert {reject["check_name"] for reject in outcome.rejects} <= {"parses_as_number"}


def test_a_dataset_has_its_own_number_format_and_whole_numbers_have_it_too(stage, tmp_path):
    sources = Sources(number_format="1,234.50", datasets={"product_usage": DatasetSource(number_format="1.234,50")})
    rows = [
        "U1,C1,2026-01-01,1.234,1",
        'U2,C1,2026-01-01,"7,0",1',
        'U3,C1,2026-01-01,"7,5",1',
        'U4,C1,2026-01-01,"1,234",1',
    ]
    (tmp_path / "product_usage.csv").write_text("\n".join(["usage_id,customer_id,date,logins,key_actions", *rows]))
    outcome = stage("product_usage", sources, parents={"customer_id": (["C1"], [])})
    assert outcome.kept_values("usage_id", "logins") == [("U1", 1234), ("U2", 7)]
    assert outcome.reasons() == [
        (3, "logins", "parses_as_whole_number", "7,5"),
        (4, "logins", "parses_as_whole_number", "1,234"),
    ]


# --- a currency around the number -------------------------------------------------------------------

PAYMENTS = "transaction_id,customer_id,subscription_id,amount,currency,status,transaction_date\n"
BILLED = {"customer_id": (["C1"], []), "subscription_id": (["S1"], [])}
AMOUNTS = {
    ("$1,234.50", ""): ("1234.50", None),  # the reporting currency is a dollar
    ("$10", "CAD"): ("7.00", "CAD"),
    ("10 EUR", ""): ("11.00", "EUR"),
    ("€10", "eur"): ("11.00", "EUR"),
    ("eur 10", ""): ("11.00", "EUR"),
    ("-€10.00", "EUR"): None,  # negative
    ("CA$10", ""): ("7.00", "CAD"),
    ("$10 CAD", ""): ("7.00", "CAD"),
    ("10 €", "USD"): "currency_agrees",
    ("10 USD", "EUR"): "currency_agrees",
    ("$10 EUR", ""): "currency_agrees",
    ("kr 10", ""): "currency_agrees",
    ("¥10", ""): "currency_agrees",
    ("£10", ""): "known_currency",
    ("10 each", ""): "parses_as_number",
    ("10 €", "Euro"): "currency_code",
}


def test_a_currency_around_an_amount_is_that_of_the_row(stage, tmp_path):
    lines = [f'T{n:02},C1,S1,"{amount}",{code},Success,2026-01-01' for n, (amount, code) in enumerate(AMOUNTS)]
    (tmp_path / "transactions.csv").write_text(PAYMENTS + "\n".join(lines))
    rates = {"EUR": Decimal("1.1"), "CAD": Decimal("0.7"), "SEK": Decimal("0.1")}
    outcome = stage("transactions", Sources(number_format="1,234.50", exchange_rates=rates), parents=BILLED)
    kept = {f"T{n:02}": each for n, each in enumerate(AMOUNTS.values()) if isinstance(each, tuple)}
    found = {row["transaction_id"]: (str(row["amount"]), row["currency"]) for row in outcome.kept}
    assert found == kept
    rules = {row: rule for row, _column, rule, _value in outcome.reasons()}
    assert rules == {
        n: each or "not_negative" for n, each in enumerate(AMOUNTS.values(), 1) if not isinstance(each, tuple)
    }


def test_an_amount_gives_the_currency_where_there_is_no_such_column(stage, tmp_path):
    (tmp_path / "subscriptions.csv").write_text(
        "subscription_id,customer_id,status,start_date,monthly_price\n"
        "S1,C1,Active,2026-01-01,€10\nS2,C1,Active,2026-01-01,10\nS3,C1,Active,2026-01-01,$10\n"
    )
    sources = Sources(number_format="1234.50", exchange_rates={"EUR": Decimal("1.1")})
    outcome = stage("subscriptions", sources, parents={"customer_id": (["C1"], [])})
    assert outcome.kept_values("subscription_id", "monthly_price", "currency") == [
        ("S1", Decimal("11.00"), "EUR"), ("S2", Decimal("10.00"), None), ("S3", Decimal("10.00"), None),
    ]  # fmt: skip


def test_a_sign_of_another_currency_than_the_reporting_one_is_rejected(stage, tmp_path):
    (tmp_path / "acquisition_channels.csv").write_text("channel_name,cost_per_acquisition\na,$10\nb,10 €\nc,10 EUR\n")
    outcome = stage("acquisition_channels", Sources(reporting_currency="EUR", number_format="1234.50"))
    assert outcome.kept_values("channel_name") == [("b",), ("c",)]
    assert outcome.reasons() == [(1, "cost_per_acquisition", "currency_agrees", "$10")]


# --- a point that may be one for thousands ----------------------------------------------------------

POINTS = {
    "only three digits": (["1.234", "2.500", "999"], ["999.00"]),
    "cents as well": (["1.234", "33.33", "33.333"], ["1.23", "33.33", "33.33"]),
    "more decimals": (["1.234", "33.3333"], ["1.23", "33.33"]),
    "a fraction of one": (["1.234", "0.125"], ["1.23", "0.13"]),
    "more than three digits before the point": (["1.234", "1234.500"], ["1.23", "1234.50"]),
    "whole numbers": (["1234", "5"], ["1234.00", "5.00"]),
    "a single value": (["49.000"], []),
    "negative ones": (["-1.234", "7"], ["7.00"]),
}


@pytest.mark.parametrize(("texts", "kept"), POINTS.values(), ids=POINTS)
def test_three_digits_after_the_only_point_are_read_only_if_another_value_shows_what_it_is(
    stage, tmp_path, texts, kept
):
    lines = [f"channel {n};{text}" for n, text in enumerate(texts)]
    (tmp_path / "acquisition_channels.csv").write_text("\n".join(["channel_name;cost_per_acquisition", *lines]))
    outcome = stage("acquisition_channels")
    assert [str(value) for (value,) in outcome.kept_values("cost_per_acquisition")] == kept
    assert {reject["check_name"] for reject in outcome.rejects} <= {"parses_as_number"}
    assert len(outcome.rejects) == len(texts) - len(kept)


def test_each_file_has_its_own_points(stage, tmp_path):
    (tmp_path / "ads-de.csv").write_text("channel_name,cost_per_acquisition\nde,1.234\n")
    (tmp_path / "ads-us.csv").write_text("channel_name,cost_per_acquisition\nus,1.234\nuk,1.50\n")
    sources = Sources(datasets={"acquisition_channels": DatasetSource(file="ads-*")})
    outcome = stage("acquisition_channels", sources)
    assert outcome.kept_values("channel_name", "cost_per_acquisition") == [
        ("uk", Decimal("1.50")),
        ("us", Decimal("1.23")),
    ]
    assert outcome.reasons() == [(1, "cost_per_acquisition", "parses_as_number", "1.234")]


def test_an_unclear_number_is_read_where_sources_yaml_states_the_format_or_a_meaning(stage, tmp_path):
    (tmp_path / "acquisition_channels.csv").write_text("channel_name,cost_per_acquisition\na,1.234\n")
    read = [
        stage("acquisition_channels", sources).kept_values("cost_per_acquisition")
        for sources in (
            Sources(number_format="1234.50"),
            Sources(number_format="1.234,50"),
            Sources(aliases={"acquisition_channels.cost_per_acquisition": {"1.234": 1234}}),
        )
    ]
    assert read == [[(Decimal("1.23"),)], [(Decimal(1234),)], [(Decimal(1234),)]]


def test_a_whole_number_with_three_zeros_is_not_one(stage, tmp_path):
    lines = [f"U{n},C1,2026-01-01,{text},1" for n, text in enumerate(["1.000", "7.0", "7.0000", "0.000", "1000.000"])]
    (tmp_path / "product_usage.csv").write_text("\n".join(["usage_id,customer_id,date,logins,key_actions", *lines]))
    outcome = stage("product_usage", parents={"customer_id": (["C1"], [])})
    assert outcome.kept_values("logins") == [(7,), (7,), (0,), (1000,)]
    assert outcome.reasons() == [(1, "logins", "parses_as_whole_number", "1.000")]


# --- days as numbers ------------------------------------------------------------------------------

DAYS = {
    "1767571200": "2026-01-05",
    "1767571200.0": "2026-01-05",
    "1767657599": "2026-01-05",
    "1767571200000": "2026-01-05",
    "1767657599999": "2026-01-05",
    "46027": "2026-01-05",
    "46027.0": "2026-01-05",
    "2958465": "9999-12-31",
    "2026-01-05": "2026-01-05",
    "46027.5": None,
    "-46027": None,
    "0": None,
    "2026": None,
    "20260105": None,
    "9" * 15: None,
    "9" * 30: None,
}


@pytest.mark.parametrize("words", [["epoch_seconds", "epoch_milliseconds", "excel_serial"], ["excel_serial", "epoch_milliseconds", "epoch_seconds"]])  # fmt: skip
def test_days_as_whole_numbers_have_one_meaning_in_any_order(stage, tmp_path, words):
    lines = [f"C{n:02},{text}" for n, text in enumerate(DAYS)]
    (tmp_path / "customers.csv").write_text("\n".join(["customer_id,signup_date", *lines]))
    outcome = stage("customers", Sources(date_formats=words))
    found = {key: day.isoformat() for key, day in outcome.kept_values("customer_id", "signup_date")}
    assert found == {f"C{n:02}": day for n, day in enumerate(DAYS.values()) if day}
    assert {reject["check_name"] for reject in outcome.rejects} == {"parses_as_date"}


def test_a_number_is_a_day_only_in_a_unit_that_is_listed(stage, tmp_path):
    (tmp_path / "customers.csv").write_text("customer_id,signup_date\nC1,1767571200\nC2,46027\nC3,05.01.2026\n")
    assert stage("customers", Sources(date_formats=["epoch_milliseconds"])).kept == []
    outcome = stage("customers", Sources(date_formats=["%d.%m.%Y", "excel_serial"]))
    assert outcome.kept_values("customer_id", "signup_date") == [
        ("C2", dt.date(2026, 1, 5)),
        ("C3", dt.date(2026, 1, 5)),
    ]


def test_a_format_that_is_neither_a_word_nor_one_of_strptime_is_refused(tmp_path):
    path = tmp_path / "sources.yaml"
    path.write_text("date_formats: [excel_serial, '%Q']\n")
    with raises_problems("date_formats: rules.date_format"):
        check_sources(replace(RULES, folder=tmp_path, sources=load(path, Sources)))


def test_a_number_format_that_does_not_exist_is_refused(tmp_path):
    path = tmp_path / "sources.yaml"
    path.write_text("number_format: '1234,5'\n")
    with raises_problems("number_format: rules.wrong_value"):
        load(path, Sources)
    path.write_text("number_format: 1234.50\n")
    assert load(path, Sources).number_format == "1234.50"
