"""A source's rows are typed and kept, or rejected under the name of the rule that they break."""

from __future__ import annotations

import datetime as dt
import gzip
from dataclasses import replace
from decimal import Decimal
from pathlib import Path

import dagster as dg
import duckdb
import hypothesis.strategies as st
import ibis.expr.operations as ops
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from dagster_duckdb import DuckDBResource
from hypothesis import HealthCheck, given, settings

from asset_checks.contracts import CONTRACTS
from asset_checks.validation_gate import broken_rows, gate_results, tally, tolerance_result
from productpulse_assets.sources.errors import SourceProblem
from productpulse_assets.sources.location import check_sources
from resources.duckdb_connection import FileAccess, set_up
from resources.warehouse import Warehouse
from rules.models import DatasetSource, QueryFile, Sources
from tests.errors import raises, raises_problems
from tests.graph import RULES
from tests.productpulse_assets.sources.staged import PLAIN, staged

pytestmark = pytest.mark.slow

# --- every row is accounted for ------------------------------------------------------------------

GOOD = {
    "customer": ["C1", "C2", " C3 "],
    "status": ["Active", "past due", " TRIAL"],
    "start": ["2026-01-05", "2026-1-5", "2026-01-05T10:00:00Z"],
    "end": ["", "2026-02-01", "2026-01-05"],
    "price": ["0", "99.90", " 1e2 "],
}
BAD = {
    "customer": ["C9", "", "LOST"],
    "status": ["Paused", "", "Active;"],
    "start": ["2026-02-30", "soon", "", "05/01/2026"],
    "end": ["2025-12-31", "never"],
    "price": ["-1", "1,000.00", "$5", "", "NaN"],
}
MALFORMED = ["S1,C1", "S1,C1,Active,2026-01-05,,5,6", '"S1"x,C1,Active,2026-01-05,,5', "one"]
cells = st.fixed_dictionaries(
    {name: st.sampled_from([(text, True) for text in good] * 3 + [(text, False) for text in BAD[name]]) for name, good in GOOD.items()}
)  # fmt: skip
records = st.lists(
    st.one_of(st.tuples(st.sampled_from([*"abcdef", ""]), cells), st.sampled_from(MALFORMED)), min_size=1, max_size=25
)


def line_of(record) -> str:
    if isinstance(record, str):
        return record
    key, row = record
    texts = [row[column][0] for column in GOOD]  # drawn in any order
    return ",".join([key, *(f'"{text}"' if "," in text else text for text in texts)])


def valid_keys(drawn) -> list[str]:
    """The keys that must be kept: those with a row without a fault."""
    rows = [record for record in drawn if not isinstance(record, str)]
    return sorted({key for key, row in rows if key and all(is_good for _, is_good in row.values())})


@settings(max_examples=20, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(drawn=records)
def test_rows_in_are_rows_kept_and_rows_rejected(stage, tmp_path, drawn):
    header = "subscription_id,customer_id,status,start_date,end_date,monthly_price"
    (tmp_path / "subscriptions.csv").write_text("\n".join([header, *map(line_of, drawn)]) + "\n")
    outcome = stage("subscriptions", parents={"customer_id": (["C1", "C2", "C3"], ["LOST"])})
    rejected = {reject["row_number"] for reject in outcome.rejects}
    assert outcome.rows_in == len(drawn)
    assert len(outcome.kept) + len(rejected) == len(drawn)
    assert [row["subscription_id"] for row in outcome.kept] == valid_keys(drawn)
    assert (
        {n for n, record in enumerate(drawn, 1) if isinstance(record, str)} <= rejected <= set(range(1, len(drawn) + 1))
    )
    assert broken_rows(CONTRACTS["subscriptions"], outcome.tables[0]) == (len(outcome.kept), {})


# --- rows that are stored once -------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("ids", "is_reused"),
    [(["N1", "N2", "N3"], True), (["N2", "N1", "N3"], False), (["N1", "N1", "N3"], False), ([], True)],
)
def test_valid_rows_in_the_order_of_their_key_are_not_stored_twice(stage, tmp_path, ids, is_reused):
    lines = [f"{key},C1,2026-01-01,9" for key in ids]
    (tmp_path / "nps_scores.csv").write_text("\n".join(["score_id,customer_id,date,score", *lines]))
    outcome = stage("nps_scores", parents={"customer_id": (["C1"], [])})
    stored = outcome.tables[0].op()
    assert isinstance(stored, ops.DatabaseTable) == is_reused
    assert outcome.tables[0].columns == tuple(CONTRACTS["nps_scores"].columns)
    assert [row["score_id"] for row in outcome.kept] == sorted(set(ids))


def test_an_invalid_row_is_not_reused(stage, tmp_path):
    (tmp_path / "nps_scores.csv").write_text(
        "score_id,customer_id,date,score\nN1,C1,2026-01-01,9\nN2,C1,2026-01-01,11\n"
    )
    outcome = stage("nps_scores", parents={"customer_id": (["C1"], [])})
    assert outcome.kept_values("score_id") == [("N1",)]
    assert outcome.reasons() == [(2, "score", "between_0_and_10", "11")]


# --- duplicates ----------------------------------------------------------------------------------


