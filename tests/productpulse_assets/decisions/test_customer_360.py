"""customer_360: one row per customer, with its customer segments."""

import datetime as dt

import ibis
import pytest

from productpulse_assets.decisions.customer_360 import customer_360
from productpulse_assets.facts.contract_terms import contract_terms
from productpulse_assets.facts.customer_signals import customer_signals
from resources.duckdb_connection import open_read_only
from resources.home import Home
from resources.tables import rows_of
from tests.builders import calendar, dataset, inventory, rows, store
from tests.graph import RULES, with_mrr
from tests.productpulse_assets.decisions.cases import AS_OF, LEAK, LEAKAGE, PERSON, PROFILES, some
from tests.productpulse_assets.facts.ledger import LEDGER, computed

pytestmark = pytest.mark.slow

PLAN = {
    "customer_id": "string", "recommendation_title": "string", "scheduled_week": "string", "priority_rank": "int64",
}  # fmt: skip
EVENTS = ("subscriptions", "transactions", "product_usage", "support_tickets", "nps_scores")


def ago(days):
    return dt.date.fromisoformat(AS_OF) - dt.timedelta(days=days)


def everyone(*customers, risks=(), leaks=(), plan=(), is_current=True, **events):
    """customer_360 of these customers and what they did."""
    sources = {name: dataset(name, *events.get(name, ())) for name in EVENTS}
    who = sources | {
        "customers": dataset("customers", *customers),
        "calendar": calendar("2026-01-01", AS_OF, is_current=is_current),
    }
    who |= computed(store(who | {"source_inventory": inventory()}), (*LEDGER, contract_terms))
    ledger = {name: ibis.memtable(who.pop(name).to_pyarrow()) for name in [each.__name__ for each in LEDGER]}
    periods = with_mrr(subscriptions=who["subscriptions"], calendar=who["calendar"])["mrr_periods"]
    bills = {"bill_balances": ledger["bill_balances"], "mrr_periods": periods}
    terms = {"contract_terms": ibis.memtable(who.pop("contract_terms").to_pyarrow())}
    return customer_360(
        **who,
        **bills,
        receivables=ledger["receivables"],
        customer_signals=customer_signals(**who, **bills, **terms, rules=RULES),
        churn_risk_profiles=some(PROFILES, [PERSON | risk for risk in risks]),
        revenue_leakage=some(LEAKAGE, [LEAK | leak for leak in leaks]),
        intervention_plan=some(PLAN, list(plan)),
        rules=RULES,
    )


def period(customer, **more):
    return {"subscription_id": f"S{customer}{more.get('plan', '')}{len(more)}", "customer_id": customer} | more


LEFT = {"status": "Canceled", "end_date": "2026-05-01"}
STATES = (
    period("active"), period("late", status="Past Due"), period("left", **LEFT), period("trial", status="Trial"),
    period("soon", start_date="2026-07-15"), period("free", monthly_price=0, plan="Free"),
    period("over", status="Expired", end_date="2026-06-30"),
)  # fmt: skip
NAMES = ("active", "free", "late", "left", "never", "over", "soon", "trial")


def test_every_customer_has_one_row_paying_or_not():
    table = everyone(*({"customer_id": name} for name in NAMES), subscriptions=STATES)
    assert rows(table, "customer_id", "subscription_status", "is_active", "current_mrr", "revenue_segment") == [
        ("active", "Active", True, 100, "Small"),
        ("free", "Active", True, 0, "None"),
        ("late", "Past Due", True, 100, "Small"),
        ("left", "Canceled", False, 0, "None"),
        ("never", "None", False, 0, "None"),
        ("over", "Expired", False, 0, "None"),
        ("soon", "None", False, 0, "None"),
        ("trial", "Trial", False, 0, "None"),
    ]


def test_past_due_is_not_known_for_a_day_before_the_newest_data():
    table = everyone({"customer_id": "late"}, subscriptions=STATES, is_current=False)
    assert rows(table, "subscription_status", "is_active", "current_mrr") == [("Active", True, 100)]


def test_the_plan_is_that_of_the_highest_priced_running_subscription():
    mine = (
        period("C1", plan="Old", end_date="2026-06-01", status="Canceled", monthly_price=900),
        period("C1", plan="Small", monthly_price=50),
        period("C1", plan="Large", monthly_price=70, start_date="2026-02-01", status="Active"),
    )
    table = everyone({}, subscriptions=mine)
    assert rows(table, "plan", "subscription_status", "current_mrr") == [("Large", "Active", 120)]


def test_unknown_values_are_null_and_their_segments_have_a_word():
    table = everyone({})
    assert rows(table, "latest_nps", "churn_risk_score", "usage_change", "total_revenue", "open_leakage") == [
        (None,) * 5
    ]
    segments = ("usage_trend", "health_status", "revenue_segment", "usage_segment", "risk_segment", "nps_segment")
    assert rows(table, *segments) == [("No Data", "Not Paying", "None", "No Data", "Not Paying", "No Answer")]


