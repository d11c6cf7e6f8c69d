"""What a run notes of its inputs is what it computed with."""

import shutil

import pytest

from productpulse_assets.sources.run_inputs import look_at_inputs
from resources.settings import Settings
from rules.rule_set import read_rules
from tests.graph import RULES


@pytest.fixture
def rules(tmp_path):
    """A copy of the rules, for a test to change."""
    folder = tmp_path / "rules"
    folder.mkdir()
    for path in RULES.folder.glob("*.yaml"):
        shutil.copy(path, folder)
    return folder


def test_rules_that_are_edited_after_they_were_read_are_not_noted(tmp_path, rules):
    """A run that waits for its turn computes with the rules it has read; the next run takes up the edit."""
    settings = Settings(home=str(tmp_path / "home"))
    read = read_rules(rules)
    before = look_at_inputs(settings, read)
    with (rules / "churn_rules.yaml").open("a") as file:
        file.write("# edited\n")
    assert look_at_inputs(settings, read) == before
    edited = look_at_inputs(settings, read_rules(rules))
    assert edited.rules != before.rules and edited.fingerprint != before.fingerprint


def test_the_same_rules_in_another_folder_are_the_same_inputs(tmp_path, rules):
    settings = Settings(home=str(tmp_path / "home"))
    assert look_at_inputs(settings, read_rules(rules)) == look_at_inputs(settings, RULES)