def test_the_first_valid_row_of_duplicates_stays(stage, tmp_path):
    (tmp_path / "customers.csv").write_text(
        "customer_id,signup_date,segment\n"
        "C1,soon,SMB\n"  # invalid, so its key stays free
        "C1,2026-01-02,SMB\n"
        "C2,2026-01-01,\n"
        "C1,2026-01-01,SMB\n"
        " C1 ,2026-1-2, SMB\n"  # the same values, written in another way
        "C2,2026-01-01,\n"
        "C2,2026-01-01,Enterprise\n"
    )
    outcome = stage("customers")
    assert outcome.kept_values("customer_id", "signup_date", "segment") == [
        ("C1", dt.date(2026, 1, 2), "SMB"),
        ("C2", dt.date(2026, 1, 1), None),
    ]
    assert outcome.reasons() == [
        (1, "signup_date", "parses_as_date", "soon"),
        (4, "customer_id", "unique_key", "C1"),
        (5, "customer_id", "duplicate_row", " C1 "),
        (6, "customer_id", "duplicate_row", "C2"),
        (7, "customer_id", "unique_key", "C2"),
    ]


def test_a_key_of_two_columns_may_repeat_in_one_of_them(stage, tmp_path):
    (tmp_path / "targets.csv").write_text(
        "metric_name,target_value,date\nMRR,1,2026-01-01\nMRR,2,2026-02-01\nMRR,3,2026-02-01\n"
    )
    outcome = stage("targets")
    assert outcome.kept_values("metric_name", "target_value") == [("MRR", 1), ("MRR", 2)]
    assert outcome.reasons() == [(3, "metric_name", "unique_key", "MRR")]


def test_a_reject_has_the_place_and_all_values_of_the_row(stage, tmp_path):
    (tmp_path / "nps_scores.csv").write_text(
        "score_id,customer_id,date,score,note\nN1,C1,2026-01-01,9,fine\nN2,C1,2026-01-32,eleven,bad\n"
    )
    outcome = stage("nps_scores", parents={"customer_id": (["C1"], [])})
    assert outcome.reasons() == [
        (2, "date", "parses_as_date", "2026-01-32"),
        (2, "score", "parses_as_whole_number", "eleven"),
    ]
    for reject in outcome.rejects:
        assert (reject["dataset"], reject["source_file"], reject["row_key"]) == ("nps_scores", "nps_scores.csv", "N2")
        assert (
            reject["row_json"]
            == '{"score_id":"N2","customer_id":"C1","date":"2026-01-32","score":"eleven","note":"bad"}'
        )


# --- parents -------------------------------------------------------------------------------------


def test_children_of_rejected_parents_do_not_count_towards_the_tolerance(stage, tmp_path):
    lines = [f"N{n},C1,2026-01-01,9" for n in range(1, 98)] + [
        "N98,LOST,2026-01-01,9",
        "N99,LOST,2026-01-01,9",
        "N100,C1,2026-01-01,11",
    ]
    (tmp_path / "nps_scores.csv").write_text("\n".join(["score_id,customer_id,date,score", *lines]))
    outcome = stage("nps_scores", parents={"customer_id": (["C1"], ["LOST"])})
    assert outcome.reasons() == [
        (100, "score", "between_0_and_10", "11"),
        (98, "customer_id", "parent_rejected", "LOST"),
        (99, "customer_id", "parent_rejected", "LOST"),
    ]
    schema, (kept, rejects) = CONTRACTS["nps_scores"], outcome.tables
    counted = tally(schema, kept, rejects)
    verdict = {share: tolerance_result(schema, counted, rejects, share) for share in (0.01, 0.009)}
    assert verdict[0.01].passed
    assert verdict[0.01].metadata["rejected"].value == 1
    assert verdict[0.01].metadata["parent_rejected"].value == 2
    assert not verdict[0.009].passed


NPS_HEADER = "score_id,customer_id,date,score"


@pytest.mark.parametrize(("strangers", "passes"), [(90, True), (91, False)])
def test_events_of_people_who_are_no_customers_are_left_out_with_a_warning(stage, tmp_path, strangers, passes):
    lines = [f"N{n},{'lead' if n <= strangers else 'C1'},2026-01-01,9" for n in range(1, 101)]
    (tmp_path / "nps_scores.csv").write_text("\n".join([NPS_HEADER, *lines]))
    outcome = stage("nps_scores", parents={"customer_id": (["C1"], [])})
    results = {
        result.check_name: result for result in gate_results(CONTRACTS["nps_scores"], *outcome.tables, 100, 0.01)
    }
    assert results["rows_accounted_for"].passed
    assert results["rejects_within_tolerance"].passed == passes
    assert results["left_out_without_a_fault"].description == (
        f"nps_scores: {strangers} rows are of customers who are not in customers, such as prospects or staff; they are left "
        "out (first in row 1: 'lead')."
    )


def test_exact_duplicates_count_once_and_stop_nothing(stage, tmp_path):
    (tmp_path / "nps_scores.csv").write_text(f"{NPS_HEADER}\nN1,C1,2026-01-01,9\nN1,C1,2026-01-01,9\n")
    outcome = stage("nps_scores", parents={"customer_id": (["C1"], [])})
    failed = [each for each in gate_results(CONTRACTS["nps_scores"], *outcome.tables, 2, 0) if not each.passed]
    assert [(each.check_name, each.severity) for each in failed] == [
        ("left_out_without_a_fault", dg.AssetCheckSeverity.WARN)
    ]
    assert len(outcome.kept) == 1


def test_rows_without_an_id_get_file_and_row_number(stage, tmp_path):
    (tmp_path / "nps_scores.csv").write_text("customer_id,date,score\nC1,2026-01-01,9\nC1,2026-01-01,9\n")
    outcome = stage("nps_scores", parents={"customer_id": (["C1"], [])})
    assert outcome.kept_values("score_id") == [("nps_scores.csv:000000001",), ("nps_scores.csv:000000002",)]


