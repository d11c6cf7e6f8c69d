"""Scenarios worked out by hand, what holds for any company, and what the file may not say."""

import subprocess
import sys
from decimal import Decimal
from pathlib import Path

import hypothesis.strategies as st
import pytest
from hypothesis import given, settings

from rules.loading.files import load
from rules.scenarios import (
    LEVERS,
    NEEDS,
    Base,
    Result,
    Scenarios,
    check_scenarios,
    result_sentence,
    simulate,
)
from tests.errors import problem_codes, raises, raises_problems
from tests.graph import RULES

NAMES = ["churn_reduction", "activation_increase", "arpu_increase", "failed_payment_recovery"]
COMPANY = {
    "monthly_recurring_revenue": 1000,
    "average_monthly_churn_rate": 0.1,
    "average_revenue_per_user": 50,
    "activation_rate": 0.4,
    "new_revenue": 200,
    "failed_payment_leakage": 900,
}


def base(**values) -> Base:
    return Base(COMPANY | values, leakage_window_days=90)


def impacts(name, change, **values):
    result = simulate(name, change, base(**values))
    return result.monthly_impact, result.annualized_impact


# --- by hand ---------------------------------------------------------------------------------------


def test_less_churn_keeps_revenue_that_goes_on_paying():
    # First month: 1000 x (0.10 - 0.05) = 50. Twelve months: 1000 x (sum of 0.95^m - sum of 0.9^m), m from 1;
    # 0.95 x (1 - 0.95^12) / 0.05 = 8.733158 and 0.9 x (1 - 0.9^12) / 0.1 = 6.458134, so 2275.02, not 12 x 50.
    assert simulate("churn_reduction", 0.5, base()) == Result(
        "average_monthly_churn_rate", 0.1, 0.05, Decimal("50.00"), Decimal("2275.02")
    )


def test_a_higher_arpu_shrinks_with_the_customers_who_pay_it():
    # 1000 x 0.5 = 500 in the first month; x (1 - 0.9^12) / 0.1 = 7.175705 months' worth, so 3587.85, not 6000.
    assert simulate("arpu_increase", 0.5, base()) == Result(
        "average_revenue_per_user", 50, 75, Decimal("500.00"), Decimal("3587.85")
    )


def test_more_activation_adds_a_cohort_every_month():
    # 0.4 to 0.6 is half as much again: 200 x 0.5 = 100 new MRR a month. After m months (1 - 0.9^m) / 0.1 of
    # such cohorts are left; over twelve months 10 x (12 - 6.458134) = 55.41866, so 5541.87.
    result = simulate("activation_increase", 0.5, base())
    assert (result.metric_name, result.baseline_value) == ("activation_rate", 0.4)
    assert result.simulated_value == pytest.approx(0.6)
    assert (result.monthly_impact, result.annualized_impact) == (Decimal("100.00"), Decimal("5541.87"))


def test_recovered_payments_are_the_same_every_month():
    # 900 in 90 days is 900 x 30.4375 / 90 = 304.375 a month; half is 152.1875, and 12 x that is 1826.25.
    assert simulate("failed_payment_recovery", 0.5, base()) == Result(
        "failed_payment_leakage", 304.375, 152.1875, Decimal("152.19"), Decimal("1826.25")
    )


def test_the_leakage_window_is_what_the_metric_was_counted_over():
    # 600 in 60 days is 10 a day, and 304.375 in a month of 30.4375 days.
    result = simulate("failed_payment_recovery", 1, Base({"failed_payment_leakage": 600}, leakage_window_days=60))
    assert (result.baseline_value, result.simulated_value) == (304.375, 0)


def test_a_business_that_loses_everybody_every_month():
    # With a churn of 100 % nothing is left after the first month, whatever is paid in it.
    assert impacts("arpu_increase", 0.1, average_monthly_churn_rate=1) == (100, 100)
    # Each month's cohort pays once: twelve times 20.
    assert impacts("activation_increase", 0.1, average_monthly_churn_rate=1) == (20, 240)


def test_without_churn_there_is_none_to_reduce_and_everything_else_adds_up():
    assert impacts("churn_reduction", 0.5, average_monthly_churn_rate=0) == (0, 0)
    assert impacts("arpu_increase", 0.5, average_monthly_churn_rate=0) == (500, 6000)
    assert impacts("activation_increase", 0.5, average_monthly_churn_rate=0) == (100, 7800)  # 1 + 2 + ... + 12 = 78


