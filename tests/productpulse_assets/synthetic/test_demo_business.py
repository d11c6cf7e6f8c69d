"""The demo company behaves like a business, and its signals predict churn."""

import pytest

from productpulse_assets.synthetic import CompanyPlan

pytestmark = pytest.mark.slow

MONTH_ENDS = """
CREATE TEMP TABLE paying AS
SELECT month_end, customer_id, sum(monthly_price) AS mrr
FROM (SELECT last_day(unnest(range(DATE '2024-07-01', DATE '2026-07-01', INTERVAL 1 MONTH)))
    AS month_end)
JOIN subscriptions ON start_date <= month_end AND coalesce(end_date, '9999-12-31') > month_end
WHERE status <> 'Trial'
GROUP BY ALL;

CREATE TEMP TABLE moves AS
SELECT a.*, c.segment, c.acquisition_channel, b.customer_id IS NULL AS is_churned
FROM paying a JOIN customers c USING (customer_id)
LEFT JOIN paying b ON b.customer_id = a.customer_id
    AND b.month_end = last_day(a.month_end + INTERVAL 1 MONTH)
WHERE a.month_end < DATE '2026-06-30';
"""

SIGNALS = """
CREATE TEMP TABLE signals AS
WITH base AS (
    SELECT DISTINCT customer_id FROM subscriptions
    WHERE status <> 'Trial' AND start_date <= DATE '{day}'
        AND coalesce(end_date, '9999-12-31') > DATE '{day}')
SELECT customer_id,
    (SELECT coalesce(sum(logins) FILTER (date > DATE '{day}' - 28), 0)
            / nullif(sum(logins) FILTER (date <= DATE '{day}' - 28) / 3, 0)
        FROM product_usage u WHERE u.customer_id = base.customer_id
            AND date > DATE '{day}' - 112 AND date <= DATE '{day}') < 0.5 AS usage_fell,
    (SELECT count(*) FROM support_tickets t WHERE t.customer_id = base.customer_id
        AND date_opened > DATE '{day}' - 90 AND date_opened <= DATE '{day}') >= 3 AS many_tickets,
    (SELECT min(score) FROM nps_scores n WHERE n.customer_id = base.customer_id
        AND date > DATE '{day}' - 90 AND date <= DATE '{day}') <= 6 AS is_detractor,
    (SELECT count(*) FROM transactions f WHERE f.customer_id = base.customer_id
        AND status = 'Failed' AND transaction_date > DATE '{day}' - 60
        AND transaction_date <= DATE '{day}') >= 1 AS payment_failed,
    EXISTS (FROM subscriptions s WHERE s.customer_id = base.customer_id AND status = 'Canceled'
        AND end_date > DATE '{day}' AND end_date <= DATE '{day}' + 90) AS leaves
FROM base
"""


@pytest.fixture(scope="module")
def business(written):
    database = written(CompanyPlan(customers=3000, seed=11))
    database.execute(MONTH_ENDS)
    database.execute(SIGNALS.format(day="2026-04-01"))
    return database


def number(database, query):
    return database.sql(f"SELECT {query}").fetchone()[0]


@pytest.mark.parametrize(
    ("signal", "times"),
    [("usage_fell", 3), ("many_tickets", 3), ("is_detractor", 2), ("payment_failed", 2)],
)
def test_signals_predict_churn_in_the_next_90_days(business, signal, times):
    average = number(business, "avg(leaves::INT) FROM signals")
    flagged = number(business, f"avg(leaves::INT) FROM signals WHERE {signal}")
    assert number(business, f"count(*) FROM signals WHERE {signal}") >= 30
    assert flagged > times * average


def test_usage_falls_in_the_weeks_before_most_cancellations(business):
    fell = number(business, """avg((recent < 0.6 * before)::INT) FROM (
        SELECT sum(logins) FILTER (date >= end_date - 28) / 4 AS recent,
            sum(logins) FILTER (date < end_date - 56) / 12 AS before
        FROM subscriptions JOIN product_usage USING (customer_id)
        WHERE status = 'Canceled' AND date < end_date AND date >= end_date - 140
        GROUP BY subscription_id, end_date)""")  # fmt: skip
    assert fell > 0.6


