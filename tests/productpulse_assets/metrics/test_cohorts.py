"""Cohorts and funnels on a handful of customer-months, worked out by hand."""

import datetime as dt

import ibis

from productpulse_assets.metrics.cohorts import cohort_summary, funnel_summary, segment_funnel
from productpulse_assets.metrics.funnel_steps import STEPS
from resources.tables import table_of
from tests.builders import calendar, day, rows
from tests.graph import RULES

SCHEMA = ibis.schema(
    {
        "customer_id": "string",
        "month": "date",
        "is_complete": "boolean",
        "segment": "string",
        "cohort_month": "date",
        "months_since_cohort": "int64",
        "paying_end": "int64",
        "mrr_end": "decimal(18, 2)",
        "key_actions_to_date": "int64",
    }
)


def months(*lines):
    """(customer, month, segment, cohort_month, mrr_end, key_actions_to_date), the as-of date being 15 April 2026."""
    content = []
    for customer, month, segment, cohort, mrr, actions in lines:
        first, start = day(month), day(cohort)
        since = None if start is None or first < start else (first.year - start.year) * 12 + first.month - start.month
        content.append(
            {
                "customer_id": customer,
                "month": first,
                "is_complete": first < dt.date(2026, 4, 1),
                "segment": segment,
                "cohort_month": start,
                "months_since_cohort": since,
                "paying_end": int(mrr > 0),
                "mrr_end": ibis.literal(mrr).cast("decimal(18,2)").execute(),
                "key_actions_to_date": actions,
            }
        )
    return table_of(content, SCHEMA)


FEBRUARY, MARCH, APRIL = "2026-02-01", "2026-03-01", "2026-04-01"
TABLE = months(
    ("A", FEBRUARY, "SMB", FEBRUARY, 100, 9), ("A", MARCH, "SMB", FEBRUARY, 150, 9), ("A", APRIL, "SMB", FEBRUARY, 150, 9),
    ("B", FEBRUARY, None, FEBRUARY, 50, 6), ("B", MARCH, None, FEBRUARY, 0, 6), ("B", APRIL, None, FEBRUARY, 60, 6),
    ("C", MARCH, "SMB", MARCH, 30, 8), ("C", APRIL, "SMB", MARCH, 30, 8),
    ("D", MARCH, "SMB", None, 0, 7), ("D", APRIL, "SMB", None, 0, 7),  # activated, never paid
    ("E", APRIL, "SMB", None, 0, 5),  # five key actions: not more than five
    ("F", APRIL, "SMB", APRIL, 10, 0),  # pays, but never acted
)  # fmt: skip


def test_a_cohort_keeps_its_size_and_its_first_revenue():
    curve = rows(
        cohort_summary(TABLE).filter(ibis._.is_total),
        "cohort_month", "months_since_cohort", "customers", "retained_customers", "retention_rate", "mrr", "mrr_retention_rate",
    )  # fmt: skip
    assert curve == [
        (FEBRUARY, 0, 2, 2, 1.0, 150, 1.0),
        (FEBRUARY, 1, 2, 1, 0.5, 150, 1.0),
        (FEBRUARY, 2, 2, 2, 1.0, 210, 1.4),  # B came back, A grew
        (MARCH, 0, 1, 1, 1.0, 30, 1.0),
        (MARCH, 1, 1, 1, 1.0, 30, 1.0),
        (APRIL, 0, 1, 1, 1.0, 10, 1.0),
    ]


def test_each_segment_has_rows_besides_the_total_and_a_missing_one_is_unknown():
    sizes = rows(cohort_summary(TABLE).filter(ibis._.months_since_cohort == 0), "segment", "cohort_month", "customers")
    assert sizes == [
        ("All", FEBRUARY, 2), ("All", MARCH, 1), ("All", APRIL, 1),
        ("SMB", FEBRUARY, 1), ("SMB", MARCH, 1), ("SMB", APRIL, 1),
        ("Unknown", FEBRUARY, 1),
    ]  # fmt: skip


def test_the_last_cells_of_the_cohorts_add_up_to_total_mrr():
    total = rows(TABLE.filter(ibis._.month == day(APRIL)).aggregate(mrr=ibis._.mrr_end.sum()), "mrr")
    cells = cohort_summary(TABLE).filter(ibis._.is_total)
    last = cells.group_by("cohort_month").aggregate(mrr=ibis._.mrr.argmax(ibis._.months_since_cohort))
    assert rows(last.aggregate(mrr=ibis._.mrr.sum()), "mrr") == total == [(250,)]


AS_OF = calendar(FEBRUARY, "2026-04-15")


def test_a_customer_is_in_a_step_only_if_it_is_in_all_steps_before():
    steps = rows(
        funnel_summary(TABLE, AS_OF, RULES), "step", "users", "previous_step_users", "conversion_rate", "is_bottleneck",
        by=("step_number",),
    )  # fmt: skip
    assert steps == [
        ("Signup", 6, None, None, False),
        ("First Key Action", 5, 6, 5 / 6, False),  # not F
        ("Activated", 4, 5, 0.8, False),  # not E
        ("Paid", 3, 4, 0.75, False),  # not D; F paid without having acted
        # C's second month is April, which is not over: of A and B, who had theirs, A stayed.
        ("Retained Month 1", 1, 2, 0.5, True),
    ]
    assert rows(funnel_summary(TABLE, AS_OF, RULES), "step_number", "dropoff_rate")[3] == (4, 0.25)


def test_the_funnel_by_segment_adds_up_to_the_whole():
    by_segment = segment_funnel(TABLE, AS_OF, RULES)
    assert rows(by_segment.filter(ibis._.step == "Signup"), "segment", "users") == [("SMB", 5), ("Unknown", 1)]
    for step in STEPS:
        total = rows(funnel_summary(TABLE, AS_OF, RULES).filter(ibis._.step == step), "users")
        parts = by_segment.filter(ibis._.step == step).aggregate(users=ibis._.users.sum())
        assert rows(parts, "users") == total


def test_without_usage_the_steps_after_the_signup_are_unknown():
    unknown = TABLE.mutate(key_actions_to_date=ibis.null("int64"))
    assert rows(funnel_summary(unknown, AS_OF, RULES), "step", "users", "conversion_rate", by=("step_number",)) == [
        ("Signup", 6, None),
        *((step, None, None) for step in STEPS[1:]),
    ]


def test_a_segment_that_is_called_all_is_not_the_total():
    table = months(("A", APRIL, "All", APRIL, 100, 0), ("B", APRIL, "SMB", APRIL, 50, 0))
    assert rows(cohort_summary(table), "segment", "is_total", "customers", "mrr") == [
        ("All", False, 1, 100), ("All", True, 2, 150), ("SMB", False, 1, 50),
    ]  # fmt: skip
