"""scenario_analysis over a small kpi_summary."""

import dataclasses
from decimal import Decimal

import pytest
import yaml

from productpulse_assets.decisions.scenarios import SCHEMA, scenario_analysis
from productpulse_assets.metrics.summary import SUMMARY_SCHEMA
from resources.tables import rows_of, table_of
from rules.models import Sources
from rules.scenarios import Scenarios
from tests.graph import RULES

COMPANY = {
    "monthly_recurring_revenue": 1000,
    "average_monthly_churn_rate": 0.1,
    "average_revenue_per_user": 50,
    "activation_rate": 0.4,
    "new_revenue": 200,
    "failed_payment_leakage": 900,
    "paying_customers": 20,
}
SCENARIOS = """scenarios:
  arpu_increase:
    label: ARPU Increase
    owner: team:finance
    assumption: Customers pay {change} more.
    change: 0.05
    low: 0.02
    high: 0.1
  churn_reduction:
    label: Churn Reduction
    owner: team:customer-success
    assumption: Churn falls by {change}.
    change: 0.5
    low: 0
    high: 1
  activation_increase:
    label: Activation Increase
    owner: team:product
    assumption: Activation rises by {change}.
    change: 0.1
    low: 0.05
    high: 0.2
    enabled: false
  failed_payment_recovery:
    label: Failed Payment Recovery
    owner: team:finance
    assumption: Of what fails, {change} is recovered.
    change: 0.5
    low: 0.25
    high: 0.75
"""


MADE_UP = dataclasses.replace(RULES, scenarios=Scenarios.model_validate(yaml.safe_load(SCENARIOS)))
"""The shipped rules with other scenarios."""


def analysis(rules=MADE_UP, **values):
    """The rows by scenario, for a company with these metrics."""
    lines = [
        dict.fromkeys(SUMMARY_SCHEMA) | {"metric_name": name, "value": value}
        for name, value in (COMPANY | values).items()
    ]
    made = scenario_analysis(kpi_summary=table_of(lines, SUMMARY_SCHEMA), rules=rules)
    assert all(set(row) == set(SCHEMA) for row in made)
    return {row["scenario_name"]: row for row in rows_of(table_of(made, SCHEMA))}


def test_a_scenario_is_a_row_with_its_range_in_words_and_numbers():
    # 1000 x 0.05 = 50; twelve months x 7.175705: 358.79 for 5 %, 143.51 for 2 %, 717.57 for 10 %.
    row = analysis()["arpu_increase"]
    assert row.pop("simulated_value") == pytest.approx(52.5)
    assert row == {
        "scenario_name": "arpu_increase",
        "label": "ARPU Increase",
        "metric_name": "average_revenue_per_user",
        "unit": "money",
        "change": 0.05,
        "baseline_value": 50.0,
        "monthly_impact": Decimal("50.00"),
        "annualized_impact": Decimal("358.79"),
        "low_change": 0.02,
        "high_change": 0.1,
        "low_annualized_impact": Decimal("143.51"),
        "high_annualized_impact": Decimal("717.57"),
        "assumption": "Customers pay 5.0 % more.",
        "explanation": "ARPU goes from $50.00 to $52.50: $50.00 in the first month, $358.79 in 12 months. "
        "With a change between 2.0 % and 10.0 %: $143.51 to $717.57 in 12 months.",
        "owner": "team:finance",
        "not_available_reason": None,
    }


def test_the_range_may_be_from_0_to_1():
    # Without any churn 1000 stays every month: 12000 less 1000 x 6.458134.
    row = analysis()["churn_reduction"]
    assert (row["unit"], row["baseline_value"], row["simulated_value"]) == ("rate", 0.1, 0.05)
    assert (row["low_annualized_impact"], row["annualized_impact"], row["high_annualized_impact"]) == (
        0, Decimal("2275.02"), Decimal("5541.87"),
    )  # fmt: skip


def test_a_loss_over_the_leakage_window_is_given_per_month():
    row = analysis()["failed_payment_recovery"]
    month = 900 * 30.4375 / (RULES.leakage_rules.window_days + 1)  # the first and the last day are both included
    assert (row["unit"], row["metric_name"]) == ("money", "failed_payment_leakage")
    assert row["baseline_value"] == pytest.approx(month)
    assert float(row["annualized_impact"]) == pytest.approx(12 * month / 2, abs=0.006)


def test_enabled_scenarios_are_in_the_order_of_the_file():
    assert list(analysis()) == ["arpu_increase", "churn_reduction", "failed_payment_recovery"]


def test_without_a_metric_a_scenario_has_a_reason_instead_of_numbers():
    rows = analysis(failed_payment_leakage=None)
    row = rows["failed_payment_recovery"]
    reason = "Needs failed payment leakage, which is not available."
    numbers = [name for name in SCHEMA if name.endswith(("_value", "_impact"))]
    assert len(numbers) == 6 and [row[name] for name in numbers] == [None] * 6
    assert row["explanation"] == row["not_available_reason"] == reason
    assert (row["unit"], row["change"], row["low_change"], row["high_change"]) == ("money", 0.5, 0.25, 0.75)
    assert row["assumption"] == "Of what fails, 50.0 % is recovered."
    assert rows["arpu_increase"]["not_available_reason"] is None


def test_amounts_are_in_the_reporting_currency():
    in_euros = dataclasses.replace(MADE_UP, sources=Sources(reporting_currency="EUR"))
    assert "€50.00 in the first month, €2,275 in 12 months" in analysis(in_euros)["churn_reduction"]["explanation"]
