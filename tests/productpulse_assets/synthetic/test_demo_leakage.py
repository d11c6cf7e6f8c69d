"""Plain SQL over the files finds exactly the planted cases of leakage."""

from datetime import date

import pytest

from productpulse_assets.synthetic import LEAKAGE_TYPES, CompanyPlan, simulate

pytestmark = pytest.mark.slow

BILLS = """
CREATE TEMP TABLE bills AS
SELECT subscription_id, customer_id, status, monthly_price,
    (monthly_price * months)::DECIMAL(18, 2) AS due,
    unnest(range(start_date, coalesce(end_date, DATE '{as_of}' + 1)::TIMESTAMP,
        to_months(months)))::DATE AS billing_date
FROM subscriptions
JOIN (VALUES ('Monthly', 1), ('Quarterly', 3), ('Annual', 12)) cycles (billing_cycle, months)
    USING (billing_cycle)
WHERE status <> 'Trial'
"""

BILLED = """
CREATE TEMP TABLE billed AS
SELECT t.*, b.billing_date, b.due, b.status AS subscription_status
FROM transactions t ASOF JOIN bills b
    ON t.subscription_id = b.subscription_id AND t.transaction_date >= b.billing_date
"""

FOUND = {
    "Failed Payment": """
        SELECT customer_id, subscription_id, billing_date, min(transaction_date), any_value(amount)
        FROM billed f
        WHERE status = 'Failed' AND NOT (subscription_status = 'Past Due' AND transaction_date > (
                SELECT max(transaction_date) FROM transactions p
                WHERE p.subscription_id = f.subscription_id AND p.status = 'Success'))
            AND transaction_date >= DATE '{as_of}' - {days}
            AND NOT EXISTS (FROM transactions s
                WHERE s.subscription_id = f.subscription_id AND s.status = 'Success'
                AND s.transaction_date BETWEEN f.transaction_date AND f.transaction_date + 21)
        GROUP BY ALL""",
    "Unpaid Active Subscription": """
        SELECT s.customer_id, s.subscription_id,
            (SELECT min(billing_date) FROM bills b WHERE b.subscription_id = s.subscription_id
                AND billing_date > max(t.transaction_date)),
            NULL, (SELECT sum(due) FROM bills b WHERE b.subscription_id = s.subscription_id
                AND billing_date > max(t.transaction_date))
        FROM subscriptions s JOIN transactions t USING (subscription_id)
        WHERE s.status = 'Past Due' AND t.status = 'Success'
        GROUP BY s.customer_id, s.subscription_id, s.monthly_price""",
    "Missed Invoice": """
        SELECT customer_id, subscription_id, billing_date, NULL, due
        FROM bills b
        WHERE billing_date BETWEEN DATE '{as_of}' - {days} AND DATE '{as_of}' - 10
            AND NOT EXISTS (FROM transactions t
                WHERE t.subscription_id = b.subscription_id
                AND t.transaction_date BETWEEN billing_date - 10 AND billing_date + 10)""",
    "Underbilled Subscription": """
        SELECT customer_id, subscription_id, billing_date, transaction_date, due - amount
        FROM billed
        WHERE status = 'Success' AND amount < due * 0.99
            AND transaction_date >= DATE '{as_of}' - {days}""",
    "Refund": """
        SELECT customer_id, subscription_id, billing_date, transaction_date, amount
        FROM billed WHERE status = 'Refunded' AND transaction_date >= DATE '{as_of}' - {days}""",
    "Active Usage Without Billing": """
        SELECT customer_id, arg_max(subscription_id, start_date),
            max(coalesce(end_date, DATE '9999-12-31')) AS paid_until, NULL,
            arg_max(monthly_price, start_date)
        FROM subscriptions
        WHERE status <> 'Trial' AND customer_id IN (SELECT customer_id FROM product_usage
            WHERE logins > 0 AND date >= DATE '{as_of}' - {login_days})
        GROUP BY customer_id HAVING paid_until <= DATE '{as_of}' - 14""",
}
PLANS = [
    CompanyPlan(customers=300, batch_customers=200),
    CompanyPlan(customers=8000, seed=3),
    CompanyPlan(customers=3000, seed=5, months=9, as_of=date(2026, 3, 11)),
]


@pytest.fixture(scope="module", params=PLANS, ids=lambda plan: f"{plan.customers} customers")
def case(request, written):
    """Plan, planted cases by kind, and the company's files with computed bills."""
    plan = request.param
    planted = {leakage_type: [] for leakage_type in LEAKAGE_TYPES}
    for leakage_type, *values in zip(*simulate(plan).planted.to_pydict().values(), strict=True):
        planted[leakage_type].append(tuple(values))
    database = written(plan)
    database.execute(BILLS.format(as_of=plan.as_of))
    database.execute(BILLED)
    return plan, planted, database


@pytest.mark.parametrize("leakage_type", LEAKAGE_TYPES)
@pytest.mark.parametrize(("days", "login_days"), [(90, 28), (89, 27)])
def test_the_planted_cases_are_found_and_no_others(case, leakage_type, days, login_days):
    """Whether the first day of a window counts makes no difference."""
    plan, planted, database = case
    detector = FOUND[leakage_type].format(as_of=plan.as_of, days=days, login_days=login_days)
    found = database.sql(detector).fetchall()
    assert len(found) > 0
    assert sorted(found, key=str) == sorted(planted[leakage_type], key=str)


def test_no_billing_period_leaks_twice(case):
    _, planted, _ = case
    periods = [case[1:3] for cases in planted.values() for case in cases]
    assert len(periods) == len(set(periods))


def test_every_bill_of_the_last_ten_days_has_a_transaction(case):
    plan, _, database = case
    bills, without = database.sql(f"""
        SELECT count(*), count(*) FILTER (NOT EXISTS (
            FROM billed t WHERE (t.subscription_id, t.billing_date) = (b.subscription_id, b.billing_date)))
        FROM bills b WHERE billing_date >= DATE '{plan.as_of}' - 10""").fetchone()
    assert bills > 0
    assert without == 0


def test_every_attempt_at_an_unrecovered_bill_is_far_from_the_next_success(case):
    """A detector can count any of the attempts at a bill."""
    _, _, database = case
    attempts, near_a_success = database.sql("""
        SELECT count(*), count(*) FILTER (EXISTS (FROM transactions s
            WHERE s.subscription_id = f.subscription_id AND s.status = 'Success'
            AND s.transaction_date BETWEEN f.transaction_date AND f.transaction_date + 21))
        FROM billed f
        WHERE status = 'Failed' AND NOT EXISTS (FROM billed s WHERE s.status = 'Success'
            AND (s.subscription_id, s.billing_date) = (f.subscription_id, f.billing_date))""").fetchone()
    assert attempts > 0
    assert near_a_success == 0


def test_nearly_all_bills_are_paid_in_full_and_none_twice(case):
    plan, _, database = case
    bills, paid, most = database.sql(f"""
        WITH outcomes AS (SELECT b.subscription_id, b.billing_date,
            count(*) FILTER (t.status = 'Success' AND t.amount = b.due) AS paid,
            count(*) FILTER (t.status = 'Success') AS successes
        FROM bills b LEFT JOIN billed t USING (subscription_id, billing_date)
        WHERE b.status <> 'Past Due' AND b.billing_date <= DATE '{plan.as_of}' - 14
        GROUP BY ALL)
        SELECT count(*), count(*) FILTER (paid = 1), max(successes) FROM outcomes""").fetchone()
    assert most == 1
    assert 0.94 < paid / bills < 0.985