def test_two_to_three_percent_of_customers_leave_each_month(business):
    assert 0.02 < number(business, "avg(is_churned::INT) FROM moves") < 0.035


def test_small_customers_and_paid_social_leave_most(business):
    by_segment = "avg(is_churned::INT) FROM moves WHERE segment = '{}'".format
    smb, mid, enterprise = (number(business, by_segment(name)) for name in ("SMB", "Mid-Market", "Enterprise"))
    assert smb > 1.3 * mid > 1.3 * 1.3 * enterprise > 0
    by_channel = "avg(is_churned::INT) FROM moves WHERE acquisition_channel = '{}'".format
    assert number(business, by_channel("Paid Social")) > 1.3 * number(business, by_channel("Referral"))


def test_revenue_grows_near_its_target(business):
    first, last, target = business.sql("""SELECT
        sum(mrr) FILTER (month_end = '2024-07-31'), sum(mrr) FILTER (month_end = '2026-06-30'),
        (SELECT target_value FROM targets WHERE metric_name = 'MRR' AND date = '2026-06-01')
        FROM paying""").fetchone()
    assert float(last) > 1.4 * float(first)
    assert 0.8 < float(last) / target < 1.2


def test_volumes_per_customer(business):
    assert 9 < number(business, "count(*) / 3000 FROM transactions") < 13
    assert 42 < number(business, "count(*) / 3000 FROM product_usage") < 58


def test_every_kind_of_subscription_change_occurs(business):
    counts = business.sql("""WITH steps AS (
        SELECT *, lead(start_date) OVER mine AS next_start, lead(status) OVER mine AS next_status,
            lead(monthly_price) OVER mine AS next_price
        FROM subscriptions WINDOW mine AS (PARTITION BY customer_id ORDER BY start_date))
        SELECT count(*) FILTER (status = 'Trial' AND next_start = end_date) AS converted,
            count(*) FILTER (status = 'Trial' AND next_start IS NULL AND end_date IS NOT NULL),
            count(*) FILTER (status = 'Trial' AND end_date IS NULL),
            count(*) FILTER (status = 'Expired' AND next_price > monthly_price),
            count(*) FILTER (status = 'Expired' AND next_price < monthly_price),
            count(*) FILTER (status = 'Canceled' AND next_start >= end_date + 80),
            count(*) FILTER (status = 'Canceled' AND next_start < end_date + 80) AS too_soon,
            count(*) FILTER (status = 'Expired' AND next_price = monthly_price) AS no_change
        FROM steps""").fetchone()
    assert min(counts[:6]) > 5
    assert counts[6:] == (0, 0)


def test_trials_last_at_most_14_days(business):
    assert business.sql("""SELECT max(end_date - start_date), mode(end_date - start_date),
        min(end_date - start_date) FROM subscriptions WHERE status = 'Trial'"""
    ).fetchone() == (14, 14, 11)  # fmt: skip


def test_usage_is_low_in_december(business):
    month = "avg(logins) FROM product_usage WHERE date BETWEEN '{0}-01' AND '{0}-28'".format
    december, november = number(business, month("2025-12")), number(business, month("2025-11"))
    assert december < 0.9 * november


def test_each_dataset_has_customers_without_rows(business):
    for dataset in ("transactions", "product_usage", "support_tickets", "nps_scores"):
        missing = number(business, f"""count(*) FROM customers
            WHERE customer_id NOT IN (SELECT customer_id FROM {dataset})""")  # fmt: skip
        assert 10 < missing < 2000


def test_some_customers_never_activate(business):
    idle = number(business, """avg((total <= 5)::INT) FROM (
        SELECT sum(key_actions) AS total FROM product_usage
        GROUP BY customer_id HAVING count(*) > 30)""")  # fmt: skip
    assert 0.02 < idle < 0.12
