"""Identities of any subscription history: cohorts add up, funnels never widen, scores stay in range."""

import datetime as dt
import functools
from dataclasses import replace
from decimal import Decimal

import hypothesis.strategies as st
import ibis
import pytest
from hypothesis import given, settings

from asset_checks.invariants import bridge_breaks
from productpulse_assets.metrics.cohorts import cohort_summary, funnel_summary, segment_funnel
from productpulse_assets.metrics.health import score_of
from rules.models import HealthArea
from rules.mrr_policy import CHOICES, MrrPolicy
from tests.builders import calendar, dataset, rows, stored
from tests.graph import RULES, empty, months_query, unbound, with_mrr
from tests.productpulse_assets.decisions.cases import some

pytestmark = pytest.mark.slow

INPUTS = (
    "customers", "subscriptions", "transactions", "product_usage", "support_tickets", "nps_scores",
    "acquisition_channels",
)  # fmt: skip
CUSTOMERS = [f"C{number}" for number in range(1, 9)]
AS_OF = "2026-06-20"
dates = st.dates(dt.date(2025, 6, 1), dt.date(2026, 7, 15))
histories = st.lists(
    st.fixed_dictionaries(
        {
            "customer_id": st.sampled_from(CUSTOMERS),
            "span": st.tuples(dates, dates),
            "is_open": st.booleans(),
            "monthly_price": st.integers(0, 500),
            "quantity": st.one_of(st.none(), st.integers(0, 9)),
            "discount_amount": st.one_of(st.none(), st.integers(0, 90)),
            "discount_end": st.one_of(st.none(), dates),
            "paused_from": st.one_of(st.none(), dates),
            "cancel_requested_date": st.one_of(st.none(), dates),
            "product": st.sampled_from([None, "A", "B"]),
            "is_addon": st.sampled_from([None, True]),
            "billing_cycle": st.sampled_from([None, "Monthly", "Annual"]),
            "currency": st.sampled_from([None, "EUR"]),
            "is_past_due": st.booleans(),
        }
    ),
    max_size=30,
)
usages = st.lists(
    st.fixed_dictionaries({"customer_id": st.sampled_from(CUSTOMERS), "date": dates, "key_actions": st.integers(0, 4)}),
    min_size=1,
    max_size=40,
)


@functools.cache
def fact_query() -> str:
    """The SQL of customer_months: compiled once, run on every example."""
    return months_query("constant")


def inputs(periods, usage):
    """The datasets of an example."""
    subscriptions = [
        {
            **{name: value for name, value in row.items() if name not in ("span", "is_open", "is_past_due")},
            "status": ("Past Due" if row["is_past_due"] else "Active") if row["is_open"] else "Canceled",
            "start_date": min(row["span"]),
            "end_date": None if row["is_open"] else max(row["span"]),
        }
        for row in periods
    ]
    customers = [
        {"segment": ("SMB", None)[number % 2], "signup_date": "2025-06-01"} for number in range(len(CUSTOMERS))
    ]
    given_rows = {"customers": customers, "subscriptions": subscriptions, "product_usage": usage}
    return {name: dataset(name, *given_rows.get(name, ())) for name in INPUTS} | {
        "calendar": calendar("2025-06-01", AS_OF)
    }


@settings(max_examples=15, deadline=None)
@given(histories, usages)
def test_cohorts_add_up_and_funnels_never_widen(periods, usage):
    tables = inputs(periods, usage)
    facts = stored(fact_query(), **with_mrr(**tables, bill_balances=empty("bill_balances")))
    cohorts = cohort_summary(facts)
    whole = cohorts.filter(ibis._.is_total)
    last = whole.group_by("cohort_month").aggregate(mrr=ibis._.mrr.argmax(ibis._.months_since_cohort))
    now = facts.filter(ibis._.month == dt.date(2026, 6, 1))
    assert sum(mrr for (mrr,) in rows(last, "mrr", by=("cohort_month",))) == sum(mrr for (mrr,) in rows(now, "mrr_end"))
    for retained, size, rate in rows(cohorts, "retained_customers", "customers", "retention_rate"):
        assert retained <= size
        assert 0 <= rate <= 1
    funnel = funnel_summary(facts, tables["calendar"], RULES)
    for steps in (funnel, segment_funnel(facts, tables["calendar"], RULES)):
        later = steps.filter(ibis._.step != "Signup")
        for users, previous, rate in rows(later, "users", "previous_step_users", "conversion_rate"):
            assert users <= previous
            assert rate is None or 0 <= rate <= 1
    counts = rows(funnel, "users", by=("step_number",))
    assert counts == sorted(counts, reverse=True)


policies = st.builds(MrrPolicy, **{name: st.sampled_from(values) for name, values in CHOICES.items()})
rates = st.dictionaries(dates, st.integers(50, 200).map(lambda percent: Decimal(percent) / 100), min_size=1, max_size=6)


@settings(max_examples=15, deadline=None)
@given(policies, histories, rates)
def test_the_bridge_and_its_causes_add_up_under_every_policy(policy, periods, by_day):
    tables = inputs(periods, [])
    paid = [{"subscription_id": "S1", "period_start": "2025-06-01", "period_end": "2025-07-01", "is_settled": True}]
    tables["bill_balances"] = some({name: str(kind) for name, kind in unbound("bill_balances").schema().items()}, paid)
    tables["exchange_rates"] = dataset(
        "exchange_rates", *({"date": day, "currency": "EUR", "rate": rate} for day, rate in by_day.items())
    )
    tables = with_mrr(replace(RULES, mrr_policy=policy), **tables)
    facts = stored(months_query(policy.fx), **tables)
    assert rows(bridge_breaks(facts), "customer_id", "month") == []
    assert all(fx == 0 for (fx,) in rows(facts, "mrr_fx")) or policy.fx == "month_end"
    assert all(mrr >= 0 for (mrr,) in rows(tables["mrr_periods"], "mrr"))


ends = st.floats(-100, 100, allow_nan=False)


@settings(deadline=None)
@given(st.floats(-1e6, 1e6), ends, ends)
def test_a_score_is_within_0_and_100_and_its_status_is_known(value, healthy, risk):
    if healthy == risk:
        return
    statuses = RULES.health_scores.statuses
    score = score_of(value, HealthArea(metric="retention_rate", healthy=healthy, risk=risk))
    assert 0 <= score <= 100
    assert next(name for name, floor in statuses.items() if score >= floor) in statuses
