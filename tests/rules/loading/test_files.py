"""A file of the rules folder that cannot be read says so in a sentence, with the file and what to do."""

import os
from pathlib import Path

import pytest

from rules.loading.files import RulesError, Strict, file_hash, load, rules_dir
from rules.models import Sources


class Thresholds(Strict):
    """A small rules file."""

    low: int
    high: int = 9


@pytest.fixture
def rules(tmp_path, monkeypatch) -> Path:
    """An empty rules folder that the program reads."""
    monkeypatch.setenv("PRODUCTPULSE_RULES_DIR", str(tmp_path))
    return tmp_path


def refusal(rules: Path, content: bytes | str) -> str:
    """What is said about thresholds.yaml with this content."""
    data = content if isinstance(content, bytes) else content.encode()
    (rules / "thresholds.yaml").write_bytes(data)
    with pytest.raises(RulesError) as caught:
        load("thresholds", Thresholds)
    assert str(rules / "thresholds.yaml") in str(caught.value)
    return str(caught.value)


def test_a_file_that_is_right_is_read(rules):
    (rules / "thresholds.yaml").write_text("# the lowest\nlow: 3\n")
    assert load("thresholds", Thresholds) == Thresholds(low=3, high=9)


@pytest.mark.parametrize(
    ("content", "said"),
    [
        ("# only a comment\n", "thresholds.yaml is empty; a mapping of names to values is expected ({path})."),
        ("low", "thresholds.yaml is a str; a mapping of names to values is expected ({path})."),
        ("low: 1\nhigh: [2\n", "thresholds.yaml is not valid YAML ({path}): line 3: expected ',' or ']', but got '<stream end>'."),
        ("low: \x07\n", "thresholds.yaml is not valid YAML ({path}): unacceptable character #x0007: special characters are not allowed."),
    ],
)  # fmt: skip
def test_what_cannot_be_read_is_said_with_file_and_remedy(rules, content, said):
    assert refusal(rules, content) == said.format(path=rules / "thresholds.yaml")


def test_a_nested_duplicate_key_is_found(rules):
    assert "line 4: 'high' is defined twice." in refusal(rules, "low:\n  high: 1\n  x: 2\n  high: 3\n")


def test_a_missing_file_is_said_with_the_setting_that_names_its_folder(rules):
    with pytest.raises(RulesError) as caught:
        load("thresholds", Thresholds)
    assert str(caught.value) == (
        f"thresholds.yaml cannot be read at {rules / 'thresholds.yaml'}: No such file or directory. "
        "Put it there, or set PRODUCTPULSE_RULES_DIR to a folder that has it."
    )


@pytest.mark.parametrize(
    ("make", "found"),
    [
        (os.mkfifo, "a pipe or a device"),
        (lambda path: path.symlink_to("/dev/zero"), "a pipe or a device"),
        (Path.mkdir, "a folder"),
    ],
)
def test_what_is_no_file_is_not_read(rules, make, found):
    make(rules / "thresholds.yaml")
    with pytest.raises(RulesError) as caught:
        load("thresholds", Thresholds)
    place = rules / "thresholds.yaml"
    assert str(caught.value) == f"thresholds.yaml is {found}, not a file ({place}). Put a file in its place."


def test_every_mistake_is_said_at_once_one_line_each(rules):
    assert refusal(rules, "low: three\nhihg: 4\n").splitlines() == [
        f"thresholds.yaml cannot be used ({rules / 'thresholds.yaml'}):",
        "  low: is 'three'; accepted: a whole number.",
        "  hihg: is not a known key; accepted: low, high.",
    ]
    assert refusal(rules, "high: 4\n").splitlines()[1:] == ["  low: is missing; accepted: a whole number."]


def test_a_long_value_is_shown_in_part(rules):
    line = refusal(rules, f"low: {'x' * 500}\n").splitlines()[1]
    assert line == f"  low: is '{'x' * 56}...; accepted: a whole number."


def test_a_mistake_in_sources_is_said_with_its_place(rules):
    (rules / "sources.yaml").write_text("time_zone: Mars/Olympus\ndatasets:\n  customers: {max_reject_share: 2.0}\n")
    with pytest.raises(RulesError) as caught:
        load("sources", Sources)
    assert str(caught.value).splitlines()[1:] == [
        "  time_zone: is 'Mars/Olympus'; is not a time zone such as UTC or Europe/Berlin.",
        "  datasets > customers > max_reject_share: is 2.0; accepted: 1.0 or less.",
    ]


def test_the_rules_folder_is_the_programs_own_unless_said(monkeypatch, tmp_path):
    monkeypatch.delenv("PRODUCTPULSE_RULES_DIR", raising=False)
    assert (rules_dir() / "metric_catalog.yaml").exists()
    monkeypatch.setenv("PRODUCTPULSE_RULES_DIR", str(tmp_path))
    assert rules_dir() == tmp_path


def test_the_hash_changes_with_the_file(rules):
    (rules / "thresholds.yaml").write_text("low: 1\n")
    before = file_hash("thresholds")
    assert file_hash("thresholds") == before and len(before) == 12
    (rules / "thresholds.yaml").write_text("low: 2\n")
    assert file_hash("thresholds") != before