def test_nobody_activates_twice():
    # 0.8 x 1.5 would be 120 %; up to 100 % it is a quarter more: 200 x 0.25.
    result = simulate("activation_increase", 0.5, base(activation_rate=0.8))
    assert (result.simulated_value, result.monthly_impact) == (1, 50)
    assert impacts("activation_increase", 0.5, activation_rate=1.0) == (0, 0)


@pytest.mark.parametrize("name", NAMES)
def test_no_change_is_worth_nothing(name):
    result = simulate(name, 0, base())
    assert result.simulated_value == result.baseline_value
    assert (result.monthly_impact, result.annualized_impact) == (0, 0)


def test_half_a_cent_is_rounded_up():
    assert impacts("arpu_increase", 0.5, monthly_recurring_revenue=0.01)[0] == Decimal("0.01")
    assert impacts("arpu_increase", 0.5, monthly_recurring_revenue=2.01)[0] == Decimal("1.01")  # to even it is 1.00


# --- what is not available -------------------------------------------------------------------------


@pytest.mark.parametrize(("name", "metric"), [(name, metric) for name in NAMES for metric in NEEDS[name]])
@pytest.mark.parametrize("value", [None, float("nan")])
def test_without_a_metric_there_are_no_numbers_but_a_reason(name, metric, value):
    reason = f"Needs {metric.replace('_', ' ')}, which is not available."
    assert simulate(name, 0.1, base(**{metric: value})) == Result(NEEDS[name][0], not_available_reason=reason)


def test_everything_that_lacks_is_named():
    assert simulate("churn_reduction", 0.1, Base({}, 90)).not_available_reason == (
        "Needs average monthly churn rate and monthly recurring revenue, which are not available."
    )


def test_an_activation_of_zero_cannot_rise_by_a_share():
    result = simulate("activation_increase", 0.1, base(activation_rate=0))
    assert result == Result(
        "activation_rate", not_available_reason="Activation rate is 0, so there is nothing to divide by."
    )


def test_a_window_of_no_days_has_no_loss_per_month():
    result = simulate("failed_payment_recovery", 0.1, Base(COMPANY, leakage_window_days=0))
    assert result.not_available_reason == "Leakage window days is 0, so there is nothing to divide by."
    assert result.annualized_impact is None


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("churn_reduction", "Monthly churn goes from 10.00 % to 5.00 %: $50.00 in the first month, $2,275 in 12 months."),
        ("activation_increase", "Activation goes from 40.00 % to 60.00 %: $100.00 in the first month, $5,542 in 12 months."),
        ("arpu_increase", "ARPU goes from $50.00 to $75.00: $500.00 in the first month, $3,588 in 12 months."),
        ("failed_payment_recovery", "Loss from failed payments per month goes from $304.38 to $152.19: $152.19 in the first month, $1,826 in 12 months."),
    ],
)  # fmt: skip
def test_a_result_is_said_with_its_numbers(name, said):
    assert result_sentence(name, simulate(name, 0.5, base()), "USD") == said


def test_a_missing_result_is_said_with_its_reason():
    result = simulate("arpu_increase", 0.1, base(average_revenue_per_user=None))
    assert result_sentence("arpu_increase", result, "USD") == result.not_available_reason


# --- for any company -------------------------------------------------------------------------------

shares = st.floats(0, 1)
companies = st.builds(
    base,
    monthly_recurring_revenue=st.floats(1000, 1e8),
    average_monthly_churn_rate=st.floats(0.01, 1),
    average_revenue_per_user=st.floats(1, 1e5),
    activation_rate=st.floats(0.01, 1),
    new_revenue=st.floats(0, 1e7),
    failed_payment_leakage=st.floats(0, 1e7),
)
FLOAT_NOISE = Decimal("0.01")
"""Powers of floats are not exactly monotone: at the edge of a cent they may differ by one."""


@settings(deadline=None)
@given(company=companies, changes=st.tuples(shares, shares), name=st.sampled_from(NAMES))
def test_a_larger_change_is_worth_no_less(company, changes, name):
    less, more = (simulate(name, change, company) for change in sorted(changes))
    assert 0 <= less.monthly_impact <= more.monthly_impact + FLOAT_NOISE
    assert 0 <= less.annualized_impact <= more.annualized_impact + FLOAT_NOISE


@settings(deadline=None)
@given(company=companies, change=st.floats(0.01, 1))
def test_a_higher_arpu_is_worth_less_than_twelve_first_months_when_customers_leave(company, change):
    result = simulate("arpu_increase", change, company)
    assert result.monthly_impact <= result.annualized_impact < 12 * result.monthly_impact


