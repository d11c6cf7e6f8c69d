"""The comments of every sources.yaml that comes along: they explain each setting, and their examples work as they are."""

from __future__ import annotations

import re
from pathlib import Path
from typing import get_args

import pytest
import yaml

from productpulse_assets.cli.init import PRESETS, copy_rules
from productpulse_assets.sources.location import check_sources
from rules.models import DatasetSource, Sources
from rules.rule_set import read_rules
from rules.shapes import Shape
from tests.errors import raises_problems

SOURCES = Path(__file__).parents[2] / "rules" / "sources.yaml"
EXAMPLE = re.compile(r"^(\s*)#: (.*)$", re.MULTILINE)
ALTERNATIVE = re.compile(r"^#   (shape: \{.*\})$", re.MULTILINE)
"""Settings that cannot be combined with those of the examples."""


def sources_of(folder: Path) -> Sources:
    """The settings of a rules folder, validated against the datasets that there are."""
    rules = read_rules(folder)
    check_sources(rules)
    return rules.sources


def uncommented(text: str) -> str:
    """With every example taken into use."""
    return EXAMPLE.sub(r"\1\2", text)


@pytest.fixture(params=[None, *PRESETS])
def folder(request, tmp_path) -> Path:
    """A rules folder as `init` gives it."""
    copy_rules(tmp_path, request.param)
    return tmp_path


def test_it_works_as_it_is_and_with_every_example_in_use(folder):
    path = folder / "sources.yaml"
    as_it_is = sources_of(folder)
    text = path.read_text(encoding="utf-8")
    assert len(EXAMPLE.findall(text)) >= 2
    path.write_text(uncommented(text), encoding="utf-8")
    assert sources_of(folder) != as_it_is


def test_each_example_works_alone(folder):
    path = folder / "sources.yaml"
    text = path.read_text(encoding="utf-8")
    blocks = re.findall(r"(?:^\s*#: .*\n)+", text, re.MULTILINE)
    assert blocks
    for block in blocks:
        path.write_text(text.replace(block, uncommented(block)), encoding="utf-8")
        sources_of(folder)


def test_every_setting_has_an_explanation_and_an_example(tmp_path):
    copy_rules(tmp_path, None)
    text = (tmp_path / "sources.yaml").read_text(encoding="utf-8")
    shown = yaml.safe_load(uncommented(text))
    assert set(shown) == set(Sources.model_fields)
    alternatives = [yaml.safe_load(each) for each in ALTERNATIVE.findall(text)]
    given = [*shown["datasets"].values(), *alternatives]
    assert {key for source in given for key in source} == set(DatasetSource.model_fields)
    for setting in DatasetSource.model_fields:
        assert re.search(rf"^# {setting}: \w+", text, re.MULTILINE), setting
    for setting in Sources.model_fields:
        before = text[: re.search(rf"^(#: )?{setting}:", text, re.MULTILINE).start()].splitlines()[-1]
        assert before.startswith("# "), setting


def test_each_shape_has_an_example_that_works():
    found = ALTERNATIVE.findall(SOURCES.read_text(encoding="utf-8"))
    kinds = {DatasetSource.model_validate(yaml.safe_load(each)).shape.kind for each in found}
    assert kinds == {shape.model_fields["kind"].annotation.__args__[0] for shape in get_args(get_args(Shape)[0])}


def test_an_example_that_is_wrong_would_be_found(tmp_path):
    copy_rules(tmp_path, None)
    path = tmp_path / "sources.yaml"
    path.write_text(
        uncommented(path.read_text(encoding="utf-8")).replace("customer_id: Account ID", "customer: ID"), "utf-8"
    )
    with raises_problems("datasets > customers > columns > customer: rules.unknown_column"):
        sources_of(tmp_path)
