"""Identities of any subscription history: cohorts add up, funnels never widen, scores stay in range."""

import datetime as dt
import functools

import hypothesis.strategies as st
import ibis
import pytest
from hypothesis import given, settings

from productpulse_assets.facts.customer_months import customer_months
from productpulse_assets.metrics.cohorts import cohort_summary, funnel_summary, segment_funnel
from productpulse_assets.metrics.health import score_of
from rules.models import HealthArea
from tests.builders import calendar, dataset, rows, stored
from tests.graph import RULES, empty, unbound

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
    tables = {name: unbound(name) for name in (*INPUTS, "bill_balances", "calendar")}
    return ibis.to_sql(customer_months(**tables, rules=RULES), dialect="duckdb")


def inputs(periods, usage):
    """The datasets of an example."""
    subscriptions = [
        {
            "customer_id": row["customer_id"],
            "status": "Active" if row["is_open"] else "Canceled",
            "start_date": min(row["span"]),
            "end_date": None if row["is_open"] else max(row["span"]),
            "monthly_price": row["monthly_price"],
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
    facts = stored(fact_query(), **tables, bill_balances=empty("bill_balances"))
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
