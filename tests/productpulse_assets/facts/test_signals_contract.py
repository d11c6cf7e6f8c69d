"""What customers pay and owe: price, tenure, renewal, downgrades, failed payments."""

import pytest

from tests.productpulse_assets.facts.one_customer import ago, signals, signals_without_bills


def ended(start, end, price=100, **more):
    return {"status": "Expired", "start_date": start, "end_date": end, "monthly_price": price} | more


# --- who pays -------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "subscription",
    [
        {"status": "Trial"},
        {"monthly_price": 0},
        {"start_date": ago(-1)},
        ended("2026-01-01", ago(0)),
    ],
    ids=["trial", "free", "not begun", "ended on the day"],
)
def test_a_customer_who_does_not_pay_on_the_day_has_no_signals(subscription):
    assert signals_without_bills("customer_id", subscriptions=[subscription]) == []


def test_mrr_adds_all_periods_and_the_plan_is_the_highest_priced():
    subscriptions = [
        {"plan": "Starter", "monthly_price": 20.5},
        {"plan": "Scale", "monthly_price": 99.99},
        ended("2026-01-01", ago(-1), 1, plan="Addon"),
        ended("2026-01-01", "2026-02-01", 500, plan="Past"),
    ]
    assert signals_without_bills("customer_id", "as_of_date", "plan", "mrr", subscriptions=subscriptions) == [
        ("C1", "2026-06-30", "Scale", 121.49)
    ]


@pytest.mark.parametrize(
    ("signup", "first_start", "tenure"),
    [("2026-06-20", "2026-06-25", 10), ("2026-06-25", "2026-06-10", 20), ("2026-06-30", "2026-06-30", 0)],
)
def test_tenure_counts_from_the_earlier_of_signup_and_first_start(signup, first_start, tenure):
    subscriptions = [{"status": "Trial", "start_date": first_start}, {"start_date": first_start}]
    assert signals_without_bills("tenure_days", customers=[{"signup_date": signup}], subscriptions=subscriptions) == [
        (tenure,)
    ]


def test_past_due_is_known_for_the_newest_day_only():
    owing = [{}, {"status": "Past Due"}]
    assert signals_without_bills("is_past_due", subscriptions=owing) == [(True,)]
    assert signals_without_bills("is_past_due") == [(False,)]
    assert signals_without_bills("is_past_due", subscriptions=owing, is_current=False) == [(None,)]


# --- renewal --------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("cycle", "start", "as_of", "days"),
    [
        ("Monthly", "2026-01-10", "2026-06-30", None),
        ("Quarterly", "2026-01-10", "2026-06-30", 10),
        ("Quarterly", "2026-02-10", "2026-06-30", 41),  # 10 August
        ("Annual", "2025-08-10", "2026-06-30", 41),
        ("Annual", "2026-06-30", "2026-06-30", 365),
        ("Quarterly", "2026-01-31", "2026-04-29", 1),
        ("Quarterly", "2026-01-31", "2026-04-30", 92),  # renewed that day, next on 31 July
        ("Annual", "2024-02-29", "2026-02-27", 1),
        (None, "2026-01-10", "2026-06-30", None),
    ],
)
def test_days_to_renewal(cycle, start, as_of, days):
    subscriptions = [{"billing_cycle": cycle, "start_date": start}]
    assert signals_without_bills("days_to_renewal", subscriptions=subscriptions, as_of=as_of) == [(days,)]


def test_of_several_renewals_the_nearest_counts():
    quarterly = {"billing_cycle": "Quarterly"}
    subscriptions = [quarterly | {"start_date": "2026-01-20"}, quarterly | {"start_date": "2026-01-05"}, {}]
    assert signals_without_bills("days_to_renewal", subscriptions=subscriptions) == [(5,)]


# --- downgrades -----------------------------------------------------------------------------------


def downgraded(*subscriptions):
    ((answer,),) = signals_without_bills("downgraded_recently", subscriptions=subscriptions)
    return answer


@pytest.mark.parametrize(("age", "is_recent"), [(0, True), (90, True), (91, False)])
def test_a_downgrade_counts_for_90_days(age, is_recent):
    changes = ended("2026-01-01", ago(age), 200), {"start_date": ago(age), "monthly_price": 199}
    assert downgraded(*changes) == is_recent