def test_words_that_stand_for_no_value_are_none_in_any_column(stage, tmp_path):
    rows = ["C1,2026-01-01,NULL,nan", "C2,2026-01-01,\\N,N/A", "C3,2026-01-01,NA,none", "C4,1970-01-01,SMB,DE"]
    (tmp_path / "customers.csv").write_text("\n".join(["customer_id,signup_date,country,segment", *rows]))
    outcome = stage("customers")
    assert outcome.kept_values("customer_id", "country", "segment") == [
        ("C1", None, None), ("C2", None, None), ("C3", "NA", None),
    ]  # fmt: skip
    assert outcome.reasons() == [(4, "signup_date", "parses_as_date", "1970-01-01")]
    own = stage("customers", sources=Sources(null_values=["NA"]))
    assert own.kept_values("country") == [("NULL",), ("\\N",), (None,)]


ENDS = [
    "S1,C1,Active,2026-01-01,2026-01-31,10",
    "S2,C1,Canceled,2026-02-01,2026-02-28,10",
    "S3,C1,Active,2026-03-01,,10",
]


@pytest.mark.parametrize(
    ("about", "ends"),
    [
        ({}, ["2026-01-31", "2026-02-28", None]),
        ({"inclusive_ends": True}, ["2026-02-01", "2026-03-01", None]),
        ({"ends_of_active_rows": "planned"}, [None, "2026-02-28", None]),
        ({"inclusive_ends": True, "ends_of_active_rows": "planned"}, [None, "2026-03-01", None]),
    ],
)
def test_ends_are_read_as_sources_yaml_says(stage, tmp_path, about, ends):
    header = "subscription_id,customer_id,status,start_date,end_date,monthly_price"
    (tmp_path / "subscriptions.csv").write_text("\n".join([header, *ENDS]))
    sources = Sources(datasets={"subscriptions": DatasetSource(**about)})
    outcome = stage("subscriptions", parents={"customer_id": (["C1"], [])}, sources=sources)
    assert [row["end_date"] and row["end_date"].isoformat() for row in outcome.kept] == ends


def test_a_parent_that_was_rejected_once_and_kept_once_has_its_children(stage, tmp_path):
    (tmp_path / "nps_scores.csv").write_text("score_id,customer_id,date,score\nN1,C1,2026-01-01,9\n")
    assert stage("nps_scores", parents={"customer_id": (["C1"], ["C1", "C1"])}).reasons() == []


def test_children_are_compared_with_the_keys_of_rejected_rows(backend, stage, tmp_path):
    (tmp_path / "customers.csv").write_text("customer_id,signup_date\nC1,2026-01-01\n LOST ,soon\n")
    customers = stage("customers")
    (tmp_path / "nps_scores.csv").write_text("score_id,customer_id,date,score\nN1,LOST,2026-01-01,9\n")
    lost = [reject["row_key"] for reject in customers.rejects]
    outcome = stage("nps_scores", parents={"customer_id": ([row["customer_id"] for row in customers.kept], lost)})
    assert outcome.reasons() == [(1, "customer_id", "parent_rejected", "LOST")]


ID_FORMS = {
    "decimals for whole numbers": (["1.0", "2.0"], ["1", "2", "C3"], ["1", "2"]),
    "whole numbers for decimals": (["1", "2", "x"], ["1.0", "2.0"], ["1.0", "2.0"]),
    "both forms in the references": (["1.0", "2"], ["1", "2"], ["2"]),
    "both forms in the keys": (["1.0", "2.0"], ["1", "1.0", "2"], ["1.0"]),
    "ambiguous keys": (["7.0", "8.0"], ["7", "007", "8"], []),
    "ambiguous references": (["7", "007"], ["7.0"], []),
    "more digits than a decimal represents": (["9007199254740992.0", "1.0"], ["9007199254740992", "1"], []),
    "fractions": (["1.0", "1.5"], ["1"], []),
    "no keys": (["1.0"], [], []),
}
"""References, keys of the parent, and the references that are kept, as they are stored."""


@pytest.mark.parametrize(("references", "keys", "kept"), ID_FORMS.values(), ids=ID_FORMS)
def test_ids_as_whole_numbers_and_as_decimals(stage, tmp_path, references, keys, kept):
    lines = [f"N{n},{reference},2026-01-01,9" for n, reference in enumerate(references)]
    (tmp_path / "nps_scores.csv").write_text("\n".join(["score_id,customer_id,date,score", *lines]))
    outcome = stage("nps_scores", parents={"customer_id": (keys, [])})
    assert [key for (key,) in outcome.kept_values("customer_id")] == kept
    assert {check for _row, _column, check, _value in outcome.reasons()} <= {"known_customer"}
    assert len(outcome.kept) + len(outcome.rejects) == len(references)


def test_ids_as_decimals_of_a_rejected_parent(stage, tmp_path):
    (tmp_path / "nps_scores.csv").write_text(
        "score_id,customer_id,date,score\nN1,1.0,2026-01-01,9\nN2,2.0,2026-01-01,9\n"
    )
    outcome = stage("nps_scores", parents={"customer_id": (["1"], ["2"])})
    assert outcome.kept_values("customer_id") == [("1",)]
    assert outcome.reasons() == [(2, "customer_id", "parent_rejected", "2.0")]


def test_ids_of_two_parents_have_separate_forms(stage, tmp_path):
    (tmp_path / "transactions.csv").write_text(TRANSACTION + "T1,1.0,5,100.00,USD,Success,2026-01-01\n")
    outcome = stage("transactions", parents={"customer_id": (["1"], []), "subscription_id": (["5.0"], [])})
    assert outcome.kept_values("customer_id", "subscription_id") == [("1", "5.0")]