# --- the file --------------------------------------------------------------------------------------

SOUND = """scenarios:
  churn_reduction:
    label: Churn Reduction
    owner: team:customer-success
    assumption: Monthly churn falls by {change} of itself.
    change: 0.2
    low: 0.1
    high: 0.3
"""


@pytest.fixture
def path(tmp_path) -> Path:
    """A file with one sound scenario."""
    (tmp_path / "scenarios.yaml").write_text(SOUND)
    return tmp_path / "scenarios.yaml"


def test_the_programs_own_scenarios_are_in_order():
    scenarios = RULES.scenarios
    assert list(scenarios.scenarios) == list(scenarios.enabled) == NAMES == list(LEVERS)
    assert [item.label for item in scenarios.scenarios.values()] == [
        "Churn Reduction", "Activation Increase", "ARPU Increase", "Failed Payment Recovery",
    ]  # fmt: skip
    for name, item in scenarios.scenarios.items():
        low, middle, high = (simulate(name, share, base()) for share in (item.low, item.change, item.high))
        assert 0 < low.annualized_impact < middle.annualized_impact < high.annualized_impact


def test_a_scenario_is_on_unless_said(path):
    assert list(load(path, Scenarios).enabled) == ["churn_reduction"]
    path.write_text(SOUND + "    enabled: false\n")
    assert list(load(path, Scenarios).enabled) == []


@pytest.mark.parametrize(
    ("was", "becomes", "problem"),
    [
        ("change: 0.2", "change: 1.2", "churn_reduction > change: rules.wrong_value"),
        ("low: 0.1", "low: -0.1", "churn_reduction > low: rules.wrong_value"),
        ("high: 0.3", "high: .nan", "churn_reduction > high: rules.wrong_value"),
        ("change: 0.2", "change: 20 %", "churn_reduction > change: rules.wrong_value"),
        ("change: 0.2", "change: true", "churn_reduction > change: rules.wrong_value"),
        ("low: 0.1", "low: 0.25", "churn_reduction: rules.wrong_value"),
        ("high: 0.3", "high: 0.15", "churn_reduction: rules.wrong_value"),
        ("{change}", "{by}", "churn_reduction > assumption: rules.wrong_value"),
        ("{change}", "{change:.0f}", "churn_reduction > assumption: rules.wrong_value"),
        ("{change}", "{change", "churn_reduction > assumption: rules.wrong_value"),
        ("{change}", "a tenth", "churn_reduction > assumption: rules.wrong_value"),
        ("team:customer-success", "Anna", "churn_reduction > owner: rules.wrong_value"),
        ("    low: 0.1\n", "", "churn_reduction > low: rules.missing_key"),
        ("label:", "title:", "churn_reduction > title: rules.unknown_key"),
        ("  churn_reduction:", "  churn_increase:", "churn_increase: rules.wrong_value"),
    ],
)  # fmt: skip
def test_a_mistake_is_refused_with_its_place(path, was, becomes, problem):
    path.write_text(SOUND.replace(was, becomes))
    with raises("rules.invalid") as caught:
        load(path, Scenarios)
    assert f"scenarios > {problem}" in problem_codes(caught.value)


def without(*metrics):
    catalog = RULES.metric_catalog
    kept = {name: metric for name, metric in catalog.metrics.items() if name not in metrics}
    return catalog.model_copy(update={"metrics": kept})


def test_a_scenario_whose_metric_is_not_in_the_catalog_is_refused(path):
    catalog = without("average_monthly_churn_rate")
    with raises_problems("scenarios > churn_reduction > enabled: rules.unknown_metric"):
        check_scenarios(load(path, Scenarios), catalog, path)


def test_a_scenario_that_is_off_needs_no_metric():
    churn = RULES.scenarios.scenarios["churn_reduction"].model_copy(update={"enabled": False})
    scenarios = Scenarios(scenarios={"churn_reduction": churn})
    check_scenarios(scenarios, without("average_monthly_churn_rate"), RULES.path("scenarios"))


def test_the_catalog_has_what_the_scenarios_need():
    check_scenarios(RULES.scenarios, RULES.metric_catalog, RULES.path("scenarios"))


def test_simulating_needs_no_ibis():
    """The dashboard's sliders call the same function, in a process that only reads."""
    code = "import sys, rules.scenarios; sys.exit('ibis' in sys.modules)"
    root = Path(__file__).resolve().parents[2]
    assert subprocess.run([sys.executable, "-c", code], cwd=root, check=False).returncode == 0
