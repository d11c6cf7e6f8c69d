"""Survival beyond the ages that are observed: the shifted beta-geometric model of Fader and Hardie (2007)."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import groupby
from typing import NamedTuple, TypedDict, cast

import ibis
import ibis.expr.types as ir
import numpy as np

from productpulse_assets.tables import table
from resources.tables import rows_of
from rules.rule_set import Rules
from rules.survival import Survival

STEPS = 200
"""The most steps of the search for the best parameters; it usually takes ten."""

WIDEST = 12.0
"""The parameters are searched between exp(-12) and exp(12). At the upper end the churn rate is the same at all ages."""

SCHEMA = ibis.schema(
    {
        "dimension": "string",
        "member": "string",
        "age_months": "int64",
        "survival": "float64",
        "is_projected": "boolean",
    }
)


class CurveRow(TypedDict):
    """A row of survival_curves, as far as a projection needs it."""

    dimension: str
    member: str
    age_months: int
    at_risk: int
    churned: int
    survival: float


class BetaGeometric(NamedTuple):
    """Monthly churn probabilities that differ between customers as a beta distribution of these parameters does."""

    alpha: float
    beta: float

    def retention(self, age: int) -> float:
        """The share of those who are still there at the age before that stays up to this one, 1 or more."""
        return (self.beta + age - 1) / (self.alpha + self.beta + age - 1)


@table(group="metrics", owner="team:finance", key=("dimension", "member", "age_months"), schema=SCHEMA)
def survival_projection(survival_curves: ir.Table, rules: Rules) -> list[dict[str, object]]:
    """One row per dimension, member and age in months up to the horizon of rules/survival.yaml: the share who stay.

    As far as enough spells are observed survival is that of survival_curves; later ages are projected
    (is_projected). Those who stay long are the loyal ones, so that churn falls with age: a constant rate would
    project too few. Where churn does not fall with age, its rate stays the same. A member with too few spells that
    ended has no projected ages. There are a few hundred rows, so Python fits the model.
    """
    curves = cast(list[CurveRow], rows_of(survival_curves.order_by("dimension", "member", "age_months")))
    members = groupby(curves, key=lambda row: (row["dimension"], row["member"]))
    return [row for _member, curve in members for row in projected(list(curve), rules.survival)]


def projected(curve: Sequence[CurveRow], settings: Survival) -> list[dict[str, object]]:
    """The rows of one member, from its curve by age."""
    observed = [row for row in curve if row["age_months"] == 0 or row["at_risk"] >= settings.least_at_risk]
    # Ages are followed from 0 as long as each has enough spells: later ones may have them again by chance.
    observed = [row for place, row in enumerate(observed) if row["age_months"] == place][: settings.horizon_months + 1]
    if not observed:
        return []
    found = [_row(curve[0], row["age_months"], row["survival"], is_projected=False) for row in observed]
    model = None
    if sum(row["churned"] for row in observed) >= settings.least_churned:
        model = fit_beta_geometric([row["at_risk"] for row in observed[1:]], [row["churned"] for row in observed[1:]])
    if model is None:
        return found
    survival = observed[-1]["survival"]
    for age in range(len(observed), settings.horizon_months + 1):
        survival *= model.retention(age)
        found.append(_row(curve[0], age, survival, is_projected=True))
    return found


def _row(member: CurveRow, age: int, survival: float, *, is_projected: bool) -> dict[str, object]:
    return {
        "dimension": member["dimension"],
        "member": member["member"],
        "age_months": age,
        "survival": survival,
        "is_projected": is_projected,
    }


def fit_beta_geometric(at_risk: Sequence[int], churned: Sequence[int]) -> BetaGeometric | None:
    """The parameters under which the churn at ages 1, 2, 3 and so on is most likely; None where no age churns.

    Newton's method on the logarithms of both parameters, halving a step that makes the data less likely.
    """
    left = np.asarray(churned, dtype=float)
    stayed = np.asarray(at_risk, dtype=float) - left
    age = np.arange(len(left), dtype=float)
    if not left.sum():
        return None
    rate = left.sum() / (left.sum() + stayed.sum())
    point = np.log([rate, 1 - rate]) if rate < 1 else np.zeros(2)
    best = _log_likelihood(point, left, stayed, age)
    for _step in range(STEPS):
        slope, bend = _derivatives(point, left, stayed, age)
        if np.abs(slope).max() < 1e-9:
            break
        step = _uphill(slope, bend)
        while np.abs(step).max() > 1e-12:
            candidate = np.clip(point + step, -WIDEST, WIDEST)
            value = _log_likelihood(candidate, left, stayed, age)
            if value > best:
                break
            step = step / 2
        else:
            break
        point, best = candidate, value
    alpha, beta = np.exp(point)
    return BetaGeometric(float(alpha), float(beta))


def _log_likelihood(point: np.ndarray, left: np.ndarray, stayed: np.ndarray, age: np.ndarray) -> float:
    alpha, beta = np.exp(point)
    whole = np.log(alpha + beta + age)
    return float((left * (np.log(alpha) - whole) + stayed * (np.log(beta + age) - whole)).sum())


def _derivatives(
    point: np.ndarray, left: np.ndarray, stayed: np.ndarray, age: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """The slope and the second derivatives of the log likelihood by the logarithms of the parameters."""
    alpha, beta = np.exp(point)
    both, whole, rest = left + stayed, alpha + beta + age, beta + age
    by_alpha = left.sum() / alpha - (both / whole).sum()
    by_beta = (stayed / rest).sum() - (both / whole).sum()
    mixed = (both / whole**2).sum()
    alpha_twice = -left.sum() / alpha**2 + mixed
    beta_twice = -(stayed / rest**2).sum() + mixed
    slope = np.array([alpha * by_alpha, beta * by_beta])
    bend = np.array(
        [
            [alpha**2 * alpha_twice + slope[0], alpha * beta * mixed],
            [alpha * beta * mixed, beta**2 * beta_twice + slope[1]],
        ]
    )
    return slope, bend


def _uphill(slope: np.ndarray, bend: np.ndarray) -> np.ndarray:
    """Newton's step, or the slope's own direction where the surface is not curved like a hill."""
    determinant = bend[0, 0] * bend[1, 1] - bend[0, 1] ** 2
    if bend[0, 0] < 0 and determinant > 0:
        step: np.ndarray = -np.linalg.solve(bend, slope)
        return step / max(1.0, float(np.abs(step).max()) / 2)
    return slope / max(1.0, float(np.abs(slope).max()))