def test_ids_in_a_key_column_stay_as_they_are(stage, tmp_path):
    (tmp_path / "customers.csv").write_text("customer_id,signup_date\n1.0,2026-01-01\n1,2026-01-02\n")
    assert stage("customers").kept_values("customer_id") == [("1",), ("1.0",)]


# --- words, names and numbers --------------------------------------------------------------------

SUBSCRIPTION = "subscription_id,customer_id,status,start_date,end_date,monthly_price,billing_cycle,auto_renew\n"


def test_column_maps_and_columns_in_any_case_and_order(stage, tmp_path):
    source = DatasetSource(columns={"customer_id": "Account No", "signup_date": "created"})
    (tmp_path / "customers.csv").write_text("extra,Created,SEGMENT,account no\nx,2026-01-01,SMB,C1\ny,never,SMB,C2\n")
    outcome = stage("customers", Sources(datasets={"customers": source}))
    assert outcome.kept_values("customer_id", "signup_date", "segment") == [("C1", dt.date(2026, 1, 1), "SMB")]
    assert outcome.reasons() == [(2, "signup_date", "parses_as_date", "never")]


def test_absent_optional_columns_are_null(stage, tmp_path):
    (tmp_path / "product_usage.csv").write_text("usage_id,customer_id,date,logins,key_actions\nU1,C1,2026-01-01,3,4\n")
    outcome = stage("product_usage", parents={"customer_id": (["C1"], [])})
    assert outcome.kept == [
        {
            "usage_id": "U1",
            "customer_id": "C1",
            "date": dt.date(2026, 1, 1),
            "logins": 3,
            "key_actions": 4,
            "active_users": None,
            "features_used": None,
        }
    ]


def test_an_absent_dataset_has_no_rows(stage):
    outcome = stage("targets")
    assert (outcome.kept, outcome.rejects, outcome.rows_in) == ([], [], 0)
    assert outcome.tables[0].columns == tuple(CONTRACTS["targets"].columns)


NUMBERS = {
    "3": 3, "3.0": 3, " 3. ": 3, "+3": 3, "0003": 3,
    "3.5": None, "3,000": None, "three": None, "1e1": None, "99999999999999999999": None,
}  # fmt: skip


def test_whole_numbers(stage, tmp_path):
    lines = [f'U{n},C1,2026-01-01,"{text}",1' for n, text in enumerate(NUMBERS, 1)]
    (tmp_path / "product_usage.csv").write_text("\n".join(["usage_id,customer_id,date,logins,key_actions", *lines]))
    outcome = stage("product_usage", parents={"customer_id": (["C1"], [])})
    expected = {f"U{n}": number for n, number in enumerate(NUMBERS.values(), 1)}
    assert dict(outcome.kept_values("usage_id", "logins")) == {key: n for key, n in expected.items() if n is not None}
    assert {reject["value"] for reject in outcome.rejects} == {text for text, n in NUMBERS.items() if n is None}
    assert {reject["check_name"] for reject in outcome.rejects} == {"parses_as_whole_number"}


AMOUNTS = {
    "1000": "1000", "1000.50": "1000.50", ".5": "0.50", " 7 ": "7", "1.5e3": "1500",
    "1,000.00": None, "1.000,00": None, "1 000": None, "$5": None, "5 €": None, "5 USD": None, "(5)": None,
    "1e30": None, "NaN": None, "Infinity": None,
}  # fmt: skip


def test_money_is_parsed_without_guessing(stage, tmp_path):
    lines = [f'channel {n},"{text}"' for n, text in enumerate(AMOUNTS, 1)]
    (tmp_path / "acquisition_channels.csv").write_text("\n".join(["channel_name,cost_per_acquisition", *lines]))
    outcome = stage("acquisition_channels")
    expected = {f"channel {n}": Decimal(text) for n, text in enumerate(AMOUNTS.values(), 1) if text}
    assert dict(outcome.kept_values("channel_name", "cost_per_acquisition")) == expected
    assert {reject["value"] for reject in outcome.rejects} == {text for text, read in AMOUNTS.items() if read is None}
    rules = {reject["value"]: reject["check_name"] for reject in outcome.rejects}
    assert rules.pop("NaN") == "not_null"
    assert set(rules.values()) == {"parses_as_number"}


# --- days ----------------------------------------------------------------------------------------

MOMENTS = {
    "2026-01-05": "2026-01-05",
    "2026-01-05 23:30": "2026-01-05",  # no offset: the zone's own wall clock
    "2026-01-05T23:30:00": "2026-01-05",
    "2026-01-05T23:30:00Z": "2026-01-05",
    "2026-01-06T02:00:00Z": "2026-01-06",
    "2026-01-05T23:30:00-05:00": "2026-01-06",
    "2026-01-06 00:30:00.123+02:00": "2026-01-05",
    "2026-01-06T00:30+02:00": "2026-01-05",  # without seconds
    "2026-01-05T23:30Z": "2026-01-05",
}
IN_NEW_YORK = MOMENTS | {
    "2026-01-06T02:00:00Z": "2026-01-05",
    "2026-01-05T23:30:00-05:00": "2026-01-05",
}


def warehouse_in(folder: Path, time_zone: str) -> Warehouse:
    return Warehouse(
        duckdb=DuckDBResource(database=str(folder / "store.duckdb")),
        glossary=str(Path(__file__).parents[3] / "resources" / "glossary.yaml"),
        time_zone=time_zone,
    )


