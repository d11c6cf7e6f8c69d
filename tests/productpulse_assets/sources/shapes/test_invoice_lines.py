"""One row per invoice line becomes one row per period."""

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

SHAPE = {"kind": "invoice_lines", "from": "From", "to": "To"}
PERIOD = ("subscription_id", "start_date", "end_date", "monthly_price", "status", "row_number")


def lines(*rows: str, **shape) -> object:
    return read("\n".join(["customer_id,From,To,monthly_price", *rows]), SHAPE | shape)


def test_lines_of_a_month_a_quarter_and_a_year_have_a_price_per_month():
    outcome = lines(
        "C1,2026-01-01,2026-02-01,100",
        "C1,2026-02-01,2026-03-01,100",
        "C1,2026-03-01,2026-04-01,120",
        "C2,2026-01-01,2026-04-01,100",
        "C3,2026-01-15,2027-01-15,1200",
        "C4,2026-01-01,2026-02-01,50",
        "C4,2026-03-01,2026-04-01,50",
    )
    assert outcome.values(*PERIOD) == [
        ("C1", "2026-01-01", "2026-03-01", "100.00", "Canceled", 1),
        ("C1@2026-03-01", "2026-03-01", None, "120.00", "Active", 3),
        ("C2", "2026-01-01", None, "33.33", "Active", 4),
        ("C3", "2026-01-15", None, "100.00", "Active", 5),
        ("C4", "2026-01-01", "2026-02-01", "50.00", "Canceled", 6),
        ("C4@2026-03-01", "2026-03-01", None, "50.00", "Active", 7),
    ]
    assert outcome.warning is None


INCLUSIVE = ("C1,2026-01-01,2026-01-31,100", "C1,2026-02-01,2026-02-28,100", "C1,2026-03-01,2026-03-31,100")


def test_last_days_are_found_by_the_whole_months_that_they_make():
    assert lines(*INCLUSIVE).values(*PERIOD) == [("C1", "2026-01-01", None, "100.00", "Active", 1)]
    assert lines(*INCLUSIVE, inclusive_ends=False).values("start_date", "end_date", "monthly_price") == [
        ("2026-01-01", "2026-01-31", "103.33"),
        ("2026-02-01", "2026-02-28", "103.70"),
        ("2026-03-01", None, "103.33"),
    ]


@pytest.mark.parametrize(
    ("first", "end", "price"),
    [
        ("2026-01-31", "2026-02-28", "100.00"),
        ("2026-02-28", "2026-03-31", "100.00"),
        ("2026-02-28", "2026-03-30", "100.00"),
        ("2026-01-30", "2026-02-28", "100.00"),
        ("2026-01-11", "2026-02-01", "147.62"),
        ("2026-01-15", "2026-03-01", "66.67"),
        ("2024-02-29", "2025-02-28", "8.33"),
    ],
    ids=["31st", "from February", "30th", "30th to February", "21 of 31 days", "a month and 14 of 28 days", "leap"],
)
def test_the_months_of_a_line(first, end, price):
    assert lines(f"C1,{first},{end},100", inclusive_ends=False).values("monthly_price") == [(price,)]


def test_credits_take_from_the_price_of_the_days_that_they_cover():
    outcome = lines(
        "C1,2026-01-01,2026-02-01,100",
        "C1,2026-01-01,2026-02-01,-100",
        "C2,2026-01-01,2026-02-01,100",
        "C2,2026-01-01,2026-02-01,-10",
        "C3,2026-01-01,2026-02-01,99.99",
        "C3,2026-01-11,2026-02-01,-67.73",
        "C4,2026-01-01,2027-01-01,1200",
        "C4,2026-07-10,2027-01-01,-575.34",
        "C5,2026-01-01,2026-02-01,-5",
    )
    assert outcome.values("customer_id", "start_date", "end_date", "monthly_price") == [
        ("C2", "2026-01-01", "2026-02-01", "90.00"),
        ("C3", "2026-01-01", "2026-01-11", "99.99"),
        ("C4", "2026-01-01", "2026-07-10", "100.00"),
        ("C5", "2026-01-01", "2026-02-01", "-5.00"),  # the contract rejects it
    ]


