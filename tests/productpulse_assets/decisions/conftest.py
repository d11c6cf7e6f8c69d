"""Decisions by a test's own recommendation rules."""

import dataclasses
from collections.abc import Callable

import pytest

from tests.graph import RULES
from tests.productpulse_assets.decisions.cases import IN_USE, rules_of


@pytest.fixture
def follow(monkeypatch) -> Callable[..., None]:
    """`follow(rule, ..., setting=value)`: from here on these are the rules, the other files those of `others`."""

    def these(*rules, others=RULES, **settings):
        made = dataclasses.replace(others, recommendation_rules=rules_of(*rules, **settings))
        monkeypatch.setitem(IN_USE, "rules", made)

    return these