@pytest.mark.parametrize(("time_zone", "days"), [("UTC", MOMENTS), ("America/New_York", IN_NEW_YORK)])
def test_timestamps_become_days_in_the_time_zone(tmp_path, time_zone, days):
    lines = [f"C{n},{text}" for n, text in enumerate(days, 1)]
    (tmp_path / "customers.csv").write_text("\n".join(["customer_id,signup_date", *lines]))
    with warehouse_in(tmp_path, time_zone).open_for_run(dg.build_init_resource_context()) as warehouse:
        outcome = staged(warehouse.backend, tmp_path, "customers", Sources(time_zone=time_zone), {})
    found = dict(outcome.kept_values("customer_id", "signup_date"))
    assert [found[f"C{n}"].isoformat() for n in range(1, len(days) + 1)] == list(days.values())


def in_new_york(folder: Path, sources: Sources = PLAIN) -> list[str]:
    """The days that customers signed up on, as they are read in New York."""
    with warehouse_in(folder, "America/New_York").open_for_run(dg.build_init_resource_context()) as warehouse:
        outcome = staged(warehouse.backend, folder, "customers", sources, {})
    assert outcome.rejects == []
    return [day.isoformat() for (day,) in outcome.kept_values("signup_date")]


NEAR_A_ZONE = ["02:00:00", "02:00:00 UTC", "02:00:00", "02:00:00 Asia/Tokyo", "02:00", "02:00:00+00", "02:00:00.5"]


def test_the_zone_of_a_row_does_not_apply_to_the_next(tmp_path):
    lines = [f"C{n},2025-04-26 {time}" for n, time in enumerate(NEAR_A_ZONE, 1)]
    (tmp_path / "customers.csv").write_text("\n".join(["customer_id,signup_date", *lines]))
    assert in_new_york(tmp_path) == [f"2025-04-{day}" for day in (26, 25, 26, 25, 26, 25, 26)]


def test_json_timestamps_become_days_in_the_time_zone(tmp_path):
    lines = [f'{{"customer_id": "C{n}", "signup_date": "{text}"}}' for n, text in enumerate(IN_NEW_YORK, 1)]
    (tmp_path / "customers.jsonl").write_text("\n".join(lines))
    assert in_new_york(tmp_path) == list(IN_NEW_YORK.values())


LISTED = {
    "06.01.2026 02:00": "2026-01-06",  # no offset: the zone's own wall clock
    "06.01.2026 02:00 +0000": "2026-01-05",
    "05.01.2026 23:30 -05:00": "2026-01-05",
    "06.01.2026 02:00 UTC": "2026-01-05",
    "06.01.2026 02:00 ": "2026-01-06",
    "06.01.2026 14:00 Asia/Tokyo": "2026-01-06",
    "06.01.2026 13:00 Asia/Tokyo": "2026-01-05",
}


def test_listed_formats_with_an_offset_become_days_in_the_time_zone(tmp_path):
    lines = [f"C{n},{text}" for n, text in enumerate(LISTED, 1)]
    (tmp_path / "customers.csv").write_text("\n".join(["customer_id,signup_date", *lines]))
    sources = Sources(date_formats=["%d.%m.%Y %H:%M", "%d.%m.%Y %H:%M %z", "%d.%m.%Y %H:%M %Z"])
    assert in_new_york(tmp_path, sources) == list(LISTED.values())


@pytest.mark.parametrize(
    ("kind", "day"), [(pa.timestamp("us", tz="UTC"), "2026-01-05"), (pa.timestamp("us"), "2026-01-06")]
)
def test_parquet_timestamps_become_days_in_the_time_zone(tmp_path, kind, day):
    columns = {"customer_id": ["C1"], "signup_date": pa.array([dt.datetime(2026, 1, 6, 2)], kind)}
    pq.write_table(pa.table(columns), tmp_path / "customers.parquet")
    assert in_new_york(tmp_path) == [day]


def test_date_formats_are_tried_in_order_after_iso(stage, tmp_path):
    (tmp_path / "customers.csv").write_text(
        "customer_id,signup_date\nC1,2026-02-01\nC2,01.02.2026\nC3,03/04/2026\nC4,31/12/2026\nC5,1 Feb 2026\n"
    )
    outcome = stage("customers", Sources(date_formats=["%d.%m.%Y", "%m/%d/%Y", "%d/%m/%Y"]))
    assert outcome.kept_values("customer_id", "signup_date") == [
        ("C1", dt.date(2026, 2, 1)),
        ("C2", dt.date(2026, 2, 1)),
        ("C3", dt.date(2026, 3, 4)),  # the first format that fits
        ("C4", dt.date(2026, 12, 31)),
    ]
    assert outcome.reasons() == [(5, "signup_date", "parses_as_date", "1 Feb 2026")]


@pytest.mark.parametrize("text", ["2026-02-29", "2026-13-01", "20260105", "2026-01", "05.01.2026", "2026-01-05T25:00"])
def test_a_text_that_is_not_a_date_is_rejected(stage, tmp_path, text):
    (tmp_path / "customers.csv").write_text(f"customer_id,signup_date\nC1,{text}\n")
    assert stage("customers").reasons() == [(1, "signup_date", "parses_as_date", text)]


# --- currencies ----------------------------------------------------------------------------------

TRANSACTION = "transaction_id,customer_id,subscription_id,amount,currency,status,transaction_date\n"
BILLED = {"customer_id": (["C1"], []), "subscription_id": (["S1"], [])}