def test_a_price_counted_by_days_is_that_of_the_whole_line_after_it_if_it_is_close():
    outcome = lines(
        "C1,2026-01-01,2026-02-01,100",
        "C1,2026-01-11,2026-02-01,-67.74",
        "C1,2026-01-11,2026-02-01,135.48",  # 199.99 a month
        "C1,2026-02-01,2026-03-01,200",
        "C2,2026-01-10,2026-02-01,73.33",  # 22 of 30 days
        "C2,2026-02-01,2026-03-01,100",
        "C3,2026-01-10,2026-02-01,67.42",  # 95 a month
        "C3,2026-02-01,2026-03-01,100",
        "C4,2026-01-10,2026-02-01,70.96",
        inclusive_ends=False,
    )
    assert outcome.values("customer_id", "start_date", "end_date", "monthly_price") == [
        ("C1", "2026-01-01", "2026-01-11", "100.00"),
        ("C1", "2026-01-11", None, "200.00"),
        ("C2", "2026-01-10", None, "100.00"),
        ("C3", "2026-01-10", "2026-02-01", "95.00"),
        ("C3", "2026-02-01", None, "100.00"),
        ("C4", "2026-01-10", "2026-02-01", "99.99"),
    ]


def test_lines_without_days_and_equal_lines_are_warned_about_and_files_that_overlap_count_once():
    outcome = read(
        """
== a.csv
customer_id,plan,From,To,monthly_price
C1,Setup,,,500
C1,Setup,2026-01-01,2026-01-01,80
C1,Basic,2026-01-01,2026-02-01,10
C1,Basic,2026-01-01,2026-02-01,10
C1,Seats,2026-01-01,2026-02-01,5
== b.csv
customer_id,plan,From,To,monthly_price
C1,Seats,2026-01-01,2026-02-01,5
C1,Seats,2026-02-01,2026-03-01,5
C2,Seats,2026-02-01,,5
C2,Seats,2026-02-01,2026-01-01,5
C2,Seats,2026-02-01,soon,5
""",
        SHAPE,
    )
    assert outcome.values("subscription_id", "plan", "start_date", "end_date", "monthly_price") == [
        ("C1", "Basic", "2026-01-01", "2026-02-01", "20.00"),
        ("C1@2026-01-01-2", "Seats", "2026-01-01", None, "5.00"),
    ]
    assert outcome.rejects == [
        ("b.csv", 1, "subscription_id", "duplicate_row", "C1 2026-01-01"),
        ("b.csv", 3, "end_date", "not_null", None),
        ("b.csv", 4, "end_date", "end_date_not_before_start_date", "2026-01-01"),
        ("b.csv", 5, "end_date", "parses_as_date", "soon"),
    ]
    assert outcome.warning == (
        "subscriptions: 3 rows are rejected: on the days that they are about, their customers have no price or the one "
        "before, and may count as lost or changed. Fix these rows. 2 lines have no days, or one day: they are charged "
        "once and are no MRR (first: a.csv, row 1). 1 lines are equal to another one of the same file: both count. If it is one line twice, leave one out (first: "
        "a.csv, row 4)."
    )


