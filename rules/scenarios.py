"""What a change of one metric would bring: scenarios as data, and the function that computes them."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from decimal import ROUND_HALF_UP, Decimal
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal, NamedTuple

from pydantic import Field, field_validator, model_validator

from rules.loading.files import Strict
from rules.loading.problems import Problem, refuse
from rules.models import Text
from rules.text.formats import NOT_AVAILABLE, is_unknown, money, value_text

if TYPE_CHECKING:  # the dashboard computes scenarios too, without importing Ibis
    from rules.metrics.models import MetricCatalog

FILE = "scenarios"
CHANGE = "{change}"
CHURN, REVENUE = "average_monthly_churn_rate", "monthly_recurring_revenue"
WINDOW = "leakage_window_days"
MONTHS = range(1, 13)
DAYS_PER_MONTH = 365.25 / 12
CENT = Decimal("0.01")


# --- the effect of a scenario ------------------------------------------------------------------


@dataclass(frozen=True)
class Base:
    """The current values that scenarios start from: kpi_summary's by metric, None where not available.

    `leakage_window_days` are the days that failed_payment_leakage covers.
    """

    values: Mapping[str, float | None]
    leakage_window_days: int

    def __getitem__(self, name: str) -> float:
        """The value of a metric that has one, or the days of the leakage window."""
        value = self.leakage_window_days if name == WINDOW else self.values[name]
        if value is None:
            raise KeyError(f"{name} has no value")
        return float(value)

    def has(self, metric: str) -> bool:
        """Whether the metric has a value."""
        return not is_unknown(self.values.get(metric))


@dataclass(frozen=True)
class Result:
    """The result of a scenario; where it has no numbers, the reason.

    baseline_value and simulated_value are in the unit of the metric; failed_payment_leakage is per month.
    monthly_impact is money in the first month, annualized_impact money in twelve months.
    """

    metric_name: str
    baseline_value: float | None = None
    simulated_value: float | None = None
    monthly_impact: Decimal | None = None
    annualized_impact: Decimal | None = None
    not_available_reason: str | None = None


class Effect(NamedTuple):
    """A result before it is rounded."""

    baseline: float
    simulated: float
    monthly: float
    annualized: float


def _churn_reduction(change: float, base: Base) -> Effect:
    """Today's customers leave more slowly: after m months, (1 - churn)^m of their MRR remains.

    MRR that is retained in the first month is paid in the following months too, so that twelve months bring more
    than twelve times as much, unless churn is so high that little of it remains.
    """
    revenue, churn = base[REVENUE], base[CHURN]
    less = churn * (1 - change)
    retained = sum((1 - less) ** month - (1 - churn) ** month for month in MONTHS)
    return Effect(churn, less, revenue * (churn - less), revenue * retained)


def _activation_increase(change: float, base: Base) -> Effect:
    """Each month brings more new MRR; the new MRR of the months before shrinks by churn."""
    activation, churn = base["activation_rate"], base[CHURN]
    raised = min(1.0, activation * (1 + change))
    gained = base["new_revenue"] * (raised / activation - 1)
    cohorts = sum((1 - churn) ** (month - start) for month in MONTHS for start in range(1, month + 1))
    return Effect(activation, raised, gained, gained * cohorts)


def _arpu_increase(change: float, base: Base) -> Effect:
    """Today's customers pay more; the increase shrinks by churn, as their MRR does."""
    arpu, churn = base["average_revenue_per_user"], base[CHURN]
    gained = base[REVENUE] * change
    return Effect(arpu, arpu * (1 + change), gained, gained * sum((1 - churn) ** (month - 1) for month in MONTHS))


def _failed_payment_recovery(change: float, base: Base) -> Effect:
    """A share of the monthly loss from failed payments is recovered."""
    lost = base["failed_payment_leakage"] * DAYS_PER_MONTH / base[WINDOW]
    # Different payments fail each month, and each is recovered once: nothing compounds.
    return Effect(lost, lost * (1 - change), lost * change, lost * change * len(MONTHS))


@dataclass(frozen=True)
class Lever:
    """The metric that a scenario changes, and the function that computes the effect.

    `needs` are metrics of the catalog, the changed one first; no metric in `divisors` may be 0.
    """

    subject: str
    unit: str
    needs: tuple[str, ...]
    effect: Callable[[float, Base], Effect]
    divisors: tuple[str, ...] = ()