def test_a_customer_who_left_may_still_have_leakage():
    paid = {"subscription_id": "S1", "transaction_date": "2026-02-01"}
    table = everyone(
        {}, {"customer_id": "C2"},
        subscriptions=(period("C1", **LEFT),),
        transactions=(paid, paid | {"status": "Refunded", "amount": 30}, paid | {"status": "Failed"}, paid | {"transaction_date": "2026-07-01"}),
        leaks=({}, {"leakage_id": "L2", "estimated_revenue_loss": 7.5}),
        plan=(
            {"customer_id": "C1", "recommendation_title": "Later", "scheduled_week": "backlog", "priority_rank": 9},
            {"customer_id": "C1", "recommendation_title": "Win back", "scheduled_week": "2026-06-29", "priority_rank": 2},
        ),
    )  # fmt: skip
    columns = (
        "is_active",
        "total_revenue",
        "open_leakage",
        "revenue_at_risk",
        "recommended_action",
        "next_action_week",
    )
    assert rows(table, *columns, by=("customer_id",)) == [
        (False, 70, 57.5, 0, "Win back", "2026-06-29"),
        (False, 0, 0, 0, None, None),
    ]


def by_value(values, table, *columns):
    """The given column for each of the values, whose customers are numbered in that order."""
    told = rows(table, *columns, by=("customer_id",))
    return {value: row[0] if len(columns) == 1 else row for value, row in zip(values, told, strict=True)}


def numbered(values, told):
    """One row per value, each of another customer."""
    return tuple({"customer_id": f"C{place:02}"} | told(value) for place, value in enumerate(values))


def test_a_trend_is_a_change_of_more_than_ten_percent():
    # The 84 days before have three times 28: 30 logins are 10 per 28 days.
    trends = {
        (11, 30): "Stable", (111, 300): "Increasing", (9, 30): "Stable", (89, 300): "Declining",
        (22, 60): "Stable", (0, 30): "Declining", (10, 0): "No Data",
    }  # fmt: skip
    now = numbered(trends, lambda pair: {"date": ago(3), "logins": pair[0]})
    before = numbered(trends, lambda pair: {"date": ago(111), "logins": pair[1]})
    table = everyone(*numbered(trends, lambda pair: {}), product_usage=now + before)
    assert by_value(trends, table, "usage_trend") == trends


def test_the_risk_segment_begins_at_its_floors():
    expected = {
        1.0: ("At Risk", "Critical"), 0.65: ("At Risk", "Critical"), 0.6499: ("At Risk", "High"),
        0.4: ("At Risk", "High"), 0.3999: ("Watch", "Medium"), 0.2: ("Watch", "Medium"),
        0.1999: ("Healthy", "Low"), 0.0: ("Healthy", "Low"),
    }  # fmt: skip
    risks = numbered(expected, lambda score: {"risk_score": score})
    table = everyone(*numbered(expected, lambda score: {}), risks=risks)
    assert by_value(expected, table, "health_status", "risk_segment") == expected


def test_the_revenue_segment_begins_at_its_floors():
    expected = {1000: "Large", 999.99: "Medium", 200: "Medium", 199.99: "Small", 0.01: "Small", 0: "None"}
    prices = numbered(expected, lambda mrr: {"monthly_price": mrr})
    assert (
        by_value(expected, everyone(*numbered(expected, lambda mrr: {}), subscriptions=prices), "revenue_segment")
        == expected
    )


def test_the_usage_segment_depends_on_logins_a_week():
    expected = {
        80: (20, "Power"),
        79: (19.75, "Regular"),
        20: (5, "Regular"),
        19: (4.75, "Light"),
        1: (0.25, "Light"),
        0: (0, "Idle"),
    }
    usage = numbered(expected, lambda logins: {"date": ago(27), "logins": logins})
    older = numbered(expected, lambda logins: {"date": ago(28), "logins": 500})
    table = everyone(*numbered(expected, lambda logins: {}), product_usage=usage + older)
    assert by_value(expected, table, "latest_usage_frequency", "usage_segment") == expected


def test_the_nps_segment_depends_on_the_newest_score():
    expected = {10: "Promoter", 9: "Promoter", 8: "Passive", 7: "Passive", 6: "Detractor", 0: "Detractor"}
    answers = numbered(expected, lambda score: {"date": ago(10), "score": score})
    older = numbered(expected, lambda score: {"date": ago(20), "score": 5})
    table = everyone(*numbered(expected, lambda score: {}), nps_scores=answers + older)
    assert by_value(expected, table, "nps_segment") == expected


def test_the_customers_add_up_to_the_company(good_run, good_home):
    backend = open_read_only(Home(good_home).published)
    customers = rows_of(backend.table("customer_360"))
    kpis = {row["metric_name"]: row for row in rows_of(backend.table("kpi_summary"))}
    assert (
        len(customers) == len({row["customer_id"] for row in customers}) == backend.table("customers").count().execute()
    )
    assert sum(row["current_mrr"] for row in customers) == kpis["monthly_recurring_revenue"]["amount"] > 0
    assert sum(row["revenue_at_risk"] for row in customers) == kpis["revenue_at_risk"]["amount"]
    leaks = backend.table("revenue_leakage").estimated_revenue_loss.sum().execute()
    assert sum(row["open_leakage"] for row in customers) == leaks
    paying = {row["customer_id"] for row in rows_of(backend.table("customer_signals"))}
    assert {row["customer_id"] for row in customers if row["churn_risk_band"]} == paying
