"""customer_months on a handful of rows; every figure is worked out by hand in the test."""

import datetime as dt
import functools
from decimal import Decimal

import hypothesis.strategies as st
import ibis
from hypothesis import given, settings

from asset_checks.invariants import bridge_breaks
from productpulse_assets.facts.customer_months import columns, customer_attributes, customer_months
from rules.metrics.periods import CLOSING_COLUMNS, FLOW_COLUMNS, OPENING_COLUMNS
from tests.builders import calendar, dataset, rows, stored
from tests.graph import RULES, empty, unbound, with_mrr

FACTS = ("transactions", "product_usage", "support_tickets", "nps_scores", "acquisition_channels")
MRR = ("mrr_periods", "mrr_changes")


@functools.cache
def query() -> str:
    """The asset's SQL: compiled once, run on the rows of every test."""
    names = ("customers", "subscriptions", *FACTS, "bill_balances", "calendar", *MRR)
    inputs = {name: unbound(name) for name in names}
    return ibis.to_sql(customer_months(**inputs, rules=RULES), dialect="duckdb")


def build(as_of, first="2026-01-01", customers=({},), bills=None, **given_rows):
    tables = {name: dataset(name, *given_rows.get(name, ())) for name in ("subscriptions", *FACTS)}
    tables["bill_balances"] = empty("bill_balances") if bills is None else bills
    tables |= {"customers": dataset("customers", *customers), "calendar": calendar(first, as_of)}
    return stored(query(), **with_mrr(**tables))


MOVEMENTS = ("month", "mrr_start", "mrr_new", "mrr_reactivation", "mrr_expansion", "mrr_contraction", "mrr_churned", "mrr_end")  # fmt: skip


def test_one_customer_with_every_kind_of_movement():
    table = build(
        "2026-07-31",
        subscriptions=[
            {"status": "Expired", "start_date": "2026-01-10", "end_date": "2026-03-05", "monthly_price": 100},
            {"status": "Expired", "start_date": "2026-03-05", "end_date": "2026-04-20", "monthly_price": 150},
            {"status": "Canceled", "start_date": "2026-04-20", "end_date": "2026-05-15", "monthly_price": 80},
            {"status": "Active", "start_date": "2026-07-02", "monthly_price": 90},
        ],
    )
    assert rows(table, *MOVEMENTS) == [
        ("2026-01-01", 0, 100, 0, 0, 0, 0, 100),  # new
        ("2026-02-01", 100, 0, 0, 0, 0, 0, 100),
        ("2026-03-01", 100, 0, 0, 50, 0, 0, 150),  # upgrade
        ("2026-04-01", 150, 0, 0, 0, 70, 0, 80),  # downgrade
        ("2026-05-01", 80, 0, 0, 0, 0, 80, 0),  # left on the 15th
        ("2026-06-01", 0, 0, 0, 0, 0, 0, 0),
        ("2026-07-01", 0, 0, 90, 0, 0, 0, 90),  # came back
    ]
    assert rows(table, "month", "paying_start", "paying_end", "is_new", "is_reactivated", "is_churned")[4:] == [
        ("2026-05-01", 1, 0, 0, 0, 1),
        ("2026-06-01", 0, 0, 0, 0, 0),
        ("2026-07-01", 0, 1, 0, 1, 0),
    ]


def test_an_end_date_is_exclusive():
    table = build("2026-02-28", subscriptions=[{"status": "Canceled", "end_date": "2026-01-31"}])
    assert rows(table, "month", "mrr_end") == [("2026-01-01", 0), ("2026-02-01", 0)]
    table = build("2026-02-28", subscriptions=[{"status": "Canceled", "end_date": "2026-02-01"}])
    assert rows(table, "month", "mrr_end") == [("2026-01-01", 100), ("2026-02-01", 0)]


