"""Companies that bill in different ways: one that is paid loses nothing, and planted losses are found to the cent."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import replace

import ibis
import pytest

from productpulse_assets.risk.leakage.assets import revenue_leakage
from productpulse_assets.synthetic import CompanyPlan, simulate
from productpulse_assets.synthetic.settings import BILLING_NAMES
from tests.builders import calendar, rows, store
from tests.graph import RULES
from tests.productpulse_assets.facts.ledger import LEDGER, computed
from tests.productpulse_assets.risk.leakage.test_planted import as_dataset

pytestmark = pytest.mark.slow

CASE = ("leakage_type", "customer_id", "subscription_id", "period_start", "estimated_revenue_loss")
WITH_TERMS = ("net-30", "mixed")
BY_CUSTOMER = ("single-invoice", "prepaid")
"""Here one payment is for several bills, and which of them it leaves open is a matter of order: sums are compared."""

RATE = 1.08
DATASETS = ("customers", "subscriptions", "transactions", "product_usage")
SMALL_PART = 0.07
"""Two days of a month: a first or last part of a month may be paid short by so much of the price."""


def found_and_planted(style: str, *, losses: bool, terms: int) -> tuple[list[tuple], list[tuple]]:
    """The cases of a company of that style, and those that were planted in it, with `terms` days to pay."""
    company = simulate(CompanyPlan(customers=600 if style == "mixed" else 300, seed=11, billing=style, losses=losses))
    leakage_rules = RULES.leakage_rules.model_copy(update={"payment_terms_days": terms})
    tables = {name: in_dollars(as_dataset(name, company.datasets[name])) for name in DATASETS}
    backend = store(tables | {"calendar": calendar("2024-07-01", "2026-06-30")})
    tables = computed(backend, (*LEDGER, revenue_leakage), replace(RULES, leakage_rules=leakage_rules))
    planted = ibis.memtable(company.planted).rename(estimated_revenue_loss="amount")
    return rows(tables["revenue_leakage"], *CASE), rows(planted, *CASE)


def terms_of(style: str) -> int:
    """The days that the customers of a company of that style have to pay."""
    return 30 if style in WITH_TERMS else 0


def in_dollars(table):
    """Amounts in the reporting currency, as the sources convert them."""
    for name in {"amount", "monthly_price"} & set(table.columns):
        euros = (table[name].cast("float64") * RATE).round(2).cast(table[name].type())
        table = table.mutate(**{name: ibis.ifelse(table.currency == "EUR", euros, table[name])})
    return table


def by_customer(cases: list[tuple]) -> dict[tuple, float]:
    """The loss of each kind and customer."""
    sums: dict[tuple, float] = defaultdict(float)
    for kind, customer, _subscription, _start, loss in cases:
        sums[kind, customer] = round(sums[kind, customer] + loss, 2)
    return dict(sums)


@pytest.mark.parametrize("style", BILLING_NAMES)
def test_a_company_that_is_paid_loses_nothing(style):
    found, planted = found_and_planted(style, losses=False, terms=terms_of(style))
    assert found == planted == []


@pytest.mark.parametrize("style", WITH_TERMS)
def test_a_company_that_is_paid_loses_nothing_though_no_rule_gives_its_payment_terms(style):
    found, planted = found_and_planted(style, losses=False, terms=0)
    assert found == planted == []


@pytest.mark.parametrize("style", BILLING_NAMES)
def test_planted_losses_are_found_to_the_cent_and_nothing_else(style):
    found, planted = found_and_planted(style, losses=True, terms=terms_of(style))
    assert len(planted) > 10
    if style in BY_CUSTOMER:
        assert by_customer(found) == by_customer(planted)
    else:
        assert found == planted