def test_currencies_are_converted_or_rejected(stage, tmp_path):
    (tmp_path / "transactions.csv").write_text(
        TRANSACTION
        + "T1,C1,S1,100.00,USD,Success,2026-01-01\n"
        + "T2,C1,S1,100.00, eur ,Success,2026-01-01\n"
        + "T3,C1,S1,1000,JPY,Success,2026-01-01\n"
        + "T4,C1,S1,5,,Success,2026-01-01\n"  # without a code it is the reporting currency
        + "T5,C1,S1,5,CHF,Success,2026-01-01\n"
        + "T6,C1,S1,5,US$,Success,2026-01-01\n"
        + "T7,C1,S1,much,EUR,Success,2026-01-01\n"
    )
    sources = Sources(exchange_rates={"EUR": Decimal("1.105"), "JPY": Decimal("0.0066")})
    outcome = stage("transactions", sources, parents=BILLED)
    assert outcome.kept_values("transaction_id", "amount", "currency") == [
        ("T1", Decimal("100.00"), "USD"),
        ("T2", Decimal("110.50"), "EUR"),
        ("T3", Decimal("6.60"), "JPY"),
        ("T4", Decimal("5.00"), None),
    ]
    assert outcome.reasons() == [
        (5, "currency", "known_currency", "CHF"),
        (6, "currency", "currency_code", "US$"),
        (7, "amount", "parses_as_number", "much"),
    ]


RATES = [
    {"date": day, "currency": currency, "rate": rate}
    for day, currency, rate in (
        ("2026-01-10", "EUR", "1.10"), ("2026-01-20", "EUR", "1.20"), ("2026-01-05", "GBP", "1.30"),
    )
]  # fmt: skip


def test_a_payment_has_the_last_rate_up_to_its_day(stage, tmp_path):
    (tmp_path / "transactions.csv").write_text(
        TRANSACTION
        + "T1,C1,S1,100.00,EUR,Success,2026-01-10\n"
        + "T2,C1,S1,100.00,EUR,Success,2026-01-19\n"
        + "T3,C1,S1,100.00,EUR,Success,2026-02-01\n"
        + "T4,C1,S1,100.00,USD,Success,2026-02-01\n"
        + "T5,C1,S1,100.00,EUR,Success,2026-01-09\n"  # there is a later rate only
        + "T6,C1,S1,100.00,GBP,Success,2026-01-01\n"  # the rate of sources.yaml
        + "T7,C1,S1,100.00,GBP,Success,2026-01-05\n"
    )
    outcome = stage("transactions", Sources(exchange_rates={"GBP": Decimal("1.25")}), parents=BILLED, rates=RATES)
    assert outcome.kept_values("transaction_id", "amount", "amount_at_fixed_rate") == [
        ("T1", 110, 110), ("T2", 110, 110), ("T3", 120, 110), ("T4", 100, None), ("T6", 125, 125), ("T7", 130, 125),
    ]  # fmt: skip
    assert outcome.reasons() == [(5, "currency", "known_currency", "EUR")]


def test_prices_have_a_fixed_rate_and_need_one_of_their_first_day(stage, tmp_path):
    (tmp_path / "subscriptions.csv").write_text(
        "subscription_id,customer_id,status,start_date,monthly_price,discount_amount,currency\n"
        "S1,C1,Active,2026-03-01,100.00,10.00,EUR\n"
        "S2,C1,Active,2026-01-09,100.00,10.00,EUR\n"
    )
    outcome = stage("subscriptions", parents={"customer_id": (["C1"], [])}, rates=RATES)
    assert outcome.kept_values("subscription_id", "monthly_price", "discount_amount") == [("S1", 110, 11)]
    assert outcome.reasons() == [(2, "currency", "known_currency", "EUR")]


def test_the_reporting_currency_is_the_one_that_is_set(stage, tmp_path):
    (tmp_path / "transactions.csv").write_text(
        TRANSACTION + "T1,C1,S1,10,EUR,Success,2026-01-01\nT2,C1,S1,10,USD,Success,2026-01-01\n"
    )
    outcome = stage("transactions", Sources(reporting_currency="EUR"), parents=BILLED)
    assert outcome.kept_values("transaction_id", "amount") == [("T1", Decimal(10))]
    assert outcome.reasons() == [(2, "currency", "known_currency", "USD")]


# --- sources of rows ------------------------------------------------------------------------


def test_parquet_with_types_of_its_own(stage, tmp_path):
    columns = {
        "ticket_id": pa.array([1, 2, 3, 4], pa.int64()),
        "customer_id": ["C1"] * 4,
        "date_opened": pa.array([dt.date(2026, 1, 5)] * 4),
        "date_closed": pa.array([dt.datetime(2026, 1, 6, 23, 59)] * 3 + [None], pa.timestamp("ns")),
        "status": pa.array(["Closed"] * 4).dictionary_encode(),
        "resolution_time_hours": pa.array([1.25, None, float("nan"), float("inf")]),
    }
    pq.write_table(pa.table(columns), tmp_path / "support_tickets.parquet")
    outcome = stage("support_tickets", parents={"customer_id": (["C1"], [])})
    assert outcome.kept_values("ticket_id", "date_opened", "date_closed", "status", "resolution_time_hours") == [
        ("1", dt.date(2026, 1, 5), dt.date(2026, 1, 6), "Closed", Decimal("1.25")),
        ("2", dt.date(2026, 1, 5), dt.date(2026, 1, 6), "Closed", None),
        ("3", dt.date(2026, 1, 5), dt.date(2026, 1, 6), "Closed", None),
        ("4", dt.date(2026, 1, 5), None, "Closed", None),
    ]
    assert outcome.left_empty() == [
        (3, "resolution_time_hours", "parses_as_number", "nan"),
        (4, "resolution_time_hours", "parses_as_number", "inf"),
    ]