def test_the_as_of_month_ends_at_the_as_of_date():
    table = build("2026-02-10", subscriptions=[{"start_date": "2026-02-10"}, {"start_date": "2026-02-11"}])
    assert rows(table, "month", "month_end", "is_complete", "mrr_end") == [
        ("2026-01-01", "2026-01-31", True, 0),
        ("2026-02-01", "2026-02-10", False, 100),
    ]


def test_trials_and_free_plans_pay_nothing():
    table = build("2026-01-31", subscriptions=[{"status": "Trial"}, {"monthly_price": 0}])
    assert rows(table, "mrr_end", "paying_end", "cohort_month", "plan") == [(0, 0, None, "None")]


def test_rows_start_with_the_earlier_of_signup_and_first_subscription():
    table = build(
        "2026-04-30",
        customers=[{"signup_date": "2026-03-15"}, {"signup_date": "2026-02-20"}, {"signup_date": "2026-05-01"}],
        subscriptions=[{"customer_id": "C1", "start_date": "2026-02-01"}],
    )
    assert rows(table, "customer_id", "month") == [
        ("C1", "2026-02-01"), ("C1", "2026-03-01"), ("C1", "2026-04-01"),
        ("C2", "2026-02-01"), ("C2", "2026-03-01"), ("C2", "2026-04-01"),
    ]  # fmt: skip


def test_rows_start_with_the_first_event_of_any_kind_so_that_no_event_is_left_out():
    early = "2026-01-15"
    table = build(
        "2026-06-30",
        first=early,
        customers=[{"signup_date": "2026-05-10"}],
        subscriptions=[{"start_date": "2026-05-10"}],
        transactions=[
            {"transaction_date": early, "subscription_id": "S1"},
            {"transaction_date": "2026-06-01", "subscription_id": "S1"},
        ],
        product_usage=[{"date": "2026-02-01", "logins": 7}],
        support_tickets=[{"date_opened": "2026-03-01"}],
        nps_scores=[{"date": "2026-04-01", "score": 9}],
    )
    facts = ("amount_collected", "logins", "tickets_opened", "nps_responses")
    assert rows(table, "month", *facts, by=("month",)) == [
        ("2026-01-01", 100, 0, 0, 0),
        ("2026-02-01", 0, 7, 0, 0),
        ("2026-03-01", 0, 0, 1, 0),
        ("2026-04-01", 0, 0, 0, 1),
        ("2026-05-01", 0, 0, 0, 0),
        ("2026-06-01", 100, 0, 0, 0),
    ]


def test_months_after_the_end_of_a_late_dataset_are_unknown():
    usage = [{"date": dt.date(2026, 1, 5) + dt.timedelta(weeks=week), "logins": 1} for week in range(13)]
    table = build("2026-06-10", product_usage=usage, subscriptions=[{}])
    assert rows(table, "month", "logins", "key_actions_to_date", by=("month",)) == [
        ("2026-01-01", 4, 4), ("2026-02-01", 4, 8), ("2026-03-01", 5, 13),
        ("2026-04-01", None, 13), ("2026-05-01", None, 13), ("2026-06-01", None, 13),
    ]  # fmt: skip


def test_the_plan_is_the_highest_priced_then_the_last_one_then_none():
    table = build(
        "2026-05-31",
        subscriptions=[
            {"plan": "Starter", "start_date": "2026-02-01", "end_date": "2026-04-10", "status": "Canceled", "monthly_price": 10},
            {"plan": "Scale", "start_date": "2026-02-01", "end_date": "2026-03-10", "status": "Canceled", "monthly_price": 90},
            {"plan": "Addon", "start_date": "2026-04-12", "end_date": "2026-04-20", "status": "Canceled", "monthly_price": 5},
        ],
    )  # fmt: skip
    assert rows(table, "month", "plan") == [
        ("2026-01-01", "None"),
        ("2026-02-01", "Scale"),
        ("2026-03-01", "Starter"),
        ("2026-04-01", "Addon"),  # not paying at month end: the last one held in the month
        ("2026-05-01", "Addon"),
    ]


