"""The rows behind a metric add up to its value, in every month and slice, and a slice is what plain SQL gives."""

from __future__ import annotations

import datetime as dt
import random

import pytest
from ibis import _

from resources.published_snapshot import Snapshot, version_of
from rules.metrics.models import Derived
from rules.metrics.rows import (
    DENOMINATOR,
    NUMERATOR,
    VALUE,
    check_month,
    check_slice,
    in_slice,
    is_present_only,
    members_of,
    metric_parts,
    metric_rows,
    metric_values,
    sides_that_add_up,
    sliced_models,
)
from tests.errors import raises
from tests.graph import RULES

CATALOG, DIMENSIONS = RULES.metric_catalog, RULES.dimensions
CENT = 0.005
NO_SUMS = {
    "retention_rate", "time_to_activation", "net_promoter_score", "customer_lifetime_value",
    "ltv_to_cac", "cac_payback_months", "data_quality_score", "days_sales_outstanding", "revenue_leakage_ratio",
}  # fmt: skip
"""A complement, means, and fractions of fractions: their rows are listed, and do not add up to a side of them."""


@pytest.fixture(scope="module")
def snapshot(demo_home):
    opened = Snapshot(version_of(demo_home / "published" / "productpulse.duckdb"))
    yield opened
    opened.close()


@pytest.fixture(scope="module")
def models(snapshot):
    return sliced_models(CATALOG, snapshot.table)


@pytest.fixture(scope="module")
def months(snapshot):
    return [row["month"] for row in snapshot.rows(snapshot.table("calendar").order_by("month"))]


def test_only_means_and_fractions_of_fractions_do_not_add_up():
    sums = ([VALUE], [NUMERATOR, DENOMINATOR])
    assert {name for name in CATALOG.metrics if sides_that_add_up(CATALOG, name) not in sums} == NO_SUMS


def known_months(name, months):
    """The present month and one at random, if the metric is known in others than the present one."""
    return [months[-1]] if is_present_only(CATALOG, name) else [random.Random(name).choice(months[:-1]), months[-1]]


def known_slices(name, models):
    """No filter, and a member of a dimension at random, if the rows of the metric have dimensions."""
    column, member = random.Random(name).choice([("segment", "SMB"), ("plan", "Growth"), ("country", "DE")])
    has_column = all(column in models[part.use.model].columns for part in metric_parts(CATALOG, name))
    return [{}, {column: member}] if has_column else [{}]


@pytest.mark.slow
@pytest.mark.parametrize("name", CATALOG.metrics)
def test_the_rows_add_up_to_the_value_and_the_value_is_that_of_the_history(name, snapshot, models, months):
    calendar = snapshot.table("calendar")
    for month in known_months(name, months):
        for where in known_slices(name, models):
            chosen = in_slice(models, where)
            (value,) = snapshot.rows(metric_values(CATALOG, name, chosen, calendar, [month]))
            if not where:
                history = snapshot.table("kpi_history").filter(_.metric_name == name, _.month == month)
                (known,) = snapshot.rows(history)
                sides = (VALUE, NUMERATOR, DENOMINATOR)
                assert [value[side] for side in sides] == pytest.approx([known[side] for side in sides], nan_ok=True)
            totals = snapshot.rows(
                metric_rows(CATALOG, name, chosen, month).group_by("side").aggregate(total=_.contribution.sum())
            )
            found = {row["side"]: float(row["total"] or 0) for row in totals}
            for side in sides_that_add_up(CATALOG, name):
                assert found.get(side, 0) == pytest.approx(value[side] or 0, abs=CENT), (month, where, side)


@pytest.mark.slow
def test_a_slice_is_what_plain_sql_gives(snapshot, models, months):
    calendar, month = snapshot.table("calendar"), months[-2]
    chosen = in_slice(models, {"segment": "SMB"})
    values = snapshot.rows(metric_values(CATALOG, "churned_revenue", chosen, calendar, [month], "plan"))
    cursor = snapshot._backend.con.cursor()
    cursor.execute(
        "SELECT coalesce(plan, 'Unknown'), sum(mrr_churned)::DOUBLE FROM snapshot.customer_months "
        "WHERE month = ? AND segment = 'SMB' GROUP BY 1",
        [month],
    )
    assert {row["plan"]: row["value"] for row in values} == dict(cursor.fetchall())
    cursor.execute(
        "SELECT customer_id, mrr_churned FROM snapshot.customer_months "
        "WHERE month = ? AND segment = 'SMB' AND mrr_churned <> 0",
        [month],
    )
    rows = snapshot.rows(metric_rows(CATALOG, "churned_revenue", chosen, month))
    assert sorted((row["customer_id"], row["contribution"]) for row in rows) == sorted(cursor.fetchall())
    assert rows


@pytest.mark.slow
def test_members_of_a_present_slice_add_up_to_the_whole(snapshot, models, months):
    calendar = snapshot.table("calendar")
    for by in ("risk_band", "cohort_quarter"):
        parts = snapshot.rows(metric_values(CATALOG, "expansion_revenue", models, calendar, [months[-2]], by))
        (whole,) = snapshot.rows(metric_values(CATALOG, "expansion_revenue", models, calendar, [months[-2]]))
        assert sum(row["value"] or 0 for row in parts) == pytest.approx(whole["value"])
        assert len(parts) > 3


@pytest.mark.slow
def test_a_third_of_a_sum_adds_up_to_it(snapshot, models, months):
    third = CATALOG.metrics["net_new_revenue"].model_copy(
        update={"formula": Derived.model_validate({"divide": ["net_new_revenue", 3]})}
    )
    catalog = CATALOG.model_copy(update={"metrics": {**CATALOG.metrics, "third": third}})
    (value,) = snapshot.rows(metric_values(catalog, "third", models, snapshot.table("calendar"), [months[-2]]))
    rows = snapshot.rows(metric_rows(catalog, "third", models, months[-2]))
    assert sides_that_add_up(catalog, "third") == [VALUE]
    assert float(sum(row["contribution"] for row in rows)) == pytest.approx(value["value"], abs=CENT)


@pytest.mark.slow
def test_the_members_of_a_slice_are_those_of_the_rows(snapshot, models):
    members = snapshot.rows(members_of(CATALOG, "churned_revenue", models, "segment"))
    customers = snapshot.rows(snapshot.table("customers").select("segment").distinct())
    assert {row["member"] for row in members} == {row["segment"] or "Unknown" for row in customers}


@pytest.mark.slow
def test_what_has_no_answer_is_refused(models, months):
    with raises("metric.unknown_slice"):
        check_slice(CATALOG, "churned_revenue", models, ["moon_phase"], DIMENSIONS)
    with raises("metric.not_sliced"):
        check_slice(CATALOG, "data_quality_score", models, ["plan"], DIMENSIONS)
    with raises("metric.unknown_month"):
        check_month(CATALOG, "churned_revenue", dt.date(1999, 1, 1), months)
    with raises("metric.present_only"):
        check_month(CATALOG, "revenue_at_risk", months[0], months)