@pytest.mark.parametrize(("gap", "follows"), [(0, True), (1, True), (2, False), (-1, True)])
def test_the_next_period_may_begin_a_day_later(gap, follows):
    assert downgraded(ended("2026-01-01", ago(10 + gap), 200), {"start_date": ago(10)}) == follows


@pytest.mark.parametrize(
    "before",
    [
        ended("2026-01-01", ago(10), 99),
        ended("2026-01-01", ago(10), 100),
        ended("2026-01-01", ago(10), 500, status="Trial"),
        ended("2026-01-01", ago(10), 500, customer_id="C2"),
    ],
    ids=["upgrade", "same price", "trial", "another customer"],
)
def test_these_are_not_downgrades(before):
    assert not downgraded(before, {"start_date": ago(10)})


def test_the_subscriptions_of_a_customer_count_together():
    whole = ended("2026-01-01", ago(10), 100)
    assert not downgraded(
        whole, {"start_date": ago(10), "monthly_price": 60}, {"start_date": ago(10), "monthly_price": 80}
    )
    assert downgraded(whole, {"start_date": ago(10), "monthly_price": 60}, {"start_date": ago(10), "monthly_price": 30})
    assert downgraded({"monthly_price": 100}, ended("2026-01-01", ago(10), 40))  # one of two products was given up


def test_an_upgrade_whose_old_period_ends_late_is_no_downgrade():
    upgrade = {"start_date": ago(20), "monthly_price": 150}
    assert not downgraded(ended("2026-01-01", ago(10), 100), upgrade)
    assert downgraded(ended("2026-01-01", ago(10), 200), upgrade)


def test_a_downgrade_after_the_as_of_date_does_not_count():
    assert not downgraded(ended("2026-01-01", ago(-1), 200), {"start_date": ago(-1)})


# --- failed payments ------------------------------------------------------------------------------


def failed(days, **more):
    return {"transaction_date": ago(days), "status": "Failed", "subscription_id": "S1"} | more


def paid(days, **more):
    return failed(days, status="Success") | more


OTHERS = [paid(days) for days in (180, 149, 121, 90, 60)]
"""Payments on the first of each month before June; 29 days before 30 June is 1 June."""


def unpaid(*transactions, **more):
    ((count,),) = signals("failed_payment_count", transactions=transactions, **more)
    return count


def test_a_failed_bill_that_is_not_paid_counts_once_whatever_its_attempts():
    assert unpaid(*OTHERS, failed(29)) == 1
    assert unpaid(*OTHERS, failed(29), failed(26), failed(20)) == 1
    assert unpaid(*OTHERS[:-1], failed(60), failed(29)) == 2


@pytest.mark.parametrize("later", [0, 21, 28])
def test_a_payment_of_the_bill_settles_it_however_late(later):
    assert unpaid(*OTHERS, failed(29), paid(29 - later)) == 0


def test_a_payment_before_the_failed_attempt_settles_the_bill_too():
    assert unpaid(*OTHERS, paid(29), failed(28)) == 0


def test_the_payment_of_the_next_bill_does_not():
    assert unpaid(*OTHERS[:-1], failed(60), failed(50), paid(29)) == 1


@pytest.mark.parametrize(("age", "count"), [(89, 1), (90, 1), (91, 0)])
def test_attempts_of_the_last_90_days_count(age, count):
    start = {"start_date": ago(age), "billing_cycle": "Annual"}
    assert unpaid(failed(age), subscriptions=[start]) == count


def test_a_failure_or_a_payment_to_come_is_not_known():
    assert unpaid(*OTHERS, paid(29), failed(-1)) == 0
    assert unpaid(*OTHERS, failed(29), paid(-1)) == 1


def test_an_annual_bill_is_one_bill_however_often_it_is_tried():
    assert unpaid(failed(60), failed(29), subscriptions=[{"start_date": ago(60), "billing_cycle": "Annual"}]) == 1


def test_a_refund_is_neither():
    assert unpaid(*OTHERS, failed(29), paid(4, status="Refunded")) == 1


def test_without_payment_data_failures_are_unknown_and_without_a_customers_own_there_are_none():
    assert unpaid() is None
    assert unpaid(paid(4, customer_id="C2", subscription_id="S9")) == 0
