"""Where signals come from, compared with the datasets and the signals that there are."""

import pytest

from asset_checks.contracts import CONTRACTS
from productpulse_assets.facts.customer_signals import columns
from rules.signal_sources import SIGNAL_SOURCES, source_of
from tests.graph import RULES


@pytest.mark.parametrize("signal", SIGNAL_SOURCES)
def test_a_signal_comes_from_a_dated_row_of_a_dataset(signal):
    source = source_of(signal)
    assert {source.day, "customer_id"} <= set(CONTRACTS[source.dataset].columns)
    assert source.window


def test_only_signals_that_exist_have_a_source():
    assert set(SIGNAL_SOURCES) <= set(columns(RULES.dimensions))


def test_every_signal_of_the_rules_has_a_source_of_its_own():
    assert set(RULES.churn_rules.signals) <= set(SIGNAL_SOURCES)


def test_any_other_column_is_an_attribute_of_the_customer():
    assert source_of("segment").dataset == "customers"
