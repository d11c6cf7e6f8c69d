"""The tables know the contracts, cancellations and reasons that the simulator planted, and no others."""

from __future__ import annotations

import ibis
import pytest

from productpulse_assets.facts.contract_terms import contract_terms
from productpulse_assets.facts.customer_months import customer_months
from productpulse_assets.facts.customer_signals import customer_signals
from productpulse_assets.facts.mrr_changes import mrr_changes
from productpulse_assets.facts.mrr_periods import mrr_periods
from productpulse_assets.risk.churn import churn_evidence, churn_risk_profiles
from productpulse_assets.risk.renewals import renewals
from productpulse_assets.synthetic import CompanyPlan, simulate
from tests.builders import calendar, inventory, store
from tests.productpulse_assets.facts.ledger import LEDGER, computed
from tests.productpulse_assets.risk.leakage.test_planted import as_dataset

pytestmark = pytest.mark.slow

PLAN = CompanyPlan(customers=1500, seed=11)
TABLES = (
    *LEDGER, contract_terms, mrr_periods, mrr_changes, customer_months, customer_signals, churn_evidence,
    churn_risk_profiles, renewals,
)  # fmt: skip


@pytest.fixture(scope="module")
def sql():
    """A database with the datasets, the tables computed from them, and what was planted."""
    company, as_of = simulate(PLAN), PLAN.as_of.isoformat()
    names = [name for name in company.datasets if name != "targets"]
    tables = {name: as_dataset(name, company.datasets[name]) for name in names}
    given = {"planted": ibis.memtable(company.contracts), "source_inventory": inventory()}
    backend = store(tables | given | {"calendar": calendar("2024-07-01", as_of)})
    computed(backend, TABLES)
    return backend.con


def test_every_scheduled_cancellation_is_at_least_high_and_no_money_is_churned_yet(sql):
    planted = sql.sql("SELECT count(cancel_at) FROM planted").fetchone()[0]
    found = sql.sql("""
        SELECT risk_band, mrr_end > 0, m.churn_type, count(*) FROM planted JOIN subscriptions s USING (subscription_id)
        JOIN churn_risk_profiles USING (customer_id)
        JOIN customer_months m ON m.customer_id = s.customer_id AND m.month = DATE '2026-06-01'
        WHERE planted.cancel_at IS NOT NULL GROUP BY ALL
    """).fetchall()
    assert planted > 15 and sum(count for *_, count in found) == planted
    assert {(band in ("High", "Critical"), pays, kind) for band, pays, kind, _ in found} == {(True, True, None)}
    fired = sql.sql("SELECT count(*) FROM churn_evidence WHERE rule_id = 'cancellation_scheduled'").fetchone()[0]
    assert fired == planted


def test_mrr_that_ends_by_schedule_is_that_of_the_planted_cancellations(sql):
    expected = sql.sql("""
        SELECT sum(monthly_price) FROM planted JOIN subscriptions USING (subscription_id)
        WHERE planted.cancel_at IS NOT NULL
    """).fetchone()
    assert sql.sql("SELECT sum(mrr_scheduled_to_end) FROM customer_signals").fetchone() == expected


def test_open_renewals_are_the_planted_ends_of_terms(sql):
    expected = sql.sql(f"""
        SELECT subscription_id, term_end FROM planted
        WHERE term_end <= DATE '{PLAN.as_of}' + INTERVAL 12 MONTH ORDER BY ALL
    """).fetchall()
    found = sql.sql("SELECT subscription_id, term_end FROM renewals WHERE outcome = 'Open' ORDER BY ALL").fetchall()
    assert found == expected and len(found) > 300


def test_types_of_churn_are_the_planted_ones_and_no_customer_churns_twice(sql):
    found = sql.sql("""
        SELECT planted.churn_type, m.churn_type, count(*), count(DISTINCT subscription_id)
        FROM planted JOIN subscriptions USING (subscription_id)
        JOIN customer_months m ON m.customer_id = subscriptions.customer_id AND m.month = date_trunc('month', end_date)
        WHERE planted.churn_type IS NOT NULL AND is_churned = 1 GROUP BY ALL ORDER BY ALL
    """).fetchall()
    assert [(ours, theirs) for ours, theirs, *_ in found] == [("Involuntary",) * 2, ("Voluntary",) * 2]
    assert all(rows == periods > 50 for *_, rows, periods in found)
    voluntary = sql.sql("""
        SELECT count(*) FROM planted JOIN subscriptions s USING (subscription_id)
        WHERE planted.churn_type = 'Voluntary' AND s.cancel_at = s.end_date
            AND (SELECT arg_max(status, transaction_date) FROM transactions t
                WHERE t.subscription_id = s.subscription_id AND status <> 'Refunded') = 'Failed'
    """).fetchone()[0]
    assert voluntary > 5  # canceled first, then the card failed
