"""No row of the demo company breaks a row rule of the data contracts."""

import pytest

COLUMNS = {
    "customers": {
        "customer_id": "VARCHAR", "company_name": "VARCHAR", "segment": "VARCHAR",
        "country": "VARCHAR", "acquisition_channel": "VARCHAR", "signup_date": "DATE",
        "is_active": "BOOLEAN", "account_owner": "VARCHAR",
    },
    "subscriptions": {
        "subscription_id": "VARCHAR", "customer_id": "VARCHAR", "plan": "VARCHAR",
        "status": "VARCHAR", "start_date": "DATE", "end_date": "DATE",
        "monthly_price": "DECIMAL(18,2)", "billing_cycle": "VARCHAR", "auto_renew": "BOOLEAN",
        "term_months": "BIGINT", "term_end": "DATE", "cancel_at": "DATE", "cancel_reason": "VARCHAR",
        "cancel_comment": "VARCHAR", "quantity": "BIGINT", "unit_price": "DECIMAL(18,2)",
        "discount_amount": "DECIMAL(18,2)", "discount_end": "DATE", "product": "VARCHAR", "is_addon": "BOOLEAN",
    },
    "transactions": {
        "transaction_id": "VARCHAR", "customer_id": "VARCHAR", "subscription_id": "VARCHAR",
        "amount": "DECIMAL(18,2)", "currency": "VARCHAR", "status": "VARCHAR",
        "transaction_date": "DATE", "payment_method": "VARCHAR",
    },
    "product_usage": {
        "usage_id": "VARCHAR", "customer_id": "VARCHAR", "date": "DATE", "logins": "BIGINT",
        "key_actions": "BIGINT", "active_users": "BIGINT", "features_used": "BIGINT",
    },
    "support_tickets": {
        "ticket_id": "VARCHAR", "customer_id": "VARCHAR", "date_opened": "DATE",
        "status": "VARCHAR", "date_closed": "DATE", "priority": "VARCHAR",
        "category": "VARCHAR", "resolution_time_hours": "DOUBLE",
    },
    "nps_scores": {
        "score_id": "VARCHAR", "customer_id": "VARCHAR", "date": "DATE", "score": "BIGINT",
        "feedback_category": "VARCHAR",
    },
    "acquisition_channels": {
        "channel_name": "VARCHAR", "cost_per_acquisition": "DECIMAL(18,2)",
    },
    "targets": {"metric_name": "VARCHAR", "target_value": "DOUBLE", "date": "DATE"},
    "acquisition_spend": {"channel_name": "VARCHAR", "month": "DATE", "amount": "DECIMAL(18,2)"},
    "annotations": {"date": "DATE", "text": "VARCHAR", "dimension": "VARCHAR", "member": "VARCHAR"},
}  # fmt: skip

KEYS = {name: next(iter(columns)) for name, columns in COLUMNS.items()}
KEYS |= {"targets": "metric_name, date", "acquisition_spend": "channel_name, month", "annotations": "date, text"}

