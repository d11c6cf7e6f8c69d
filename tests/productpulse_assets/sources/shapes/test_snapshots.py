"""One row per customer and month becomes one row per period."""

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

SHAPE = {"kind": "monthly_snapshots", "month": "Month"}
PERIOD = ("subscription_id", "start_date", "end_date", "monthly_price", "status")


def test_months_at_one_price_and_plan_are_one_period_that_begins_in_its_first_row():
    outcome = read(
        """
Month,customer_id,plan,monthly_price
2026-01,C1,Basic,100
2026-02,C1,Basic,100.00
2026-03,C1,Pro,100
2026-04,C1,Pro,120
2026-01,C2,Basic,50
2026-03,C2,Basic,50
2026-04,C3,Basic,0
""",
        SHAPE,
    )
    assert outcome.values(*PERIOD, "plan", "row_number") == [
        ("C1", "2026-01-01", "2026-03-01", "100.00", "Canceled", "Basic", 1),
        ("C1@2026-03-01", "2026-03-01", "2026-04-01", "100.00", "Canceled", "Pro", 3),
        ("C1@2026-04-01", "2026-04-01", None, "120.00", "Active", "Pro", 4),
        ("C2", "2026-01-01", "2026-02-01", "50.00", "Canceled", "Basic", 5),
        ("C2@2026-03-01", "2026-03-01", "2026-04-01", "50.00", "Canceled", "Basic", 6),
    ]
    assert outcome.rejects == []
    assert outcome.warning is None


def test_a_subscription_has_its_own_id_and_ended_rows_are_no_months():
    outcome = read(
        """
Month,customer_id,subscription_id,status,monthly_price
2026-01,C1,S1,Active,100
2026-02,C1,S1,Past Due,100
2026-01,C1,S2,Trial,30
2026-02,C1,S2,active,30
2026-01,C2,S3,active,10
2026-02,C2,S3,cancelled,10
""",
        SHAPE,
        aliases={"subscriptions.status": {"cancelled": "Canceled"}},
    )
    assert outcome.values(*PERIOD) == [
        ("S1", "2026-01-01", None, "100.00", "Past Due"),
        ("S2", "2026-01-01", "2026-02-01", "30.00", "Trial"),
        ("S2@2026-02-01", "2026-02-01", None, "30.00", "Active"),
        ("S3", "2026-01-01", "2026-02-01", "10.00", "Canceled"),
    ]


def test_what_cannot_be_read_is_rejected_for_its_value():
    outcome = read(
        """
Month,customer_id,status,monthly_price
soon,C1,Active,1
,C1,Active,1
2026-01,,Active,1
2026-01,C2,Active,on request
2026-01,C3,Active,
2026-01,C4,Sleeping,1
2026-01,C5,Active,5
""",
        SHAPE,
    )
    assert [reject[1:] for reject in outcome.rejects] == [
        (1, "start_date", "parses_as_date", "soon"),
        (2, "start_date", "not_null", None),
        (3, "customer_id", "not_null", None),
        (4, "monthly_price", "parses_as_number", "on request"),
        (5, "monthly_price", "not_null", None),
        (6, "status", "allowed_values", "Sleeping"),
    ]
    assert outcome.values("customer_id") == [("C5",)]


def test_numbers_currencies_and_ignored_words_are_read_as_in_any_export():
    outcome = read(
        """
Month,customer_id,status,monthly_price
Jan 2026,C1,live,"€1.200,50"
Feb 2026,C1,live,"1.200,50 EUR"
Feb 2026,C2,Test account,"99,00"
Feb 2026,C3,live,1.5
""",
        SHAPE,
        number_format="1.234,50",
        aliases={"subscriptions.status": {"live": "Active", "test account": "ignore"}},
    )
    assert outcome.values("customer_id", "start_date", "end_date", "monthly_price", "currency") == [
        ("C1", "2026-01-01", None, "1200.50", "EUR")
    ]
    assert [reject[1:] for reject in outcome.rejects] == [
        (3, "status", "ignored_status", "Test account"),
        (4, "monthly_price", "parses_as_number", "1.5"),
    ]
    assert outcome.warning.startswith("subscriptions: 1 rows are rejected: on the days")


@pytest.mark.parametrize(
    "text", ["2026-01", "2026-1", "2026/01", "202601", "01/2026", "1.2026", "Jan 2026", "January 2026", "Jan-26",
             "2026-01-31", "2026-01-31 00:00:00", "31.01.2026"],
)  # fmt: skip
def test_a_month_is_read_as_spreadsheets_and_databases_write_it(text):
    outcome = read(f"Month,customer_id,monthly_price\n{text},C1,10", SHAPE, date_formats=["%d.%m.%Y"])
    assert outcome.values("start_date", "end_date") == [("2026-01-01", None)]