def test_the_plan_of_a_paying_customer_without_one_is_unknown():
    assert rows(build("2026-01-31", subscriptions=[{"plan": None}]), "plan") == [(None,)]


def test_twelve_months_back():
    table = build(
        "2026-02-28",
        first="2025-01-01",
        customers=[{"signup_date": "2025-01-01"}],
        subscriptions=[
            {"start_date": "2025-01-01", "end_date": "2026-02-01", "status": "Expired", "monthly_price": 100},
            {"start_date": "2026-02-01", "monthly_price": 130},
        ],
    )
    facts = rows(table, "month", "mrr_12m_ago", "mrr_kept_12m", "mrr_retained_12m")
    assert facts[11:] == [
        ("2025-12-01", 0, 0, 0),
        ("2026-01-01", 100, 100, 100),
        ("2026-02-01", 100, 130, 100),  # an increase counts in what is kept, not in what is retained
    ]
    assert rows(table, "month", "cohort_month", "months_since_cohort")[13] == ("2026-02-01", "2025-01-01", 13)


def test_events_up_to_the_as_of_date_are_summed_in_their_month():
    table = build(
        "2026-02-15",
        transactions=[
            {"transaction_date": "2026-01-05", "amount": 100.10},
            {"transaction_date": "2026-01-31", "amount": 50.05, "status": "Failed"},
            {"transaction_date": "2026-02-15", "amount": 20, "status": "Refunded"},
            {"transaction_date": "2026-02-16", "amount": 999},
        ],
        product_usage=[
            {"date": "2026-01-10", "logins": 3, "key_actions": 5, "features_used": 2},
            {"date": "2026-02-01", "logins": 4, "key_actions": 1, "features_used": None},
            {"date": "2026-02-16", "logins": 50, "key_actions": 50},
        ],
        support_tickets=[{"date_opened": "2026-01-03"}, {"date_opened": "2026-02-16"}],
        nps_scores=[{"date": "2026-01-03", "score": score} for score in (0, 6, 7, 8, 9, 10)],
    )
    assert rows(table, "month", "amount_collected", "amount_failed", "amount_refunded", "payments_succeeded", "payments_failed") == [
        ("2026-01-01", 100.10, 50.05, 0, 1, 1),
        ("2026-02-01", 0, 0, 20, 0, 0),
    ]  # fmt: skip
    assert rows(table, "month", "logins", "key_actions", "features_used_sum", "usage_records", "key_actions_to_date", "is_activated") == [
        ("2026-01-01", 3, 5, 2, 1, 5, 0),  # five key actions are not more than five
        ("2026-02-01", 4, 1, 0, 1, 6, 1),
    ]  # fmt: skip
    assert rows(table, "month", "tickets_opened") == [("2026-01-01", 1), ("2026-02-01", 0)]
    assert rows(table, "month", "nps_responses", "nps_score_sum", "nps_promoters", "nps_detractors")[0] == (
        "2026-01-01", 6, 40, 2, 2,
    )  # fmt: skip


def test_days_to_the_first_key_action_count_from_its_month_on():
    table = build(
        "2026-03-31",
        customers=[{"signup_date": "2026-01-10"}],
        product_usage=[
            {"date": "2026-01-12", "key_actions": 0},
            {"date": "2026-02-09", "key_actions": 3},
            {"date": "2026-03-01", "key_actions": 3},
        ],
    )
    assert rows(table, "month", "days_to_first_key_action") == [
        ("2026-01-01", None),
        ("2026-02-01", 30),  # 10 January to 9 February
        ("2026-03-01", 30),
    ]


