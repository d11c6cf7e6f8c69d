"""One column per month becomes one row per period."""

import datetime as dt

import hypothesis.strategies as st
import pyarrow as pa
import pytest
from hypothesis import given

from productpulse_assets.sources.shapes.months import month_of_name
from productpulse_assets.sources.shapes.wide import check_months
from rules.models import Sources
from tests.errors import raises
from tests.productpulse_assets.sources.shapes.exports import (
    EXAMPLES,
    MRR,
    by_day,
    computed,
    identities,
    read,
    table_of_rows,
)

SHAPE = {"kind": "wide_months"}
PERIOD = ("subscription_id", "start_date", "end_date", "monthly_price", "status", "plan", "source_file", "row_number")


def test_columns_of_months_are_periods_that_begin_in_their_cell():
    outcome = read(
        """
Account,Plan,Jan 2026,02/2026,2026-03-31,2026 total
C1,Basic,100,100,120,320
C2,Pro,50,,60,110
C3,Pro,0,10,0,10
,,150,110,180,440
""",
        SHAPE,
        source={"columns": {"customer_id": "Account"}},
    )
    assert outcome.values(*PERIOD) == [
        ("C1", "2026-01-01", "2026-03-01", "100.00", "Canceled", "Basic", "export.csv, column Jan 2026", 1),
        ("C1@2026-03-01", "2026-03-01", None, "120.00", "Active", "Basic", "export.csv, column 2026-03-31", 1),
        ("C2", "2026-01-01", "2026-02-01", "50.00", "Canceled", "Pro", "export.csv, column Jan 2026", 2),
        ("C2@2026-03-01", "2026-03-01", None, "60.00", "Active", "Pro", "export.csv, column 2026-03-31", 2),
        ("C3", "2026-02-01", "2026-03-01", "10.00", "Canceled", "Pro", "export.csv, column 02/2026", 3),
    ]
    assert outcome.rejects == [("export.csv, column Jan 2026", 4, "customer_id", "not_null", None)]


def test_columns_that_are_0_in_every_row_are_not_filled_yet_and_warned_about():
    outcome = read("customer_id,2026-01,2026-02,2026-03\nC1,5,0,0\nC2,0,7,0", SHAPE)
    assert outcome.values("customer_id", "start_date", "end_date") == [
        ("C1", "2026-01-01", "2026-02-01"),
        ("C2", "2026-02-01", None),
    ]
    assert outcome.warning == (
        "subscriptions: The columns after 2026-02, up to 2026-03, are 0 in every row: they are taken for months that are "
        "not filled yet, and the customers of 2026-02 count as paying."
    )


def test_a_cell_that_is_no_number_is_rejected_alone():
    outcome = read("customer_id,2026-01,2026-02\nC1,-,5\nC2,5,N/A", SHAPE)
    assert outcome.rejects == [("export.csv, column 2026-01", 1, "monthly_price", "parses_as_number", "-")]
    assert outcome.values("customer_id", "start_date") == [("C1", "2026-02-01"), ("C2", "2026-01-01")]


@pytest.mark.parametrize(
    ("name", "month"),
    [
        ("2026-01", 1), ("2026_02", 2), ("2026/3", 3), ("202604", 4), ("05/2026", 5), ("6.2026", 6), ("Jul 2026", 7),
        (" August 2026 ", 8), ("Sep-26", 9), ("2026-10-31", 10), ("2026-11-01 00:00:00", 11), ("31.12.2026", 12),
        ("2026", None), ("Jan", None), ("13/2026", None), ("MRR 2026", None), ("Q1 2026", None), ("01/02/2026", None),
        ("12345", None),
    ],
)  # fmt: skip
def test_a_name_is_a_month_by_its_form(name, month):
    assert month_of_name(name, ["%d.%m.%Y"]) == (month and dt.date(2026, month, 1))


def test_months_that_cannot_be_found_are_errors():
    with raises("shape.no_month_columns"):
        check_months("mrr.csv", ["customer_id", "January", "February"], Sources())
    with raises("shape.month_twice"):
        check_months("mrr.csv", ["customer_id", "2026-01", "Jan 2026"], Sources())


MONTHS = [dt.date(2025, month, 1) for month in range(1, 13)]
COLUMNS = ("customer_id", "plan", *(f"{month:%b %Y}" for month in MONTHS))
CELLS = st.lists(st.sampled_from([None, "0", "10", "10.00", "25.5"]), min_size=len(MONTHS), max_size=len(MONTHS))
ROWS = st.lists(
    st.tuples(st.sampled_from(["C1", "C2", "C3", "C4"]), st.sampled_from([None, "Basic", "Pro"]), CELLS),
    min_size=1,
    max_size=8,
)
PLAIN_SQL = """
    SELECT last_day(strptime(month, '%b %Y')) AS day, sum(CAST(price AS DECIMAL(18, 2))) AS mrr
    FROM (UNPIVOT raw ON COLUMNS(* EXCLUDE (source_file, row_number, customer_id, plan)) INTO NAME month VALUE price)
    GROUP BY ALL
"""


def table(rows) -> pa.Table:
    return table_of_rows(COLUMNS, [(customer, plan, *cells) for customer, plan, cells in rows])


def newest_month(rows) -> int:
    return max(
        (place for _, _, cells in rows for place, cell in enumerate(cells) if cell not in (None, "0")), default=0
    )


@EXAMPLES
@pytest.mark.slow
@given(ROWS)
def test_the_mrr_of_every_month_is_that_of_the_columns(rows):
    backend = computed(table(rows), SHAPE)
    ends = [month - dt.timedelta(days=1) for month in MONTHS[1 : newest_month(rows) + 1]]
    assert by_day(backend, MRR, ends) == by_day(backend, PLAIN_SQL, ends)


@EXAMPLES
@pytest.mark.slow
@given(ROWS, st.integers(1, len(MONTHS)))
def test_the_periods_of_fewer_months_have_the_same_ids_among_more(rows, count):
    fewer = [(*row[:2], [*row[2][:count], *[None] * (len(MONTHS) - count)]) for row in rows]
    before = identities(computed(table(fewer), SHAPE))
    assert before <= identities(computed(table(rows), SHAPE))
