"""Any metric in any period and slice: the rows add up to the value, and plain SQL gives the same value."""

from __future__ import annotations

import random

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from ibis import _

from resources.published_snapshot import Snapshot, version_of
from rules.metrics.bridge import SIGNS, bridge_rows, bridge_values
from rules.metrics.compile import metric_history
from rules.metrics.models import Derived, Measure
from rules.metrics.parts import DENOMINATOR, NUMERATOR, VALUE, is_present_only, sides_that_add_up
from rules.metrics.rows import metric_rows
from rules.metrics.slices import PRESENT, check_slice, in_slice, members_of, sliced_models, slices_of
from rules.metrics.time_range import parse_time_range, range_of_months
from rules.metrics.values import check_range, metric_comparison, metric_values, range_rows
from rules.units import month_start
from tests.errors import raises
from tests.graph import RULES
from tests.rules.metrics.plain_sql import CUSTOMERS, PlainSql

CATALOG, DIMENSIONS = RULES.metric_catalog, RULES.dimensions
SLICES = (*DIMENSIONS, *PRESENT)
SIDES = (VALUE, NUMERATOR, DENOMINATOR)
CENT = 0.005
NO_SUMS = {
    "retention_rate", "time_to_activation", "net_promoter_score", "customer_lifetime_value",
    "ltv_to_cac", "cac_payback_months", "data_quality_score", "days_sales_outstanding", "revenue_leakage_ratio",
}  # fmt: skip
"""A complement, means, and fractions of fractions: their rows are listed, and do not add up to a side of them."""

PERIODS = [
    "2025-05", "2025-11", "2026-06", "2025-Q2", "2026-Q1", "2025", "2026", "FY2026", "last-5-months",
    "2025-08..2025-11", "this-month",
]  # fmt: skip
"""The small company has May 2025 to June 2026: 2025-Q2, 2025, 2026 and FY2026 are there in part."""

filters = st.lists(st.tuples(st.sampled_from(SLICES), st.integers(0, 30)), max_size=2, unique_by=lambda each: each[0])
few = settings(
    max_examples=10, deadline=None, derandomize=True, suppress_health_check=[HealthCheck.function_scoped_fixture]
)


@pytest.fixture(scope="module")
def snapshot(good_home):
    opened = Snapshot(version_of(good_home / "published" / "productpulse.duckdb"))
    yield opened
    opened.close()


@pytest.fixture(scope="module")
def table(snapshot):
    """The published tables; the customers have an account owner."""
    owner = "Owner " + _.customer_id.right(1)
    return lambda name: (
        snapshot.table(name).mutate(account_owner=owner) if name == "customers" else snapshot.table(name)
    )


@pytest.fixture(scope="module")
def cursor(snapshot):
    cursor = snapshot._backend.con.cursor()
    cursor.execute(CUSTOMERS)
    return cursor


@pytest.fixture(scope="module")
def months(snapshot):
    return [row["month"] for row in snapshot.rows(snapshot.table("calendar").order_by("month"))]


@pytest.fixture(scope="module")
def all_members(snapshot, table):
    """By slice, the members that customers have in some month."""
    models = sliced_models(CATALOG, table, SLICES)
    return {
        column: [row["member"] for row in snapshot.rows(members_of(CATALOG, "opening_revenue", models, column))]
        for column in SLICES
    }


def range_asked(period, months, name=None):
    is_present = name is not None and is_present_only(CATALOG, name)
    return parse_time_range("this-month" if is_present else period, months, months, fiscal_start=2)


def members_asked(filters, all_members, possible=SLICES):
    return {
        column: all_members[column][number % len(all_members[column])]
        for column, number in filters
        if column in possible
    }


def whole(month):
    return range_of_months(month, month)


def test_only_means_and_fractions_of_fractions_do_not_add_up():
    sums = ([VALUE], [NUMERATOR, DENOMINATOR])
    assert {name for name in CATALOG.metrics if sides_that_add_up(CATALOG, name) not in sums} == NO_SUMS


@pytest.fixture(scope="module")
def every_slice(table):
    return sliced_models(CATALOG, table, SLICES)


@pytest.mark.slow
@pytest.mark.parametrize("name", CATALOG.metrics)
def test_a_metric_in_any_period_and_slice(name, snapshot, table, cursor, months, all_members, every_slice):
    """A question at random, the same in every run: a value alone or one of several, that of plain SQL, with its rows.

    One question per metric: writing a question in SQL takes most of the time.
    """
    possible, chance = slices_of(CATALOG, name, every_slice, DIMENSIONS), random.Random(name)
    time_range = range_asked(chance.choice(PERIODS), months, name)
    columns = chance.sample(possible, chance.randint(1, 2)) if possible else []
    where = {column: chance.choice(all_members[column]) for column in columns}
    models = sliced_models(CATALOG, table, columns)
    by = columns[-1] if columns and chance.random() < 0.5 else None
    others = in_slice(models, {column: member for column, member in where.items() if column != by})
    found = {row.get(by): row for row in value_of(snapshot, name, others, time_range, by)}
    value = found.get(where.get(by), dict.fromkeys(SIDES) | {"period": time_range.name, "month": time_range.last})
    check_question(name, time_range, where, in_slice(models, where), value, snapshot, cursor)


