"""The shifted beta-geometric projection: the published example, and members with too little to project."""

from __future__ import annotations

from itertools import pairwise

import pytest

from productpulse_assets.metrics.survival_projection import fit_beta_geometric, projected
from rules.survival import Survival

HIGH_END = (0.869, 0.743, 0.653, 0.593, 0.551, 0.517, 0.491)
REGULAR = (0.631, 0.468, 0.382, 0.326, 0.289, 0.262, 0.241)


def curve_of(survival, customers=1000):
    """The curve of a cohort of which these shares remain after 1, 2, 3 and so on."""
    remaining = [customers, *(round(customers * share) for share in survival)]
    lost = [0, *(before - after for before, after in pairwise(remaining))]
    at_risk = [customers, *remaining[:-1]]
    member = {"dimension": "segment", "member": "A"}
    return [
        member | {"age_months": age, "at_risk": at_risk[age], "churned": lost[age], "survival": share / customers}
        for age, share in enumerate(remaining)
    ]


@pytest.mark.parametrize(
    ("survival", "alpha", "beta", "later"),
    [
        (HIGH_END, 0.668, 3.806, (0.468, 0.445, 0.427, 0.409, 0.394)),
        (REGULAR, 0.704, 1.182, (0.223, 0.207, 0.194, 0.183, 0.173)),
    ],
)
def test_the_published_example_of_fader_and_hardie(survival, alpha, beta, later):
    """How to Project Customer Retention, 2007: estimated from years 1 to 7, compared with years 8 to 12."""
    found = projected(curve_of(survival), Survival(horizon_months=12))
    assert [row["age_months"] for row in found if row["is_projected"]] == [8, 9, 10, 11, 12]
    for row, published in zip(found[8:], later, strict=True):
        assert abs(row["survival"] - published) <= 0.017
    churned = [row["churned"] for row in curve_of(survival)[1:]]
    model = fit_beta_geometric([row["at_risk"] for row in curve_of(survival)[1:]], churned)
    assert (round(model.alpha, 3), round(model.beta, 3)) == (alpha, beta)


def test_a_constant_churn_rate_stays_constant():
    model = fit_beta_geometric([1000, 900, 810, 729], [100, 90, 81, 73])
    assert [round(model.retention(age), 2) for age in (1, 12, 36)] == [0.9, 0.9, 0.9]


def test_too_few_who_left_are_not_projected():
    few = projected(curve_of((0.98, 0.97)), Survival(horizon_months=12, least_churned=31))
    assert [row["is_projected"] for row in few] == [False, False, False]
    none = projected(curve_of((1.0, 1.0)), Survival())
    assert [row["survival"] for row in none] == [1.0, 1.0, 1.0]


def test_ages_with_too_few_spells_are_projected_and_not_shown_as_observed():
    found = projected(curve_of((0.6, 0.4, 0.1), customers=100), Survival(horizon_months=4, least_at_risk=50))
    assert [(row["age_months"], row["is_projected"]) for row in found] == [
        (0, False), (1, False), (2, False), (3, True), (4, True)
    ]  # fmt: skip
    assert found[2]["survival"] > found[3]["survival"] > found[4]["survival"] > 0