def test_parquet_numbers_as_whole_numbers_money_and_truth(stage, tmp_path):
    columns = {
        "subscription_id": ["S1", "S2"],
        "customer_id": ["C1", "C1"],
        "status": ["Active", "Active"],
        "start_date": pa.array(["2026-01-01", "2026-01-01"]),
        "monthly_price": pa.array([Decimal("10.125"), Decimal("-1")], pa.decimal128(10, 3)),
        "auto_renew": pa.array([True, None]),
    }
    pq.write_table(pa.table(columns), tmp_path / "subscriptions.parquet")
    outcome = stage("subscriptions", parents={"customer_id": (["C1"], [])})
    assert outcome.kept_values("monthly_price", "auto_renew") == [(Decimal("10.13"), True)]
    assert outcome.reasons() == [(2, "monthly_price", "not_negative", "-1.000")]
    columns = {
        "score_id": ["N1", "N2", "N3", "N4"],
        "customer_id": ["C1"] * 4,
        "date": pa.array([dt.date(2026, 1, 1)] * 4),
        "score": pa.array([9.0, 8.5, float("nan"), None]),
    }
    pq.write_table(pa.table(columns), tmp_path / "nps_scores.parquet")
    outcome = stage("nps_scores", parents={"customer_id": (["C1"], [])})
    assert outcome.kept_values("score_id", "score") == [("N1", 9)]
    assert outcome.reasons() == [
        (2, "score", "parses_as_whole_number", "8.5"),
        (3, "score", "parses_as_whole_number", "nan"),
        (4, "score", "not_null", None),
    ]


def test_a_query_over_files_of_the_source_folder(tmp_path):
    (tmp_path / "crm.csv").write_text("id,born,kind\n1,2026-01-01,test\n2,2026-01-02,real\n3,never,real\n")
    query = "SELECT 'C' || id AS customer_id, born AS signup_date FROM read_csv('crm.csv', all_varchar = true) WHERE kind = 'real'"
    backend = set_up(duckdb.connect(), "UTC", FileAccess(query_folder=tmp_path))
    outcome = staged(backend, tmp_path, "customers", Sources(datasets={"customers": DatasetSource(query=query)}), {})
    assert outcome.kept_values("customer_id", "signup_date") == [("C2", dt.date(2026, 1, 2))]
    assert outcome.rows_in == 2
    (reject,) = outcome.rejects
    assert (reject["source_file"], reject["column_name"], reject["value"]) == ("query", "signup_date", "never")


def query_sources(query: str, **files: QueryFile) -> Sources:
    """sources.yaml with a query for customers."""
    return Sources(datasets={"customers": DatasetSource(query=query, query_files=files)})


@pytest.fixture
def query_backend(tmp_path):
    return set_up(duckdb.connect(), "UTC", FileAccess(query_folder=tmp_path))


def test_a_query_over_files_that_are_read_like_datasets(query_backend, tmp_path):
    (tmp_path / "b.csv").write_text('id;born;"first kind"\n 1 ;2026-01-01;x\n2;2026-01-02;\nbroken;line\n')
    query = (
        'SELECT a.id AS customer_id, born AS signup_date, coalesce("first kind", town, word) AS segment '
        "FROM accounts a LEFT JOIN words USING (id)"
    )
    sources = query_sources(
        query,
        accounts=QueryFile(file=("a.csv", "b.csv"), columns=("town",)),
        words=QueryFile(file="words.csv", columns=("id", "word"), optional=True),
    )
    outcome = staged(query_backend, tmp_path, "customers", sources, {})
    assert outcome.kept_values("customer_id", "segment") == [("1", "x"), ("2", None)]
    assert outcome.rows_in == 3
    (reject,) = outcome.rejects
    assert (reject["source_file"], reject["row_number"], reject["check_name"]) == ("b.csv", 3, "malformed_line")
    (tmp_path / "words.csv").write_text("id,word\n2,late\n")
    outcome = staged(query_backend, tmp_path, "customers", sources, {})
    assert outcome.kept_values("customer_id", "segment") == [("1", "x"), ("2", "late")]
    assert not {"accounts", "words", "raw_customers_words"} & set(query_backend.list_tables())


def test_every_file_of_the_folder_is_a_table_of_a_query(query_backend, tmp_path):
    (tmp_path / "Customers.csv").write_text("id;born\n007;2026-01-01\n8;2026-01-02\nbroken\n")
    pq.write_table(pa.table({"id": ["007"], "name": ["Acme"]}), tmp_path / "crm 2026.parquet")
    (tmp_path / "words.csv").write_text("torn,file\n1\n")  # a name that the query defines itself
    query = (
        "WITH words AS (SELECT 'SMB' AS word) SELECT id AS customer_id, born AS signup_date, name AS company_name, word AS "
        'segment FROM customers LEFT JOIN "crm 2026" USING (id), words'
    )
    outcome = staged(query_backend, tmp_path, "customers", query_sources(query), {})
    assert outcome.kept_values("customer_id", "company_name", "segment") == [("007", "Acme", "SMB"), ("8", None, "SMB")]
    assert [(each["source_file"], each["check_name"]) for each in outcome.rejects] == [
        ("Customers.csv", "malformed_line")
    ]
    assert not {"customers", "crm 2026"} & set(query_backend.list_tables())


