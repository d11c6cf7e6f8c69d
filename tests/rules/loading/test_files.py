"""A file of the rules folder that cannot be read says so in a sentence, with the file and what to do."""

import os
import shutil
from pathlib import Path

import pytest

from resources.settings import Settings
from rules.loading.files import RulesError, Strict, load, text_hash
from rules.models import Sources
from rules.rule_set import MODELS, SHIPPED, read_rules


class Thresholds(Strict):
    """A small rules file."""

    low: int
    high: int = 9


@pytest.fixture
def path(tmp_path) -> Path:
    """Where thresholds.yaml is to be read from."""
    return tmp_path / "thresholds.yaml"


def refusal(path: Path, content: bytes | str) -> str:
    """What is said about thresholds.yaml with this content."""
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    with pytest.raises(RulesError) as caught:
        load(path, Thresholds)
    assert str(path) in str(caught.value)
    return str(caught.value)


def test_a_file_that_is_right_is_read(path):
    path.write_text("# the lowest\nlow: 3\n")
    assert load(path, Thresholds) == Thresholds(low=3, high=9)


@pytest.mark.parametrize(
    ("content", "said"),
    [
        ("# only a comment\n", "thresholds.yaml is empty; a mapping of names to values is expected ({path})."),
        ("low", "thresholds.yaml is a str; a mapping of names to values is expected ({path})."),
        ("low: 1\nhigh: [2\n", "thresholds.yaml is not valid YAML ({path}): line 3: expected ',' or ']', but got '<stream end>'."),
        ("low: \x07\n", "thresholds.yaml is not valid YAML ({path}): unacceptable character #x0007: special characters are not allowed."),
    ],
)  # fmt: skip
def test_what_cannot_be_read_is_said_with_file_and_remedy(path, content, said):
    assert refusal(path, content) == said.format(path=path)


def test_a_nested_duplicate_key_is_found(path):
    assert "line 4: 'high' is defined twice." in refusal(path, "low:\n  high: 1\n  x: 2\n  high: 3\n")


def test_a_missing_file_is_said_with_the_setting_that_names_its_folder(path):
    with pytest.raises(RulesError) as caught:
        load(path, Thresholds)
    assert str(caught.value) == (
        f"thresholds.yaml cannot be read at {path}: No such file or directory. "
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
def test_what_is_no_file_is_not_read(path, make, found):
    make(path)
    with pytest.raises(RulesError) as caught:
        load(path, Thresholds)
    assert str(caught.value) == f"thresholds.yaml is {found}, not a file ({path}). Put a file in its place."


def test_every_mistake_is_said_at_once_one_line_each(path):
    assert refusal(path, "low: three\nhihg: 4\n").splitlines() == [
        f"thresholds.yaml cannot be used ({path}):",
        "  low: is 'three'; accepted: a whole number.",
        "  hihg: is not a known key; accepted: low, high.",
    ]
    assert refusal(path, "high: 4\n").splitlines()[1:] == ["  low: is missing; accepted: a whole number."]


def test_a_long_value_is_shown_in_part(path):
    line = refusal(path, f"low: {'x' * 500}\n").splitlines()[1]
    assert line == f"  low: is '{'x' * 56}...; accepted: a whole number."


def test_a_mistake_in_sources_is_said_with_its_place(tmp_path):
    (tmp_path / "sources.yaml").write_text("time_zone: Mars/Olympus\ndatasets:\n  customers: {max_reject_share: 2.0}\n")
    with pytest.raises(RulesError) as caught:
        load(tmp_path / "sources.yaml", Sources)
    assert str(caught.value).splitlines()[1:] == [
        "  time_zone: is 'Mars/Olympus'; is not a time zone such as UTC or Europe/Berlin.",
        "  datasets > customers > max_reject_share: is 2.0; accepted: 1.0 or less.",
    ]


def test_the_rules_folder_is_the_programs_own_by_default(monkeypatch, tmp_path):
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
    with pytest.raises(RulesError, match=r"segments\.yaml cannot be read at"):
        read_rules(tmp_path)


def test_the_hash_changes_with_the_file(path):
    path.write_text("low: 1\n")
    before = text_hash(path)
    assert text_hash(path) == before and len(before) == 12
    path.write_text("low: 2\n")
    assert text_hash(path) != before
