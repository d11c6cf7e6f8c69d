"""The settings of the shapes of subscriptions: what they accept, and the sentence for what they do not."""

from __future__ import annotations

from pathlib import Path

import pytest

from rules.loading.files import load
from rules.models import Sources
from rules.shapes import EventWords
from tests.errors import raises_problems

SHAPE = "datasets > subscriptions > shape"


def read(folder: Path, settings: str, dataset: str = "subscriptions") -> Sources:
    path = folder / "sources.yaml"
    path.write_text(f"datasets:\n  {dataset}: {settings}\n", encoding="utf-8")
    return load(path, Sources)


@pytest.mark.parametrize(
    ("shape", "problem"),
    [
        ("wide_months", f"{SHAPE}: rules.wrong_value"),
        ("{month: Month}", f"{SHAPE}: rules.wrong_value"),
        ("{kind: weekly}", f"{SHAPE}: rules.wrong_value"),
        ("{kind: monthly_snapshots}", f"{SHAPE} > month: rules.missing_key"),
        ("{kind: wide_months, month: Month}", f"{SHAPE} > month: rules.unknown_key"),
        ("{kind: events, event: Event}", f"{SHAPE} > date: rules.missing_key"),
        ("{kind: events, event: Event, date: Day, words: {left: [x]}}", f"{SHAPE} > words > left: rules.unknown_key"),
        ("{kind: events, event: Event, date: Day, words: {new: [a], end: [A]}}", f"{SHAPE} > words: rules.wrong_value"),
        ("{kind: invoice_lines, from: From}", f"{SHAPE} > to: rules.missing_key"),
        ("{kind: invoice_lines, from: From, to: ''}", f"{SHAPE} > to: rules.wrong_value"),
    ],
)
def test_a_shape_that_cannot_be_used_is_refused_with_what_is_accepted(tmp_path, shape, problem):
    with raises_problems(problem):
        read(tmp_path, f"{{shape: {shape}}}")


@pytest.mark.parametrize(
    "more",
    [
        "inclusive_ends: true",
        "ends_of_active_rows: planned",
        "columns: {start_date: Start}",
        "columns: {end_date: End}",
    ],
)
def test_a_setting_that_a_shape_would_ignore_is_refused(tmp_path, more):
    with raises_problems("datasets > subscriptions: rules.wrong_value"):
        read(tmp_path, f"{{shape: {{kind: monthly_snapshots, month: Month}}, {more}}}")


def test_the_columns_that_a_kind_does_not_read_are_refused(tmp_path):
    with raises_problems("datasets > subscriptions: rules.wrong_value"):
        read(tmp_path, "{shape: {kind: wide_months}, columns: {monthly_price: MRR}}")
    with raises_problems("datasets > subscriptions: rules.wrong_value"):
        read(tmp_path, "{shape: {kind: events, event: Event, date: Day}, columns: {status: State}}")


def test_each_usual_word_of_events_has_one_meaning():
    words = [word for field in EventWords.model_fields.values() for word in field.default]
    assert len(words) == len(set(words))
    assert EventWords(new=("Ended",)).kinds()["ended"] == "new"
    assert EventWords(new=("Ended",)).kinds()["churned"] == "end"
