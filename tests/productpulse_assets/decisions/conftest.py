"""Decisions by the recommendation rules of a test."""

import dataclasses
from collections.abc import Callable

import pytest

from tests.graph import RULES
from tests.productpulse_assets.decisions.cases import IN_USE, rules_of


@pytest.fixture
def follow(monkeypatch) -> Callable[..., None]:
    """`follow(rule, ..., setting=value)`: use these recommendation rules from here on, with the other rules of `others`."""

    def these(*rules, others=RULES, **settings):
        made = dataclasses.replace(others, recommendation_rules=rules_of(*rules, **settings))
        monkeypatch.setitem(IN_USE, "rules", made)

    return these
