"""Every broken input of this folder: a clear sentence or exact rejects, and rows in = kept + rejected."""

from __future__ import annotations

import re

import dagster as dg
import pytest

from rules.files import RulesError
from tests.broken_inputs import csv_texts, csv_values, documents, rules_files
from tests.broken_inputs.judging import Input, judge, lay_out
from tests.fuzz.entrances import YAML

INPUTS = (
    *csv_texts.ENCODINGS, *csv_texts.OTHER_FORMATS, *csv_texts.LINES, *csv_texts.HEADERS,
    *csv_values.DATES, *csv_values.NUMBERS, *csv_values.ROWS,
    *documents.JSON, *documents.PARQUETS, *documents.SETTINGS,
)  # fmt: skip


@pytest.fixture(scope="module")
def instance():
    with dg.DagsterInstance.ephemeral() as instance:
        yield instance


def matches(said: str, sentence: str) -> bool:
    """Whether it is the sentence; … in it stands for words that are not ours."""
    return re.fullmatch(re.escape(sentence).replace("…", ".*"), said, re.DOTALL) is not None


@pytest.mark.parametrize("given", [pytest.param(each, id=each.how) for each in INPUTS])
def test_a_sentence_or_exact_rejects(tmp_path, instance, given: Input):
    data = lay_out(tmp_path, given)
    found = judge(tmp_path, instance, given.dataset)
    if given.said:
        (said,) = found.problems
        assert matches(said, given.said.replace("{data}", str(data))), said
        assert found.counted is None  # nothing was read, so nothing is kept
        return
    assert found.problems == []
    assert found.kept == given.kept
    assert sorted(found.rejects, key=str) == sorted(given.rejects, key=str)
    rejected = {row_number for row_number, *_ in found.rejects}
    assert given.rows == len(found.kept) + len(rejected)
    assert found.counted == (given.rows, len(found.kept), len(rejected))


@pytest.mark.parametrize("given", [pytest.param(each, id=each.how) for each in rules_files.YAML])
def test_a_sentence_about_rules(tmp_path, monkeypatch, given: rules_files.RulesText):
    path = tmp_path / f"{given.file}.yaml"
    path.write_bytes(given.text if isinstance(given.text, bytes) else given.text.encode())
    monkeypatch.setenv("PRODUCTPULSE_RULES_DIR", str(tmp_path))
    with pytest.raises(RulesError) as caught:
        YAML[given.file]()
    assert matches(str(caught.value), path.name + given.said.replace("{path}", str(path))), caught.value