def test_acquisition_cost_is_in_the_first_paying_month():
    channels = [{"channel_name": "Organic", "cost_per_acquisition": 12.5}]
    customers = [{"acquisition_channel": "Organic"}, {"acquisition_channel": "Fair"}]
    subscriptions = [
        {"customer_id": "C1", "start_date": "2026-02-01"},
        {"customer_id": "C2", "start_date": "2026-02-01"},
    ]
    table = build("2026-03-31", customers=customers, subscriptions=subscriptions, acquisition_channels=channels)
    assert rows(table, "customer_id", "month", "acquisition_cost") == [
        ("C1", "2026-01-01", 0), ("C1", "2026-02-01", 12.5), ("C1", "2026-03-01", 0),
        ("C2", "2026-01-01", 0), ("C2", "2026-02-01", None), ("C2", "2026-03-01", 0),  # the cost of its channel is not known
    ]  # fmt: skip
    assert rows(build("2026-01-31", subscriptions=[{}]), "acquisition_cost") == [(None,)]


def test_facts_of_a_dataset_without_rows_are_unknown_not_zero():
    table = build("2026-01-31", nps_scores=[{"customer_id": "C9", "date": "2026-01-05", "score": 9}])
    assert rows(table, "amount_collected", "payments_failed", "logins", "is_activated", "tickets_opened") == [
        (None, None, None, None, None)
    ]
    assert rows(table, "nps_responses") == [(0,)]


def test_a_column_without_values_leaves_only_its_own_fact_unknown():
    table = build("2026-01-31", product_usage=[{"date": "2026-01-05", "features_used": None}])
    assert rows(table, "logins", "usage_records", "features_used_sum") == [(1, 1, None)]


def test_a_range_of_months_reads_every_fact_in_one_way():
    attributes = {
        "customer_id",
        "month",
        "month_end",
        "is_complete",
        "plan",
        "cohort_month",
        "churn_type",
        "churn_reason",
        *customer_attributes(RULES),
    }
    facts = [name for name in columns(customer_attributes(RULES)) if name not in attributes]
    assert sorted(facts) == sorted([*OPENING_COLUMNS, *CLOSING_COLUMNS, *FLOW_COLUMNS])


def test_money_is_decimal_in_every_column():
    kinds = {name: str(kind) for name, kind in build("2026-01-31").schema().items()}
    money = {name for name in kinds if name.startswith(("mrr_", "amount_"))}
    assert len(money) == 28
    assert kinds["acquisition_cost"] == "decimal(18, 2)"
    assert {kinds[name] for name in money} == {"decimal(18, 2)"}
    assert "float64" not in kinds.values()


CUSTOMERS = [f"C{number}" for number in range(1, 11)]
dates = st.dates(min_value=dt.date(2025, 1, 1), max_value=dt.date(2026, 6, 30))
periods = st.lists(
    st.fixed_dictionaries(
        {
            "customer_id": st.sampled_from(CUSTOMERS),
            "span": st.tuples(dates, dates),
            "is_open": st.booleans(),
            "status": st.sampled_from(["Active", "Past Due", "Canceled", "Expired", "Trial"]),
            "monthly_price": st.decimals(min_value=Decimal("0"), max_value=Decimal("9999.99"), places=2),
        }
    ),
    max_size=40,
)


@settings(max_examples=20, deadline=None)
@given(periods)
def test_the_bridge_adds_up_for_any_subscription_history(histories):
    subscriptions = [
        {
            "customer_id": row["customer_id"],
            "status": row["status"],
            "start_date": min(row["span"]),
            "end_date": None
            if row["is_open"] and row["status"] in ("Active", "Past Due", "Trial")
            else max(row["span"]),
            "monthly_price": row["monthly_price"],
        }
        for row in histories
    ]
    table = build("2026-06-30", first="2025-01-01", customers=[{}] * len(CUSTOMERS), subscriptions=subscriptions)
    assert bridge_breaks(table).count().execute() == 0
    for row in rows(table, "mrr_new", "mrr_reactivation", "mrr_expansion", "mrr_contraction", "mrr_churned"):
        assert min(row) >= 0
        assert sum(value > 0 for value in row) <= 1  # one movement a month


def test_a_broken_bridge_is_found():
    table = build("2026-01-31", subscriptions=[{}])
    assert bridge_breaks(table).count().execute() == 0
    assert bridge_breaks(table.mutate(mrr_new=table.mrr_new + 1)).count().execute() == 1