def month(number: int) -> dt.date:
    return dt.date(2025 + (number - 1) // 12, (number - 1) % 12 + 1, 1)


def monthly(customer: int, *numbers: int) -> list[str]:
    return [f"C{customer},{month(number)},{month(number + 1)},10" for number in numbers]


def test_a_customer_without_a_line_after_those_of_the_others_has_left():
    outcome = lines(*monthly(1, 1, 2, 3), *monthly(2, 1, 2), *monthly(3, 1, 2, 3), *monthly(4, 1))
    assert outcome.values("customer_id", "end_date", "status") == [
        ("C1", None, "Active"),
        ("C2", "2025-03-01", "Canceled"),
        ("C3", None, "Active"),
        ("C4", "2025-02-01", "Canceled"),
    ]


def test_renewals_that_an_export_does_not_have_yet_are_no_losses():
    late = lines(*(line for customer in (1, 2, 3, 4) for line in monthly(customer, 1, 2)), *monthly(5, 1, 2, 3))
    assert late.values("customer_id", "end_date") == [(f"C{number}", None) for number in range(1, 6)]
    assert late.warning == (
        "subscriptions: 4 lines ended before the newest line began and are not followed by another one. In their weeks "
        "fewer than half of the lines are, so the export seems not to have its renewals yet: they count as running "
        "(first: export.csv, row 2)."
    )
    # Two months later they have left.
    left = lines(*(line for customer in (1, 2, 3, 4) for line in monthly(customer, 1, 2)), *monthly(5, 1, 2, 3, 4, 5))
    assert [end for (end,) in left.values("end_date")] == ["2025-03-01"] * 4 + [None]


STARTS = [dt.date(2025, 1, day) for day in (1, 15, 31)]
ROWS = st.lists(
    st.tuples(
        st.sampled_from(["C1", "C2", "C3"]),
        st.sampled_from([None, "Basic", "Pro"]),
        st.sampled_from(STARTS),
        st.integers(0, 14),
        st.sampled_from([1, 1, 1, 3, 12]),
        st.sampled_from(["0", "10", "100", "100.00", "1200", "-10"]),
        st.booleans(),
    ),
    min_size=1,
    max_size=25,
)
COLUMNS = ("customer_id", "plan", "From", "To", "monthly_price", "months")


def later(day: dt.date, months: int) -> dt.date:
    """The same day of a later month, or its last day."""
    first = month((day.year - 2025) * 12 + day.month + months)
    last = month((day.year - 2025) * 12 + day.month + months + 1) - dt.timedelta(days=1)
    return min(first + dt.timedelta(days=day.day - 1), last)


def table(rows, *, is_inclusive: bool):
    """Lines of whole months; `months` is a column that only the plain SQL reads."""
    found = []
    for customer, plan, anchor, offset, months, amount, _ in rows:
        first, end = later(anchor, offset), later(anchor, offset + months)
        found.append((customer, plan, first, end - dt.timedelta(days=is_inclusive), amount, months))
    return table_of_rows(COLUMNS, found)


PLAIN_SQL = """
    SELECT day, sum(CAST(round(CAST(monthly_price AS DECIMAL(18, 2)) / CAST(months AS INTEGER), 2) AS DECIMAL(18, 2))) AS mrr
    FROM raw JOIN days ON CAST("From" AS DATE) <= day AND CAST("To" AS DATE) + $inclusive > day GROUP BY day
"""
FIRST_OPEN_END = """
    SELECT min(CAST("To" AS DATE)) FROM raw JOIN spans USING (source_file, row_number) WHERE end_day = DATE '9999-12-31'
"""
"""Up to this day no period goes on for longer than its lines."""


@EXAMPLES
@pytest.mark.slow
@given(ROWS, st.booleans())
def test_the_mrr_of_every_day_is_that_of_the_lines_that_cover_it(rows, is_inclusive):
    backend = computed(table(rows, is_inclusive=is_inclusive), SHAPE | {"inclusive_ends": is_inclusive})
    limit = backend.con.execute(FIRST_OPEN_END).fetchone()[0] or dt.date(2030, 1, 1)
    days = [month(number) - dt.timedelta(days=1) for number in range(2, 30)]
    before = [day for day in days if day < limit]
    plain = PLAIN_SQL.replace("$inclusive", str(int(is_inclusive)))
    assert by_day(backend, MRR, before) == by_day(backend, plain, before)


@EXAMPLES
@pytest.mark.slow
@given(ROWS, st.integers(0, 14))
def test_the_periods_of_a_shorter_export_have_the_same_ids_in_a_longer_one(rows, newest):
    charges = [row for row in rows if row[5] != "-10"]  # a later credit may take back a period of an earlier export
    shorter = [row for row in charges if later(row[2], row[3]) < month(newest + 1)]
    if shorter:
        shape = SHAPE | {"inclusive_ends": False}
        before = identities(computed(table(shorter, is_inclusive=False), shape))
        after = identities(computed(table(charges, is_inclusive=False), shape))
        assert {row[0] for row in before} <= {row[0] for row in after}
