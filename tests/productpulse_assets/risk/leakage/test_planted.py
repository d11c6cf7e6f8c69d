"""The detectors find every case that the demo company was given, and no other."""

from datetime import date

import ibis
import pytest

from asset_checks.contracts import CONTRACTS, table_schema
from productpulse_assets.risk.leakage.assets import revenue_leakage
from productpulse_assets.synthetic import LEAKAGE_TYPES, CompanyPlan, simulate
from tests.builders import calendar, rows, store
from tests.productpulse_assets.facts.ledger import LEDGER, computed

pytestmark = pytest.mark.slow

PLANS = [
    CompanyPlan(),
    CompanyPlan(customers=8000, seed=3),
    CompanyPlan(customers=3000, seed=5, months=9, as_of=date(2026, 3, 11)),
]
CASE = ("leakage_type", "customer_id", "subscription_id", "period_start", "estimated_revenue_loss")


def as_dataset(name, table):
    """A simulated table with every column of its contract."""
    given = ibis.memtable(table)
    schema = table_schema(CONTRACTS[name])
    return given.select(**{c: (given[c] if c in given.columns else ibis.null(k)).cast(k) for c, k in schema.items()})


@pytest.fixture(scope="module", params=PLANS, ids=lambda plan: f"{plan.customers} customers, seed {plan.seed}")
def case(request):
    """What was planted in a company, and what is found in it."""
    company, as_of = simulate(request.param), request.param.as_of.isoformat()
    names = ("customers", "subscriptions", "transactions", "product_usage")
    tables = {name: as_dataset(name, company.datasets[name]) for name in names}
    planted = ibis.memtable(company.planted).rename(estimated_revenue_loss="amount")
    backend = store(tables | {"calendar": calendar("2026-01-01", as_of)})
    return planted, computed(backend, (*LEDGER, revenue_leakage))["revenue_leakage"]


def test_what_was_planted_is_what_is_found(case):
    planted, found = (rows(table, *CASE) for table in case)
    print(f"\n{'leakage_type':<30}{'planted':>9}{'found':>9}{'right':>9}{'money planted':>16}{'money found':>16}")
    for kind in LEAKAGE_TYPES:
        ours, theirs = ([row for row in cases if row[0] == kind] for cases in (found, planted))
        right = len(set(ours) & set(theirs))
        money = (sum(row[-1] for row in cases) for cases in (theirs, ours))
        print(f"{kind:<30}{len(theirs):>9}{len(ours):>9}{right:>9}" + "".join(f"{sum_:>16,.2f}" for sum_ in money))
        assert len(theirs) > 0
    assert found == planted


def test_every_case_has_its_own_id_and_billing_period(case):
    _, found = case
    ids = rows(found, "leakage_id")
    assert len(set(ids)) == len(ids) == len(set(rows(found, "subscription_id", "period_start")))


def test_every_case_is_told_and_counts(case):
    _, found = case
    for explanation, evidence, loss, ids, count in rows(
        found, "explanation", "evidence", "estimated_revenue_loss", "transaction_ids", "transaction_count"
    ):
        assert explanation.endswith(".") and "unknown" not in explanation and "{" not in explanation
        assert evidence.startswith("{") and loss > 0
        assert len((ids or "").split(",")) == max(1, min(count, 5))
