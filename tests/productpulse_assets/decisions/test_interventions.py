"""intervention_plan and owner_workload: merged, counted once, and scheduled by week."""

import pytest

from tests.builders import rows
from tests.productpulse_assets.decisions.cases import CALL, COLLECT, plan, workload

VISIT = CALL | {"rule_id": "visit", "title": "Visit", "expected_action": "Visit.", "confidence_weight": 0.5}
CHASE = COLLECT | {"rule_id": "chase", "expected_action": "Chase.", "confidence_weight": 0.5}
MONEY = ("monthly_revenue", "recurring_value", "one_off_cash")


def crowd(number):
    """This number of customers, C01 with the largest MRR."""
    return [{"customer_id": f"C{place:02}", "mrr": 1000 - place} for place in range(1, number + 1)]


def test_one_row_per_customer_category_and_owner(follow):
    other_work, other_owner = {"category": "Onboarding"}, {"suggested_owner": "Bob"}
    follow(CALL, VISIT, VISIT | {"rule_id": "teach"} | other_work, VISIT | {"rule_id": "ask"} | other_owner)
    table = plan({}, {"customer_id": "C2"})
    assert rows(table, "customer_id", "category", "suggested_owner", "recommendations") == [
        (customer, *work)
        for customer in ("C1", "C2")
        for work in (("Onboarding", "Ann", 1), ("Retention", "Ann", 2), ("Retention", "Bob", 1))
    ]


def test_an_intervention_has_the_title_of_its_most_urgent_recommendation(follow):
    follow(VISIT, CALL, CALL | {"rule_id": "again"})
    (row,) = rows(
        plan({}), "recommendation_title", "expected_action", "reason", "confidence_level", "affected_customers"
    )
    assert row == ("Call Acme", "Call. Visit.", "Risky.", "High", 1)


def test_mrr_counts_once_and_each_distinct_leakage_once(follow):
    follow(*(rule | {"category": "Save", "suggested_owner": "Ann"} for rule in (CALL, VISIT, COLLECT, CHASE)))
    table = plan({}, leaks=({}, {"leakage_id": "L2", "estimated_revenue_loss": 7.5}))
    # 100 of MRR by two rules; 50 and 7.50 of leakage by two rules each.
    assert rows(table, *MONEY, "priority_score", "recommendations") == [(100, 100, 57.5, 157.5, 6)]


def test_money_counts_once_across_the_interventions_of_a_customer(follow):
    follow(CALL, VISIT | {"suggested_owner": "Bob"}, COLLECT, CHASE | {"suggested_owner": "Ann"})
    table = plan({}, leaks=({},))
    # Each counts where it is most urgent; the priority of the others stays.
    assert rows(table, "category", "suggested_owner", *MONEY, "priority_score", by=("priority_rank",)) == [
        ("Retention", "Ann", 100, 100, 0, 100),
        ("Billing", "Bob", 0, 0, 50, 50),
        ("Retention", "Bob", 0, 0, 0, 50),
        ("Billing", "Ann", 0, 0, 0, 25),
    ]


def test_priority_adds_the_most_urgent_recommendation_of_each_subject(follow):
    follow(CALL, VISIT, *(rule | {"category": "Retention", "suggested_owner": "Ann"} for rule in (COLLECT, CHASE)))
    leaks = ({"estimated_revenue_loss": 60}, {"leakage_id": "L2", "estimated_revenue_loss": 40})
    # 100 + 60 + 40 reaches Medium; VISIT and CHASE are about the same money.
    assert rows(plan({}, leaks=leaks), "priority_score", "priority_band") == [(200, "Medium")]


@pytest.mark.parametrize(
    ("number", "weeks"),
    [
        (2, ["2026-06-29"] * 2),
        (3, ["2026-06-29"] * 2 + ["2026-07-06"]),
        (4, ["2026-06-29"] * 2 + ["2026-07-06"] * 2),
        (5, ["2026-06-29"] * 2 + ["2026-07-06"] * 2 + ["backlog"]),
    ],
)
def test_by_priority_each_owner_takes_on_two_a_week_for_two_weeks(follow, number, weeks):
    follow(CALL, COLLECT)
    table = plan(*crowd(number), leaks=({"customer_id": "C01"},))
    assert [
        week
        for owner, week in rows(table, "suggested_owner", "scheduled_week", by=("priority_rank",))
        if owner == "Ann"
    ] == weeks
    assert [week for owner, week in rows(table, "suggested_owner", "scheduled_week") if owner == "Bob"] == [
        "2026-06-29"
    ]


@pytest.mark.parametrize(
    ("as_of", "monday"),
    [
        ("2026-06-27", "2026-06-22"),
        ("2026-06-28", "2026-06-29"),
        ("2026-06-29", "2026-06-29"),
        ("2025-12-31", "2025-12-29"),
    ],
)
def test_the_first_week_is_that_of_the_day_after_the_as_of_date(follow, as_of, monday):
    # Saturday, Sunday, Monday, and New Year's Eve.
    follow(CALL)
    assert rows(plan({}, as_of=as_of), "scheduled_week") == [(monday,)]


def test_the_workload_has_every_week_of_every_owner_and_the_backlog(follow):
    follow(CALL, COLLECT)
    table = workload(*crowd(5))
    assert rows(table, "owner", "week", "interventions", "capacity", "monthly_revenue") == [
        ("Ann", "2026-06-29", 2, 2, 1997),
        ("Ann", "2026-07-06", 2, 2, 1993),
        ("Ann", "backlog", 1, None, 995),
        ("Bob", "2026-06-29", 0, 2, 0),
        ("Bob", "2026-07-06", 0, 2, 0),
        ("Bob", "backlog", 0, None, 0),
    ]


def test_the_workload_adds_up_to_the_plan(follow):
    follow(CALL, VISIT | {"category": "Onboarding"}, COLLECT)
    case = (*crowd(7), {"customer_id": "C99", "mrr": None})
    leaks = tuple({"leakage_id": f"L{n}", "customer_id": f"C{n:02}"} for n in (1, 2, 3, 99))
    planned, work = plan(*case, leaks=leaks), workload(*case, leaks=leaks)
    by_week = planned.group_by(owner="suggested_owner", week="scheduled_week").aggregate(
        interventions=planned.count(), **{name: planned[name].sum() for name in MONEY}
    )
    columns = ("owner", "week", "interventions", *MONEY)
    assert rows(work.filter(work.interventions > 0), *columns) == rows(by_week, *columns)
    totals = work.aggregate(n=work.interventions.sum(), **{name: work[name].sum() for name in MONEY})
    mrr = sum(1000 - place for place in range(1, 8))
    assert rows(totals, "n", *MONEY) == [(18, mrr, mrr, 4 * 50)]
