"""Kaplan-Meier curves: a published table, another program, and a few customers counted by hand."""

from __future__ import annotations

import datetime as dt
import math

import ibis
import numpy as np
import pytest

from productpulse_assets.metrics.survival import kaplan_meier, spells, survival_summary
from resources.tables import rows_of, table_of
from rules.survival import Survival
from tests.builders import dataset, rows

SPELLS = ibis.schema(
    {"dimension": "string", "member": "string", "entry_age": "int64", "exit_age": "int64", "is_churned": "boolean"}
)
REMISSION = (6, 6, 6, -6, 7, -9, 10, -10, -11, 13, 16, -17, -19, -20, 22, 23, -25, -32, -32, -34, -35)
"""Weeks of remission under 6-MP of 21 patients (Freireich and others, Blood 21, 1963); below 0: censored."""


def curve(*found: tuple[int, int, bool], member: str = "All"):
    """The curve of spells, given as (entry_age, exit_age, is_churned)."""
    given = [dict(zip(SPELLS, ("all_customers", member, *each), strict=True)) for each in found]
    return kaplan_meier(table_of(given, SPELLS))


def test_the_published_curve_of_remission_times():
    table = curve(*((0, abs(weeks), weeks > 0) for weeks in REMISSION))
    at = {row["age_months"]: row for row in rows_of(table)}
    published = {6: 0.8571, 7: 0.8067, 10: 0.7529, 13: 0.6902, 16: 0.6275, 22: 0.5378, 23: 0.4482, 35: 0.4482}
    assert {age: round(at[age]["survival"], 4) for age in published} == published
    assert [at[age]["at_risk"] for age in (6, 7, 10, 13, 16, 22, 23)] == [21, 17, 15, 12, 11, 7, 6]
    assert rows(survival_summary(table), "spells", "churned", "median_months") == [(21, 9, 23)]


@pytest.mark.parametrize("has_late_entries", [False, True])
def test_curves_and_intervals_equal_those_of_lifelines(has_late_entries):
    lifelines = pytest.importorskip("lifelines")
    random = np.random.default_rng(7)
    ages = random.geometric(0.07, 400).clip(1, 40)
    entries = np.where(random.random(400) < 0.3, random.integers(0, ages), 0) * has_late_entries
    churned = random.random(400) < 0.6
    theirs = lifelines.KaplanMeierFitter().fit(ages, churned, entry=entries if has_late_entries else None)
    given = zip(entries.tolist(), ages.tolist(), churned.tolist(), strict=True)
    found = curve(*given)
    ours = {row["age_months"]: row for row in rows_of(found)}
    bounds = theirs.confidence_interval_
    compared = 0
    for age in theirs.survival_function_.index:
        if age not in ours or ours[age]["at_risk"] == 0:
            continue
        row = ours[int(age)]
        assert math.isclose(row["survival"], theirs.survival_function_.iloc[:, 0][age], abs_tol=1e-9)
        if row["lower"] is not None:
            assert math.isclose(row["lower"], bounds.iloc[:, 0][age], abs_tol=1e-9)
            assert math.isclose(row["upper"], bounds.iloc[:, 1][age], abs_tol=1e-9)
            compared += 1
    assert compared > 20


def test_none_leave_and_all_leave():
    stays = rows(curve((0, 3, False), (0, 2, False)), "age_months", "at_risk", "survival", "lower")
    assert stays == [(0, 2, 1.0, None), (1, 2, 1.0, None), (2, 2, 1.0, None), (3, 1, 1.0, None)]
    gone = rows(curve((0, 1, True), (0, 2, True)), "age_months", "churned", "survival", "upper")
    assert [row[:3] for row in gone] == [(0, 0, 1.0), (1, 1, 0.5), (2, 1, 0.0)] and gone[-1][3] is None


MONTHS = [dt.date(2026, month, 1) for month in range(1, 7)]


def paid_months(**paid: str):
    """customer_months of customers whose months are written as 1 and 0, June not being complete."""
    schema = ibis.schema({"customer_id": "string", "month": "date", "is_complete": "boolean", "paying_end": "int64"})
    return table_of(
        [
            {"customer_id": who, "month": month, "is_complete": month < MONTHS[-1], "paying_end": int(pays)}
            for who, months in paid.items()
            for month, pays in zip(MONTHS, months, strict=True)
        ],
        schema,
    )


def lasted(table, **settings):
    customers = dataset(
        "customers",
        *({"customer_id": who, "signup_date": "2026-01-09"} for who in ("A", "B", "C")),
        {"customer_id": "D", "signup_date": "2025-10-20"},
    )
    found = spells(table, customers, Survival(**settings))
    return rows(found, "customer_id", "entry_age", "exit_age", "is_churned")


def test_a_spell_lasts_from_the_first_paid_month_to_the_first_month_that_is_not_paid():
    table = paid_months(A="111111", B="011001", C="010110", D="111001")
    assert lasted(table) == [
        ("A", 0, 4, False),  # January to May: June is not over
        ("B", 0, 2, True),  # paid at the ends of February and March; its return in June is not over either
        ("C", 0, 1, False),  # came back
        ("C", 0, 1, True),
        ("D", 3, 6, True),  # there since October: observed from its third month on
    ]


def test_a_return_may_belong_to_the_spell_before():
    found = lasted(paid_months(A="111100", B="010010", C="010110"), return_begins_new_spell=False)
    assert found == [("A", 0, 4, True), ("B", 0, 3, False), ("C", 0, 3, False)]
