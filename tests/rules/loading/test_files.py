"""A rules file that cannot be read is refused with a sentence that names the file and what to do."""

import os
import shutil
from pathlib import Path

import pytest

from resources.settings import Settings
from rules.loading.files import Strict, load, text_hash
from rules.loading.problems import Problem, RulesError
from rules.models import Sources
from rules.rule_set import MODELS, SHIPPED, read_rules
from tests.errors import raises, raises_problems


class Thresholds(Strict):
    """A small rules file."""

    low: int
    high: int = 9


@pytest.fixture
def path(tmp_path) -> Path:
    """Where thresholds.yaml is to be read from."""
    return tmp_path / "thresholds.yaml"


def load_content(path: Path, content: bytes | str) -> Thresholds:
    """A thresholds.yaml with this content."""
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    return load(path, Thresholds)


def test_a_file_that_is_right_is_read(path):
    path.write_text("# the lowest\nlow: 3\n")
    assert load(path, Thresholds) == Thresholds(low=3, high=9)


@pytest.mark.parametrize(
    ("content", "code"),
    [
        ("# only a comment\n", "rules.not_a_mapping"),
        ("low", "rules.not_a_mapping"),
        ("low: 1\nhigh: [2\n", "rules.yaml_syntax"),
        ("low: \x07\n", "rules.yaml_syntax"),
        ("low: &low [*low]\n", "rules.anchor_in_itself"),
        ("low: 2026-02-30\n", "rules.unreadable_value"),
        (f"low: 0x{'f' * 4000}\n", "rules.number_too_large"),
        ("low: " + "[" * 100 + "]" * 100, "rules.too_deep"),
        ("".join(f"a{n}: &a{n} [{', '.join([f'*a{n - 1}' if n else 'x'] * 10)}]\n" for n in range(6)), "rules.too_many_values"),
        ("# long\n" * 200_000, "rules.file_too_large"),
        ("low: 3 # fünf".encode("latin-1"), "rules.not_utf8"),
    ],
)  # fmt: skip
def test_a_file_that_cannot_be_read_is_refused(path, content, code):
    with raises(code, RulesError) as caught:
        load_content(path, content)
    assert caught.value.details["file"] == path


def test_a_nested_duplicate_key_is_found_with_its_line(path):
    with raises("rules.duplicate_key"):
        load_content(path, "low:\n  high: 1\n  x: 2\n  high: 3\n")


def test_a_missing_file_is_reported_with_the_setting_that_names_its_folder(path):
    with raises("rules.file_not_readable") as caught:
        load(path, Thresholds)
    assert "PRODUCTPULSE_RULES_DIR" in str(caught.value)


@pytest.mark.parametrize(
    ("make", "found"),
    [
        (os.mkfifo, "a pipe or a device"),
        (lambda path: path.symlink_to("/dev/zero"), "a pipe or a device"),
        (Path.mkdir, "a folder"),
    ],
)
def test_what_is_not_a_file_is_not_read(path, make, found):
    make(path)
    with raises("rules.not_a_file") as caught:
        load(path, Thresholds)
    assert f" is {found}, not a file" in str(caught.value)


def test_every_mistake_is_reported_at_once_one_line_each(path):
    with raises_problems("low: rules.wrong_value", "hihg: rules.unknown_key"):
        load_content(path, "low: three\nhihg: 4\n")
    with pytest.raises(RulesError) as caught:
        load(path, Thresholds)
    assert str(caught.value).splitlines() == [
        f"thresholds.yaml cannot be used ({path}):",
        "  low: is 'three'; accepted: a whole number.",
        "  hihg: is not a known key; accepted: low, high.",
    ]
    assert caught.value.problems[1] == Problem("rules.unknown_key", "hihg", "is not a known key", "low, high")


def test_a_missing_key_is_named_with_what_is_accepted(path):
    with raises_problems("low: rules.missing_key"):
        load_content(path, "high: 4\n")


def test_a_long_value_is_shown_in_part(path):
    with raises_problems("low: rules.wrong_value"):
        load_content(path, f"low: {'x' * 500}\n")


def test_a_mistake_in_sources_is_reported_with_its_place(tmp_path):
    (tmp_path / "sources.yaml").write_text("time_zone: Mars/Olympus\ndatasets:\n  customers: {max_reject_share: 2.0}\n")
    with raises_problems("time_zone: rules.wrong_value", "datasets > customers > max_reject_share: rules.wrong_value"):
        load(tmp_path / "sources.yaml", Sources)


def test_the_default_rules_folder_is_the_programs_own(monkeypatch, tmp_path):
    monkeypatch.delenv("PRODUCTPULSE_RULES_DIR", raising=False)
    assert Settings().rules_dir == SHIPPED
    monkeypatch.setenv("PRODUCTPULSE_RULES_DIR", str(tmp_path))
    assert Settings().rules_dir == tmp_path


def test_a_rules_folder_is_read_whole(tmp_path):
    shipped = read_rules()
    assert {path.stem for path in shipped.folder.glob("*.yaml")} == set(MODELS) == set(shipped.hashes)
    for name in MODELS:
        shutil.copy(shipped.path(name), tmp_path)
    (tmp_path / "sources.yaml").write_text("reporting_currency: EUR\n")
    rules = read_rules(tmp_path)
    assert (rules.currency, shipped.currency) == ("EUR", "USD")
    assert rules.metric_catalog == shipped.metric_catalog
    assert {name for name in MODELS if rules.hashes[name] != shipped.hashes[name]} == {"sources"}
    (tmp_path / "segments.yaml").unlink()
    with raises("rules.file_not_readable", RulesError) as caught:
        read_rules(tmp_path)
    assert caught.value.details["file"] == tmp_path / "segments.yaml"


def test_the_hash_changes_with_the_file(path):
    path.write_text("low: 1\n")
    before = text_hash(path)
    assert text_hash(path) == before and len(before) == 12
    path.write_text("low: 2\n")
    assert text_hash(path) != before
