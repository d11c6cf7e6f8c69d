"""What a change of churn, activation, ARPU or failed payments would be worth."""

import ibis
import ibis.expr.types as ir

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
    """One row per scenario of rules/scenarios.yaml that is not switched off: what its assumption brings.

    Impacts are money in the reporting currency, of the first month and of twelve months; low and
    high are those of the ends of the assumption's range. A scenario whose metrics are not available
    has no numbers and says why.
    """
    base = Base(
        values={row["metric_name"]: row["value"] for row in rows_of(kpi_summary)},
        leakage_window_days=rules.leakage_rules.window_days + 1,  # both ends are in it
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
    if low.not_available_reason:
        return ""
    shares = f"{percent(scenario.low)} to {percent(scenario.high)}"
    amounts = f"{money(low.annualized_impact, currency)} to {money(high.annualized_impact, currency)}"
    return f" A change of {shares} brings {amounts}."