def test_a_table_of_a_query_is_one_file(query_backend, tmp_path):
    for name in ("crm.csv", "crm.json"):
        (tmp_path / name).write_text("id\n1\n")
    with raises("source.several_files", SourceProblem):
        staged(query_backend, tmp_path, "customers", query_sources("SELECT id FROM CRM"), {})


def test_a_file_of_a_query_that_is_not_there(query_backend, tmp_path):
    sources = query_sources("FROM accounts", accounts=QueryFile(file=("a.csv", "b.csv"), columns=("id",)))
    with raises("source.no_match", SourceProblem):
        staged(query_backend, tmp_path, "customers", sources, {})


def test_a_file_of_a_query_has_a_name_of_its_own(tmp_path):
    about = {"customers": QueryFile(file="a.csv"), "raw_accounts": QueryFile(file="a.csv")}
    with raises_problems(
        "datasets > customers > query_files > customers: rules.query_file_name",
        "datasets > customers > query_files > raw_accounts: rules.query_file_name",
    ):
        check_sources(replace(RULES, folder=tmp_path, sources=query_sources("FROM x", **about)))


LEAVES_OUT = (
    "SELECT id AS customer_id, '2026-01-01' AS signup_date, CASE WHEN id IS NULL THEN 'guests' END AS left_out FROM "
    "(VALUES ('C1'), (NULL), ('C2'), (NULL)) AS accounts (id)"
)


def test_rows_that_a_query_leaves_out_are_reported_and_no_fault(query_backend, tmp_path):
    outcome = staged(query_backend, tmp_path, "customers", query_sources(LEAVES_OUT), {})
    assert outcome.kept_values("customer_id") == [("C1",), ("C2",)]
    assert outcome.rows_in == 4
    assert outcome.reasons() == [(2, None, "left_out", "guests"), (4, None, "left_out", "guests")]
    found = {result.check_name: result for result in gate_results(CONTRACTS["customers"], *outcome.tables, 4, 0.0)}
    assert found["rejects_within_tolerance"].passed and found["rows_accounted_for"].passed
    assert not found["left_out_without_a_fault"].passed
    assert found["left_out_without_a_fault"].description == (
        "customers: The query in sources.yaml leaves rows out: guests (2)."
    )


def test_a_query_gives_the_reasons_as_text(query_backend, tmp_path):
    query = "SELECT 'C1' AS customer_id, '2026-01-01' AS signup_date, false AS left_out"
    with raises("query.left_out_not_text", SourceProblem):
        staged(query_backend, tmp_path, "customers", query_sources(query), {})


def test_a_pattern_over_two_files(stage, tmp_path):
    (tmp_path / "crm-2025.csv").write_text("customer_id,signup_date\nC1,2025-01-01\nC2,2025-01-02\n")
    (tmp_path / "crm-2026.csv.gz").write_bytes(
        gzip.compress(b"signup_date,segment,customer_id\n2026-01-01,SMB,C2\nnever,SMB,C3\n2026-01-03,SMB,C4\n")
    )
    outcome = stage("customers", Sources(datasets={"customers": DatasetSource(file="crm-*")}))
    assert outcome.kept_values("customer_id", "segment") == [("C1", None), ("C2", None), ("C4", "SMB")]
    assert outcome.rows_in == 5
    assert sorted((r["source_file"], r["row_number"], r["check_name"]) for r in outcome.rejects) == [
        ("crm-2026.csv.gz", 1, "unique_key"),  # of the files the one that is first by name has the key
        ("crm-2026.csv.gz", 2, "parses_as_date"),
    ]


def test_two_files_of_one_name_are_refused(stage, tmp_path):
    for year in ("2025", "2026"):
        (tmp_path / year).mkdir()
        (tmp_path / year / "crm.csv").write_text(f"customer_id,signup_date\nC{year},{year}-01-01\n")
    with raises("source.same_file_name"):
        stage("customers", Sources(datasets={"customers": DatasetSource(file="*/crm.csv")}))


def test_a_pattern_that_finds_nothing_and_a_dataset_in_two_formats(stage, tmp_path):
    with raises("source.invalid_pattern", SourceProblem):
        stage("customers", Sources(datasets={"customers": DatasetSource(file="**.csv/**x/**")}))
    with raises("source.no_match", SourceProblem):
        stage("customers", Sources(datasets={"customers": DatasetSource(file="crm-*")}))
    for name in ("customers.csv", "customers.json"):
        (tmp_path / name).write_text("")
    with raises("source.several_files", SourceProblem):
        stage("customers")


def test_a_parquet_file_with_a_damaged_page(stage, tmp_path):
    path = tmp_path / "customers.parquet"
    pq.write_table(pa.table({"customer_id": ["C1", "C2"], "signup_date": ["2026-01-01", "2026-01-02"]}), path)
    content = path.read_bytes()
    path.write_bytes(content[:4] + b"\xff" * 40 + content[44:])
    with raises("source.damaged", SourceProblem) as caught:
        stage("customers")
    assert caught.value.details == {"dataset": "customers", "file": "customers.parquet"}


def test_a_file_name_with_a_line_end(stage, tmp_path):
    (tmp_path / "crm\n.csv").write_text("customer_id,signup_date\n")
    with raises("source.file_name", SourceProblem):
        stage("customers", Sources(datasets={"customers": DatasetSource(file="crm*")}))


def test_a_data_folder_that_cannot_be_listed(stage, monkeypatch):
    def refuse(folder: Path):
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(Path, "iterdir", refuse)
    with raises("source.folder_not_listed", SourceProblem):
        stage("customers")
