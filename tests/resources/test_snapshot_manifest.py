"""What is remembered of the published snapshot."""

import dataclasses
import datetime as dt
import json

import pytest

from resources.home import Home
from resources.snapshot_manifest import (
    PublishedInputs,
    output_sizes,
    published_inputs,
    remove_manifest,
    write_manifest,
)

INPUTS = PublishedInputs("f1", {"customers": "c1"}, "2026-06-30", "2026-07-04", False, {"reports/a.md": 3})


@pytest.fixture
def place(tmp_path) -> Home:
    return Home(tmp_path)


def test_what_is_remembered_is_read_again(place):
    write_manifest(place, INPUTS)
    assert published_inputs(place) == INPUTS


def test_what_is_forgotten_is_gone_and_may_be_forgotten_twice(place):
    write_manifest(place, INPUTS)
    remove_manifest(place)
    remove_manifest(place)
    assert published_inputs(place) is None


@pytest.mark.parametrize(
    "text",
    ["", "{", "[]", "null", "[" * 100_000, "\udcff", '{"fingerprint": "f1"}', '{"of_another_version": 1}'],
    ids=lambda text: text[:20].encode(errors="replace"),
)
def test_what_cannot_be_read_says_nothing(place, text):
    place.inputs.parent.mkdir(parents=True)
    place.inputs.write_bytes(text.encode(errors="surrogateescape"))
    assert published_inputs(place) is None


@pytest.mark.parametrize(
    "change",
    [
        {"fingerprint": 5},
        {"sources": None},
        {"sources": {"customers": 1}},
        {"as_of_date": "30 June"},
        {"valid_until": "soon"},
        {"valid_until": 20260704},
        {"is_demo": "no"},
        {"outputs": [3]},
        {"outputs": {"reports/a.md": "3"}},
        {"of_another_version": 1},
    ],
    ids=str,
)
def test_what_is_damaged_counts_as_none(place, change):
    place.inputs.parent.mkdir(parents=True)
    place.inputs.write_text(json.dumps(dataclasses.asdict(INPUTS) | change))
    assert published_inputs(place) is None


def test_the_same_files_give_the_same_answer_until_the_first_event_that_lies_ahead():
    assert INPUTS.is_valid_on(dt.date(2026, 7, 3))
    assert not INPUTS.is_valid_on(dt.date(2026, 7, 4))
    assert dataclasses.replace(INPUTS, valid_until=None).is_valid_on(dt.date(2099, 1, 1))


def test_outputs_are_what_is_published_reported_and_exported(place):
    for name, text in {
        "published/productpulse.duckdb": "snapshot",
        "published/history/kpi/2026-06-30.parquet": "kpis",
        "published/inputs.json": "{}",
        "reports/a.md": "abc",
        "exports/a.csv": "a",
        "exports/.a.csv.x.part": "half",
        "productpulse.duckdb": "the working file",
    }.items():
        (place.root / name).parent.mkdir(parents=True, exist_ok=True)
        (place.root / name).write_text(text)
    assert output_sizes(place) == {
        "exports/a.csv": 1,
        "published/history/kpi/2026-06-30.parquet": 4,
        "published/productpulse.duckdb": 8,
        "reports/a.md": 3,
    }