def value_of(snapshot, name, models, time_range, by=None):
    return snapshot.rows(metric_values(CATALOG, name, models, snapshot.table("calendar"), [time_range], by))


def is_same(found, expected):
    return found == expected or (None not in (found, expected) and found == pytest.approx(expected, rel=1e-9))


def check_question(name, time_range, where, models, value, snapshot, cursor):
    """The value is that of plain SQL and the quotient of its parts, and the rows add up to it to the cent."""
    assert (value["period"], value["month"]) == (time_range.name, time_range.last)
    expected = PlainSql(cursor, CATALOG, time_range.first, time_range.last, where).value(name)
    assert is_same(value[VALUE], expected), (time_range, where, value, expected)
    if value[DENOMINATOR] and name not in NO_SUMS:
        assert value[VALUE] == pytest.approx(value[NUMERATOR] / value[DENOMINATOR])
    rows = metric_rows(CATALOG, name, models, time_range)
    totals = snapshot.rows(rows.group_by("side").aggregate(total=_.contribution.sum()))
    found = {row["side"]: float(row["total"] or 0) for row in totals}
    for side in sides_that_add_up(CATALOG, name):
        assert found.get(side, 0) == pytest.approx(value[side] or 0, abs=CENT), (time_range, where, side)


@pytest.mark.slow
def test_a_month_of_the_whole_company_is_that_of_the_history(snapshot, table, months):
    models = sliced_models(CATALOG, table, [])
    ranges = range_rows([whole(month) for month in months])
    found = snapshot.rows(metric_history(CATALOG, models, snapshot.table("calendar"), ranges=ranges))
    history = snapshot.rows(snapshot.table("kpi_history"))
    key, order = ("metric_name", "month", *SIDES), lambda row: (row["metric_name"], row["month"])
    both = [[row[name] for name in key] for rows in (found, history) for row in sorted(rows, key=order)]
    half = len(history)
    assert both[:half] == both[half:] and half == len(CATALOG.metrics) * len(months)


@pytest.mark.slow
@few
@given(period=st.sampled_from(PERIODS), filters=filters)
def test_the_bridge_of_any_slice_closes(period, filters, snapshot, table, cursor, months, all_members):
    time_range, where = range_asked(period, months), members_asked([("plan", 1), *filters], all_members)
    models = sliced_models(CATALOG, table, list(where))
    values = {row["part"]: row["amount"] for row in snapshot.rows(bridge_values(models, time_range, where))}
    assert list(values) and set(values) == {*SIGNS, "end"}
    assert sum(values[part] for part in SIGNS) == values["end"]
    sql = PlainSql(cursor, CATALOG, time_range.first, time_range.last, where)
    before = month_start(time_range.first, -1)
    start = PlainSql(cursor, CATALOG, before, before, where).value("monthly_recurring_revenue")
    assert float(values["start"]) == (start or 0)
    assert float(values["end"]) == (sql.value("monthly_recurring_revenue") or 0)
    assert float(values["churned"]) == -(sql.value("churned_revenue") or 0)
    rows = snapshot.rows(bridge_rows(models, time_range, where))
    assert sum(row["contribution"] for row in rows) == values["end"]
    assert {row["part"] for row in rows} <= set(SIGNS)


@pytest.mark.slow
def test_an_upgrade_enters_one_plan_and_leaves_another(snapshot, table, cursor, months):
    moves = """
        SELECT after.month, after.customer_id, before.plan, after.plan, after.mrr_start
        FROM snapshot.customer_months after JOIN snapshot.customer_months before
        ON before.customer_id = after.customer_id AND before.month = after.month - INTERVAL 1 MONTH
        WHERE before.plan <> after.plan AND after.mrr_start > 0 ORDER BY ALL LIMIT 1
    """
    month, customer, old, new, mrr = cursor.execute(moves).fetchone()
    models = sliced_models(CATALOG, table, ["plan"])
    for plan, part, sign in ((old, "left slice", -1), (new, "entered slice", 1)):
        rows = bridge_rows(models, whole(month), {"plan": plan}).filter(_.customer_id == customer, _.part == part)
        (row,) = snapshot.rows(rows)
        assert (row["amount"], row["contribution"], row["month"]) == (mrr, sign * mrr, month)


