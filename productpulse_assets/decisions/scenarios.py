"""Scenarios: how much money a change of churn, activation, ARPU or failed payments would bring."""

from typing import cast

import ibis
import ibis.expr.types as ir

from productpulse_assets.metrics.summary import SummaryRow
from productpulse_assets.tables import Rows, table
from resources.tables import rows_of
from rules.rule_set import Rules
from rules.scenarios import CHANGE, LEVERS, Base, Result, Scenario, result_sentence, simulate
from rules.text.formats import money, percent
from rules.units import MONEY

SCHEMA = ibis.schema(
    {
        "scenario_name": "string",
        "label": "string",
        "metric_name": "string",
        "unit": "string",
        "change": "float64",
        "baseline_value": "float64",
        "simulated_value": "float64",
        "monthly_impact": MONEY,
        "annualized_impact": MONEY,
        "low_change": "float64",
        "high_change": "float64",
        "low_annualized_impact": MONEY,
        "high_annualized_impact": MONEY,
        "assumption": "string",
        "explanation": "string",
        "owner": "string",
        "not_available_reason": "string",
    }
)


@table(group="decisions", owner="team:finance", key=("scenario_name",), schema=SCHEMA)
def scenario_analysis(kpi_summary: ir.Table, rules: Rules) -> Rows:
    """One row per enabled scenario of rules/scenarios.yaml: the money that its assumption would bring.

    Impacts are in the reporting currency, for the first month and for twelve months; low and high are
    the impacts at the ends of the assumption's range. A scenario whose metrics are not available has no
    numbers; not_available_reason says why.
    """
    base = Base(
        values={row["metric_name"]: row["value"] for row in cast(list[SummaryRow], rows_of(kpi_summary))},
        leakage_window_days=rules.leakage_rules.window_days + 1,  # the first and the last day are both included
    )
    enabled = rules.scenarios.enabled.items()
    return [scenario_row(name, scenario, base, rules.currency) for name, scenario in enabled]


def scenario_row(name: str, scenario: Scenario, base: Base, currency: str) -> dict[str, object]:
    """The row of one scenario."""
    low, result, high = (simulate(name, share, base) for share in (scenario.low, scenario.change, scenario.high))
    return {
        "scenario_name": name,
        "label": scenario.label,
        "metric_name": result.metric_name,
        "unit": LEVERS[name].unit,
        "change": scenario.change,
        "baseline_value": result.baseline_value,
        "simulated_value": result.simulated_value,
        "monthly_impact": result.monthly_impact,
        "annualized_impact": result.annualized_impact,
        "low_change": scenario.low,
        "high_change": scenario.high,
        "low_annualized_impact": low.annualized_impact,
        "high_annualized_impact": high.annualized_impact,
        "assumption": scenario.assumption.replace(CHANGE, percent(scenario.change)),
        "explanation": result_sentence(name, result, currency) + _range_words(scenario, low, high, currency),
        "owner": scenario.owner,
        "not_available_reason": result.not_available_reason,
    }


def _range_words(scenario: Scenario, low: Result, high: Result, currency: str) -> str:
    """The range of the assumption and of its result in a sentence; empty without a result."""
    if low.annualized_impact is None or high.annualized_impact is None:
        return ""
    amounts = f"{money(low.annualized_impact, currency)} to {money(high.annualized_impact, currency)}"
    return f" With a change between {percent(scenario.low)} and {percent(scenario.high)}: {amounts} in 12 months."
