"""Decisions by a test's own recommendation rules."""

from collections.abc import Callable

import pytest

from productpulse_assets.decisions import interventions, recommendations
from rules import recommendation_rules
from tests.productpulse_assets.decisions.cases import rules_of


@pytest.fixture
def follow(monkeypatch) -> Callable[..., None]:
    """`follow(rule, ..., setting=value)`: from here on these are the rules."""

    def these(*rules, **settings):
        made = rules_of(*rules, **settings)
        for module in (recommendations, interventions, recommendation_rules):
            monkeypatch.setattr(module, "load_recommendation_rules", lambda: made)

    return these