def test_two_rows_of_a_month_are_added_and_warned_about():
    outcome = read("Month,customer_id,monthly_price\n2026-01,C1,10\n2026-01,C1,20\n", SHAPE)
    assert outcome.values("subscription_id", "monthly_price") == [("C1", "30.00")]
    assert outcome.warning == (
        "subscriptions: 1 rows are of a customer, subscription and month that another row has too: their prices are "
        "added. If they are two subscriptions, map subscription_id or plan under columns; if one replaces the other, "
        "leave it out (first: export.csv, row 2)."
    )


def test_a_month_in_two_files_counts_once():
    outcome = read(
        """
== a.csv
Month,customer_id,monthly_price
2026-01,C1,10
2026-01,C2,20
== b.csv
Month,customer_id,monthly_price
2026-01,C1,10
2026-01,C2,20.01
2026-02,C1,10
2026-02,C2,20.01
""",
        SHAPE,
    )
    assert outcome.rejects == [
        ("b.csv", 1, "subscription_id", "duplicate_row", "C1 2026-01-01"),
        ("b.csv", 2, "subscription_id", "unique_key", "C2 2026-01-01"),
    ]
    assert outcome.values("subscription_id", "start_date", "end_date", "monthly_price") == [
        ("C1", "2026-01-01", None, "10.00"),
        ("C2", "2026-01-01", "2026-02-01", "20.00"),
        ("C2@2026-02-01", "2026-02-01", None, "20.01"),
    ]


def test_of_the_snapshots_of_every_week_the_newest_of_a_month_counts():
    outcome = read(
        """
Month,customer_id,plan,monthly_price
2026-01-07,C1,Basic,10
2026-01-14,C1,Basic,10
2026-01-21,C1,Pro,30
2026-01-05,C2,Basic,10
2026-01-20,C2,Addon,5
""",
        SHAPE,
    )
    assert outcome.values("customer_id", "plan", "monthly_price") == [
        ("C1", "Pro", "30.00"),
        ("C2", "Addon", "5.00"),
        ("C2", "Basic", "10.00"),
    ]
    assert "2 rows are of a day before the newest one of their month" in outcome.warning


def test_a_month_that_most_customers_miss_and_a_newest_month_of_a_few_are_warned_about():
    months = {"2026-01": 5, "2026-02": 2, "2026-03": 5, "2026-04": 1}
    rows = [f"{month},C{number},10" for month, count in months.items() for number in range(count)]
    outcome = read("\n".join(["Month,customer_id,monthly_price", *rows]), SHAPE)
    assert outcome.warning == (
        "subscriptions: 2026-02: 3 customers with rows before and after this month have none in it, and 2 have one: is "
        "the month missing in the export? They count as lost and won back. Export that month too. 2026-04, the newest "
        "month, has rows of 1 of the 5 customers of the month before: is it complete? The others count as lost. Export "
        "it again, or leave it out."
    )


def test_customers_who_pause_or_leave_are_not_warned_about():
    rows = [f"2026-0{month},C{number},10" for month in (1, 2, 3) for number in range(6)]
    pauses = [row for row in rows if row not in ("2026-02,C1,10", "2026-03,C2,10")]
    free = [f"2026-03,C{number},0" for number in range(10, 16)]
    assert read("\n".join(["Month,customer_id,monthly_price", *pauses, *free]), SHAPE).warning is None


MONTHS = [dt.date(2025 + month // 12, month % 12 + 1, 1) for month in range(18)]
ROWS = st.lists(
    st.tuples(
        st.sampled_from(MONTHS),
        st.sampled_from(["C1", "C2", "C3"]),
        st.sampled_from([None, "S1", "S2"]),
        st.sampled_from(["Basic", "Pro", None]),
        st.sampled_from(["0", "10", "10.00", "10.01", "250"]),
        st.sampled_from(["Active", "Past Due", "Canceled"]),
    ),
    min_size=1,
    max_size=50,
)
COLUMNS = ("Month", "customer_id", "subscription_id", "plan", "monthly_price", "status")
PLAIN_SQL = """
    SELECT day, sum(CAST(monthly_price AS DECIMAL(18, 2))) AS mrr
    FROM raw JOIN days ON CAST("Month" AS DATE) = date_trunc('month', day) WHERE status <> 'Canceled' GROUP BY day
"""


def month_ends(until: dt.date) -> list[dt.date]:
    return [next_month - dt.timedelta(days=1) for next_month in MONTHS[1:] if next_month <= until]


@EXAMPLES
@pytest.mark.slow
@given(ROWS)
def test_the_mrr_of_every_month_is_that_of_the_rows(rows):
    backend = computed(table_of_rows(COLUMNS, rows), SHAPE)
    days = month_ends(max(row[0] for row in rows))
    assert by_day(backend, MRR, days) == by_day(backend, PLAIN_SQL, days)


@EXAMPLES
@pytest.mark.slow
@given(ROWS, st.sampled_from(MONTHS))
def test_the_periods_of_a_shorter_export_have_the_same_ids_in_a_longer_one(rows, newest):
    shorter = [row for row in rows if row[0] <= newest]
    if shorter:
        before = identities(computed(table_of_rows(COLUMNS, shorter), SHAPE))
        assert before <= identities(computed(table_of_rows(COLUMNS, rows), SHAPE))
