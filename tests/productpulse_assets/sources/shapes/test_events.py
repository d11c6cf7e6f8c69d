"""One row per change of a subscription becomes one row per period."""

import datetime as dt

import hypothesis.strategies as st
import pytest
from hypothesis import given

from tests.productpulse_assets.sources.shapes.exports import (
    EXAMPLES,
    MRR,
    by_day,
    computed,
    identities,
    read,
    table_of_rows,
)

SHAPE = {"kind": "events", "event": "Event", "date": "When"}
PERIOD = ("subscription_id", "start_date", "end_date", "monthly_price", "status", "row_number")


def test_each_event_begins_a_period_at_the_price_after_it():
    outcome = read(
        """
When,customer_id,Event,plan,monthly_price
2026-01-10,C1,Created,Basic,100
2026-02-20,C1,upgraded,Pro,150
2026-03-05,C1,Changed,,140
2026-04-01,C1,Churned,,
2026-06-01,C1,resumed,,140
2026-01-15,C2,new,Basic,50
2026-01-15,C2,upgrade,Pro,70
2026-05-01,C2,downgraded,Free,0
""",
        SHAPE,
    )
    assert outcome.values(*PERIOD, "plan") == [
        ("C1", "2026-01-10", "2026-02-20", "100.00", "Canceled", 1, "Basic"),
        ("C1@2026-02-20", "2026-02-20", "2026-03-05", "150.00", "Canceled", 2, "Pro"),
        ("C1@2026-03-05", "2026-03-05", "2026-04-01", "140.00", "Canceled", 3, "Pro"),
        ("C1@2026-06-01", "2026-06-01", None, "140.00", "Active", 5, "Pro"),
        ("C2", "2026-01-15", "2026-05-01", "70.00", "Canceled", 7, "Pro"),
    ]
    assert outcome.warning is None


def test_words_of_the_file_count_before_the_usual_ones_and_unknown_ones_are_rejected():
    outcome = read(
        """
When,customer_id,Event,monthly_price
2026-01-01,C1,Neukunde,10
2026-02-01,C1,ended,20
2026-03-01,C1,Kündigung,
2026-03-02,C1,called us,
2026-03-03,C1,,
someday,C2,Neukunde,10
2026-03-01,C3,Neukunde,much
""",
        SHAPE | {"words": {"new": ["Neukunde"], "change": ["ended"], "end": ["Kündigung"]}},
    )
    assert outcome.values(*PERIOD) == [
        ("C1", "2026-01-01", "2026-02-01", "10.00", "Canceled", 1),
        ("C1@2026-02-01", "2026-02-01", "2026-03-01", "20.00", "Canceled", 2),
    ]
    assert [reject[1:] for reject in outcome.rejects] == [
        (4, "event", "known_event", "called us"),
        (5, "event", "not_null", None),
        (6, "start_date", "parses_as_date", "someday"),
        (7, "monthly_price", "parses_as_number", "much"),
    ]


def test_an_end_may_be_the_last_day():
    text = "When,customer_id,Event,monthly_price\n2026-01-01,C1,new,10\n2026-01-31,C1,canceled,"
    assert read(text, SHAPE).values("end_date") == [("2026-01-31",)]
    assert read(text, SHAPE | {"inclusive_ends": True}).values("end_date") == [("2026-02-01",)]


def test_an_export_that_begins_in_the_middle_or_has_two_subscriptions_under_one_id_is_warned_about():
    outcome = read(
        """
When,customer_id,Event,monthly_price
2026-01-01,C1,upgraded,20
2026-01-01,C2,churned,
2026-01-01,C3,new,10
2026-01-01,C3,new,10
2026-02-01,C3,new,30
""",
        SHAPE,
    )
    assert outcome.values("customer_id", "start_date", "end_date", "monthly_price") == [
        ("C1", "2026-01-01", None, "20.00"),
        ("C3", "2026-01-01", "2026-02-01", "10.00"),
        ("C3", "2026-02-01", None, "30.00"),
    ]
    assert outcome.warning == (
        "subscriptions: 1 events begin a subscription that already runs: the new price replaces the old one. If a "
        "customer has several subscriptions, map subscription_id under columns (first: export.csv, row 5). 1 events "
        "change a subscription whose start is not in the export: its periods begin on that day, and what was before is "
        "unknown. Export the events from the beginning (first: export.csv, row 1). 1 events end a subscription whose "
        "start is not in the export: it has no period. Export the events from the beginning (first: export.csv, row 2)."
    )


DAYS = [dt.date(2026, 1, 1) + dt.timedelta(days=number) for number in range(60)]
ROWS = st.lists(
    st.tuples(
        st.sampled_from(DAYS),
        st.sampled_from(["C1", "C2"]),
        st.sampled_from([None, "S1", "S2"]),
        st.sampled_from(["created", "Upgraded", "canceled", "reactivated", "called us"]),
        st.sampled_from(["Basic", "Pro", None]),
        st.sampled_from(["0", "10", "10.00", "99.99"]),
    ),
    min_size=1,
    max_size=30,
)
COLUMNS = ("When", "customer_id", "subscription_id", "Event", "plan", "monthly_price")
PLAIN_SQL = """
    SELECT day, sum(price) AS mrr FROM (
        SELECT
            day, customer_id, subscription_id,
            arg_max(if("Event" = 'canceled', 0, CAST(monthly_price AS DECIMAL(18, 2))), ("When", row_number)) AS price
        FROM raw JOIN days ON CAST("When" AS DATE) <= day
        WHERE "Event" <> 'called us'
        GROUP BY ALL
    ) GROUP BY day
"""


@EXAMPLES
@pytest.mark.slow
@given(ROWS)
def test_the_mrr_of_every_day_is_the_price_after_the_last_event(rows):
    backend = computed(table_of_rows(COLUMNS, rows), SHAPE)
    assert by_day(backend, MRR, DAYS) == by_day(backend, PLAIN_SQL, DAYS)


@EXAMPLES
@pytest.mark.slow
@given(ROWS, st.sampled_from(DAYS))
def test_the_periods_of_a_shorter_export_have_the_same_ids_in_a_longer_one(rows, newest):
    shorter = [row for row in rows if row[0] <= newest]
    if shorter:
        before = identities(computed(table_of_rows(COLUMNS, shorter), SHAPE))
        assert before <= identities(computed(table_of_rows(COLUMNS, rows), SHAPE))