@pytest.mark.slow
def test_a_distinct_count_has_each_value_once(snapshot, table, cursor, months):
    counted = CATALOG.metrics["new_customers"].model_copy(
        update={
            "formula": Measure.model_validate(
                {
                    "count_distinct": "customer_id",
                    "where": [{"column": "tickets_opened", "operator": "greater_than", "value": 0}],
                }
            )
        }
    )
    catalog = CATALOG.model_copy(update={"metrics": {**CATALOG.metrics, "with_tickets": counted}})
    models, quarter = sliced_models(catalog, table, []), parse_time_range("2026-Q1", months, months)
    (value,) = snapshot.rows(metric_values(catalog, "with_tickets", models, snapshot.table("calendar"), [quarter]))
    expected = cursor.execute(
        "SELECT count(DISTINCT customer_id) FROM snapshot.customer_months "
        "WHERE tickets_opened > 0 AND month BETWEEN '2026-01-01' AND '2026-03-01'"
    ).fetchone()
    rows = snapshot.rows(metric_rows(catalog, "with_tickets", models, quarter))
    assert (value["value"], len({row["customer_id"] for row in rows}), len(rows)) == (*expected, *expected, *expected)
    assert sum(row["contribution"] for row in rows) == value["value"]


@pytest.mark.slow
def test_a_third_of_a_sum_adds_up_to_it(snapshot, table, months):
    third = CATALOG.metrics["net_new_revenue"].model_copy(
        update={"formula": Derived.model_validate({"divide": ["net_new_revenue", 3]})}
    )
    catalog = CATALOG.model_copy(update={"metrics": {**CATALOG.metrics, "third": third}})
    models, month = sliced_models(catalog, table, []), whole(months[-2])
    (value,) = snapshot.rows(metric_values(catalog, "third", models, snapshot.table("calendar"), [month]))
    rows = snapshot.rows(metric_rows(catalog, "third", models, month))
    assert sides_that_add_up(catalog, "third") == [VALUE]
    assert float(sum(row["contribution"] for row in rows)) == pytest.approx(value["value"], abs=CENT)


@pytest.mark.slow
def test_a_value_stands_beside_the_period_before_and_a_year_ago(snapshot, table, cursor, months):
    models, calendar = sliced_models(CATALOG, table, []), snapshot.table("calendar")

    def compared(name, period, complete=months):
        time_range = parse_time_range(period, months, complete)
        rows = snapshot.rows(metric_comparison(CATALOG, name, models, calendar, time_range, months))
        return {row["comparison"]: row for row in rows}

    found = compared("churned_revenue", "2026-Q2")
    now, before = (
        PlainSql(cursor, CATALOG, range_.first, range_.last, {}).value("churned_revenue")
        for range_ in (parse_time_range(text, months, months) for text in ("2026-Q2", "2026-Q1"))
    )
    assert found["before"]["compared_label"] == "Q1 2026"
    assert (found["before"]["value"], found["before"]["change"]) == pytest.approx((now, now - before))
    assert found["before"]["change_rate"] == pytest.approx((now - before) / before)
    assert found["year_ago"]["change"] is None and found["year_ago"]["why_not"] == "The data begins in May 2025."
    so_far = compared("churned_revenue", "this-month", months[:-1])["before"]
    assert so_far["compared_value"] is not None and so_far["change"] is None
    assert so_far["why_not"] == "June 2026 is not over, and May 2026 has all its days."
    assert compared("monthly_recurring_revenue", "this-month", months[:-1])["before"]["change"] is not None
    assert compared("revenue_at_risk", "this-month")["before"]["why_not"] == "It is known for the present only."
    assert compared("net_revenue_retention", "2025-08")["before"]["why_not"] == "There is no value in August 2025."


@pytest.mark.slow
def test_the_slices_that_the_data_has(snapshot, table):
    models = sliced_models(CATALOG, table, SLICES)
    assert slices_of(CATALOG, "churned_revenue", models, DIMENSIONS) == list(SLICES)
    assert slices_of(CATALOG, "revenue_leakage", models, DIMENSIONS) == list(SLICES)
    assert slices_of(CATALOG, "revenue_leakage_ratio", models, DIMENSIONS) == []
    owners = snapshot.rows(members_of(CATALOG, "accounts_receivable", models, "account_owner"))
    assert [row["member"] for row in owners] == [f"Owner {digit}" for digit in range(10)]
    # A snapshot of an earlier version.
    older = {name: snapshot.table(name).drop("account_owner") for name in ("customers", "renewals")}
    absent = sliced_models(CATALOG, lambda name: older.get(name, snapshot.table(name)), SLICES)
    assert "account_owner" not in slices_of(CATALOG, "churned_revenue", absent, DIMENSIONS)
    with raises("metric.slice_not_available"):
        check_slice(CATALOG, "churned_revenue", absent, ["account_owner"], DIMENSIONS)


@pytest.mark.slow
def test_what_has_no_answer_is_refused(table, months):
    models = sliced_models(CATALOG, table, SLICES)
    with raises("metric.unknown_slice"):
        check_slice(CATALOG, "churned_revenue", models, ["moon_phase"], DIMENSIONS)
    with raises("metric.not_sliced"):
        check_slice(CATALOG, "data_quality_score", models, ["plan"], DIMENSIONS)
    with raises("metric.present_only"):
        check_range(CATALOG, "revenue_at_risk", whole(months[0]), months)