BROKEN_ROWS = {
    "end before start": "FROM subscriptions WHERE end_date < start_date",
    "ended without an end": """FROM subscriptions
        WHERE status IN ('Canceled', 'Expired') AND end_date IS NULL""",
    "running with an end": """FROM subscriptions
        WHERE status IN ('Active', 'Past Due') AND end_date IS NOT NULL""",
    "unknown subscription status": """FROM subscriptions
        WHERE status NOT IN ('Active', 'Past Due', 'Canceled', 'Expired', 'Trial')""",
    "unknown billing cycle": """FROM subscriptions
        WHERE billing_cycle NOT IN ('Monthly', 'Quarterly', 'Annual')""",
    "paid period without a price": """FROM subscriptions
        WHERE status <> 'Trial' AND monthly_price <= 0 OR monthly_price < 0""",
    "start day after the 28th": "FROM subscriptions WHERE day(start_date) > 28",
    "unknown transaction status": """FROM transactions
        WHERE status NOT IN ('Success', 'Failed', 'Refunded')""",
    "transaction without an amount": "FROM transactions WHERE amount <= 0 OR currency <> 'USD'",
    "transaction of another customer's subscription": """FROM transactions t
        WHERE NOT EXISTS (FROM subscriptions s WHERE s.subscription_id = t.subscription_id
            AND s.customer_id = t.customer_id)""",
    "transaction outside its subscription": """FROM transactions JOIN subscriptions s
        USING (subscription_id)
        WHERE transaction_date < start_date OR transaction_date > end_date + 14
            OR s.status = 'Trial'""",
    "negative usage": """FROM product_usage
        WHERE least(logins, key_actions, active_users, features_used) < 0""",
    "usage without logins": """FROM product_usage
        WHERE logins = 0 AND greatest(key_actions, active_users, features_used) > 0""",
    "two usage rows in a week": """FROM product_usage
        GROUP BY customer_id, date_trunc('week', date) HAVING count(*) > 1""",
    "unknown ticket value": """FROM support_tickets WHERE status NOT IN ('Open', 'Closed')
        OR priority NOT IN ('Low', 'Medium', 'High', 'Urgent')""",
    "closed before opened": "FROM support_tickets WHERE date_closed < date_opened",
    "open with an end": """FROM support_tickets WHERE (status = 'Closed')
        <> (date_closed IS NOT NULL AND resolution_time_hours >= 0)""",
    "score outside 0 to 10": "FROM nps_scores WHERE score NOT BETWEEN 0 AND 10",
    "unknown channel": """FROM customers
        WHERE acquisition_channel NOT IN (SELECT channel_name FROM acquisition_channels)""",
    "spend of an unknown channel": """FROM acquisition_spend
        WHERE channel_name NOT IN (SELECT channel_name FROM acquisition_channels)""",
    "negative cost": "FROM acquisition_channels WHERE cost_per_acquisition < 0",
    "target not at a month's start": "FROM targets WHERE day(date) <> 1 OR target_value <= 0",
    "event after the as-of date": """FROM (
        SELECT signup_date AS date FROM customers
        UNION ALL SELECT greatest(start_date, end_date) FROM subscriptions
        UNION ALL SELECT transaction_date FROM transactions
        UNION ALL SELECT date FROM product_usage
        UNION ALL SELECT greatest(date_opened, date_closed) FROM support_tickets
        UNION ALL SELECT date FROM nps_scores)
        WHERE date > getvariable('as_of')""",
    "event before signup": """FROM customers JOIN (
        SELECT customer_id, start_date AS date FROM subscriptions
        UNION ALL SELECT customer_id, date FROM product_usage
        UNION ALL SELECT customer_id, date_opened FROM support_tickets
        UNION ALL SELECT customer_id, date FROM nps_scores) USING (customer_id)
        WHERE date < signup_date""",
    "is_active that disagrees with the subscriptions": """FROM customers c
        WHERE is_active <> EXISTS (FROM subscriptions s WHERE s.customer_id = c.customer_id
            AND s.status <> 'Trial' AND s.end_date IS NULL)""",
    "replaced without a successor": """FROM subscriptions a WHERE status = 'Expired'
        AND NOT EXISTS (FROM subscriptions b WHERE b.customer_id = a.customer_id
            AND b.start_date = a.end_date)""",
    "two periods at once": """FROM subscriptions a JOIN subscriptions b USING (customer_id)
        WHERE a.subscription_id < b.subscription_id
            AND (a.end_date IS NULL OR b.start_date < a.end_date)
            AND (b.end_date IS NULL OR a.start_date < b.end_date)""",
    "customer without a subscription": """FROM customers
        WHERE customer_id NOT IN (SELECT customer_id FROM subscriptions)""",
}


@pytest.mark.parametrize("dataset", COLUMNS)
def test_columns_and_types_match_the_contracts(company, dataset):
    described = company.sql(f"DESCRIBE {dataset}").fetchall()
    assert {row[0]: row[1] for row in described} == COLUMNS[dataset]


@pytest.mark.parametrize("dataset", COLUMNS)
def test_keys_are_unique(company, dataset):
    rows, keys = company.sql(
        f"SELECT count(*), count(DISTINCT concat_ws(' ', {KEYS[dataset]})) FROM {dataset}"
    ).fetchone()
    assert rows == keys > 0


@pytest.mark.parametrize("child", ["subscriptions", "transactions", "product_usage", "support_tickets", "nps_scores"])
def test_every_child_has_its_customer(company, child):
    children, orphans = company.sql(
        f"SELECT count(*), count(*) FILTER (c.customer_id IS NULL) "
        f"FROM {child} LEFT JOIN customers c USING (customer_id)"
    ).fetchone()
    assert children > 0
    assert orphans == 0


@pytest.mark.parametrize("rule", BROKEN_ROWS)
def test_no_row_breaks_a_rule(company, rule):
    assert company.sql(f"SELECT count(*) FROM (SELECT 1 {BROKEN_ROWS[rule]})").fetchone() == (0,)


def test_only_an_end_and_what_an_event_is_about_can_be_null(company):
    may_be_null = {
        ("customers", "account_owner"),
        *(("subscriptions", each) for each in ("end_date", "discount_end", "term_months", "term_end", "cancel_at")),
        *(("subscriptions", each) for each in ("cancel_reason", "cancel_comment")),
        ("support_tickets", "date_closed"),
        ("support_tickets", "resolution_time_hours"),
        ("annotations", "dimension"),
        ("annotations", "member"),
    }
    have_nulls = {
        (dataset, column)
        for dataset, columns in COLUMNS.items()
        for column in columns
        if company.sql(f"SELECT count(*) - count({column}) FROM {dataset}").fetchone()[0]
    }
    assert have_nulls == may_be_null


def test_every_month_has_every_target(company):
    assert company.sql(
        "SELECT metric_name, count(*), min(date)::text, max(date)::text FROM targets GROUP BY 1 ORDER BY 1"
    ).fetchall() == [(name, 24, "2024-07-01", "2026-06-01") for name in ("Activation Rate", "Churn Rate", "MRR", "NPS")]