LeverName = Literal["churn_reduction", "activation_increase", "arpu_increase", "failed_payment_recovery"]
LEVERS: dict[str, Lever] = {
    "churn_reduction": Lever("Monthly churn", "rate", (CHURN, REVENUE), _churn_reduction),
    "activation_increase": Lever(
        "Activation", "rate", ("activation_rate", "new_revenue", CHURN), _activation_increase, ("activation_rate",)
    ),
    "arpu_increase": Lever("ARPU", "money", ("average_revenue_per_user", REVENUE, CHURN), _arpu_increase),
    "failed_payment_recovery": Lever(
        "Loss from failed payments per month", "money", ("failed_payment_leakage",), _failed_payment_recovery, (WINDOW,)
    ),
}
NEEDS = {name: lever.needs for name, lever in LEVERS.items()}
"""The metrics that each scenario is computed from; it changes the first one."""


def simulate(name: str, change: float, base: Base) -> Result:
    """The result of a scenario that changes its metric by the share `change` of its value, from 0 to 1.

    All numbers are None where a metric that it needs has no value.
    """
    lever = LEVERS[name]
    if reason := _reason(lever, base):
        return Result(lever.needs[0], not_available_reason=reason)
    effect = lever.effect(change, base)
    return Result(
        lever.needs[0], effect.baseline, effect.simulated, _in_cents(effect.monthly), _in_cents(effect.annualized)
    )


def _reason(lever: Lever, base: Base) -> str | None:
    """Why a scenario cannot be computed; None if it can."""
    if missing := [_words(metric) for metric in lever.needs if not base.has(metric)]:
        return f"Needs {' and '.join(missing)}, which {'is' if len(missing) == 1 else 'are'} not available."
    zeros = [_words(metric) for metric in lever.divisors if base[metric] == 0]
    return f"{zeros[0].capitalize()} is 0, so there is nothing to divide by." if zeros else None


def _words(metric: str) -> str:
    return metric.replace("_", " ")


def _in_cents(amount: float) -> Decimal:
    """Rounded to cents, half a cent up; of the float's shortest text, as a person would round."""
    return Decimal(str(amount)).quantize(CENT, ROUND_HALF_UP)


def result_sentence(name: str, result: Result, currency: str) -> str:
    """The result as a sentence with its numbers, or the reason why there are none."""
    if result.monthly_impact is None or result.annualized_impact is None:
        return result.not_available_reason or NOT_AVAILABLE
    lever = LEVERS[name]
    before, after = (
        value_text(value, lever.unit, currency, exact=True) for value in (result.baseline_value, result.simulated_value)
    )
    first, year = (money(amount, currency) for amount in (result.monthly_impact, result.annualized_impact))
    return f"{lever.subject} goes from {before} to {after}: {first} in the first month, {year} in 12 months."


# --- scenarios.yaml ----------------------------------------------------------------------------

Share = Annotated[float, Field(ge=0, le=1)]


class Scenario(Strict):
    """An assumption in words, the share by which its metric changes, and the range of that share."""

    label: Text
    owner: Annotated[str, Field(pattern=r"^team:[a-z-]+$")]
    assumption: Text
    change: Share
    low: Share
    high: Share
    enabled: bool = True

    @field_validator("assumption")
    @classmethod
    def _has_placeholder(cls, text: str) -> str:
        unknown = [found for found in re.findall(r"\{[^{}]*\}?|\}", text) if found != CHANGE]
        if unknown:
            raise ValueError(f"'{unknown[0]}' is not a placeholder; accepted: {CHANGE}")
        if CHANGE not in text:
            raise ValueError(f"has no placeholder for the change; accepted: a text with {CHANGE}")
        return text

    @model_validator(mode="after")
    def _in_range(self) -> Scenario:
        if self.low > self.change:
            raise ValueError(f"low is {self.low}; accepted: {self.change} (change) or less")
        if self.high < self.change:
            raise ValueError(f"high is {self.high}; accepted: {self.change} (change) or more")
        return self


class Scenarios(Strict):
    """scenarios.yaml: the scenarios by name."""

    scenarios: dict[LeverName, Scenario] = Field(min_length=1)

    @property
    def enabled(self) -> dict[str, Scenario]:
        """The enabled scenarios, in the order of the file."""
        return {name: scenario for name, scenario in self.scenarios.items() if scenario.enabled}


def check_scenarios(scenarios: Scenarios, catalog: MetricCatalog, path: Path) -> None:
    """Raise RulesError for every scenario that needs a metric which the catalog does not have."""
    refuse(path, _problems(scenarios, catalog))


def _problems(scenarios: Scenarios, catalog: MetricCatalog) -> Iterator[Problem]:
    for name in scenarios.enabled:
        for metric in NEEDS[name]:
            if metric not in catalog.metrics:
                yield Problem(
                    "rules.unknown_metric",
                    f"scenarios > {name} > enabled",
                    f"is true, and the scenario needs the metric '{metric}', which metric_catalog.yaml does not have",
                    "false, or true with a catalog that has the metric",
                )
