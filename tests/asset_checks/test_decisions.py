"""What must hold of risk, leakage and actions: each broken by one row, and said in a sentence."""

import dagster as dg
import pytest

from asset_checks.decisions import DECISION_INVARIANTS, OF_CUSTOMERS
from tests.productpulse_assets.decisions.cases import some

MONEY = "decimal(18, 2)"
TABLES = {
    "customers": {"customer_id": "string"},
    "customer_signals": {"customer_id": "string", "mrr": MONEY},
    "churn_risk_profiles": {"customer_id": "string"},
    "revenue_leakage": {
        "customer_id": "string", "subscription_id": "string", "period_start": "string", "estimated_revenue_loss": MONEY,
        "leakage_type": "string",
    },
    "recommendations": {"customer_id": "string"},
    "intervention_plan": {"intervention_id": "string", "customer_id": "string", "monthly_revenue": MONEY, "one_off_cash": MONEY},
    "decision_traces": {
        "trace_id": "string", "parent_trace_id": "string", "entity_type": "string", "entity_id": "string",
        "customer_id": "string",
    },
}  # fmt: skip


def step(trace, parent, kind, entity, customer="C1"):
    return dict(zip(TABLES["decision_traces"], (trace, parent, kind, entity, customer), strict=True))


def leak(start, loss=50, kind="Missed Invoice"):
    return {
        "customer_id": "C1", "subscription_id": "S1", "period_start": start, "estimated_revenue_loss": loss,
        "leakage_type": kind,
    }  # fmt: skip


def action(name, monthly, cash=0):
    return {"intervention_id": name, "customer_id": "C1", "monthly_revenue": monthly, "one_off_cash": cash}


def sound():
    """A customer who pays 100, loses 50 twice, and two interventions about that."""
    return {
        "customers": [{"customer_id": "C1"}],
        "customer_signals": [{"customer_id": "C1", "mrr": 100}],
        "churn_risk_profiles": [{"customer_id": "C1"}],
        "revenue_leakage": [leak("2026-05-01"), leak("2026-06-01")],
        "recommendations": [{"customer_id": "C1"}],
        "intervention_plan": [action("I1", 100), action("I2", 0, 100)],
        "decision_traces": [
            step("e1", None, "ChurnRisk", "C1"),
            step("r1", "e1", "Recommendation", "R1"),
            step("i1", "r1", "Intervention", "I1"),
            step("e2", None, "RevenueLeakage", "L1"),
            step("r2", "e2", "Recommendation", "R2"),
            step("i2", "r2", "Intervention", "I2"),
        ],
    }


def verdict(given):
    tables = {name: some(kind, given[name]) for name, kind in TABLES.items()}
    (result,) = DECISION_INVARIANTS.results(tables.__getitem__, DECISION_INVARIANTS.keys)
    assert result.passed == (result.metadata["problems"].value == 0)
    return result.passed, result.description.splitlines()


def test_sound_decisions_pass():
    passed, lines = verdict(sound())
    assert passed
    assert lines == ["Every decision belongs to a known customer and has evidence, and no amount is counted twice."]


def test_the_check_blocks():
    (spec,) = DECISION_INVARIANTS.specs
    assert spec.blocking and spec.asset_key == dg.AssetKey("decision_traces")


@pytest.mark.parametrize("table", OF_CUSTOMERS)
def test_a_row_of_a_stranger(table):
    rows = sound()
    bad = {"customer_id": "C9", "intervention_id": "I1", "monthly_revenue": 0, "one_off_cash": 0, "trace_id": "e9"}
    rows[table].append({name: bad.get(name) for name in TABLES[table]})
    assert verdict(rows) == (False, [f"1 rows of {table} have an unknown customer_id."])


@pytest.mark.parametrize(
    "way",
    [
        {"r2": step("r2", None, "Recommendation", "R2")},
        {"r2": step("r2", "i1", "Recommendation", "R2")},
        {"i2": step("i2", "e2", "Intervention", "I2")},
        {"e2": step("e2", "r1", "RevenueLeakage", "L1")},
    ],
)
def test_an_intervention_that_leads_to_no_evidence(way):
    rows = sound()
    rows["decision_traces"] = [way.get(row["trace_id"], row) for row in rows["decision_traces"]]
    assert verdict(rows) == (False, ["1 interventions have no evidence."])


def test_an_intervention_without_a_trace_and_a_trace_without_its_intervention():
    rows = sound()
    rows["intervention_plan"].append(action("I3", 0))
    assert verdict(rows) == (False, ["1 interventions have no evidence."])
    rows = sound()
    rows["intervention_plan"].pop()
    assert verdict(rows) == (False, ["1 decision traces belong to interventions that are not in the plan."])


def test_a_parent_that_does_not_exist():
    rows = sound()
    rows["decision_traces"].append(step("i3", "gone", "Intervention", "I1"))
    assert verdict(rows) == (False, ["1 decision traces have a parent that does not exist."])


def test_a_billing_period_that_leaks_twice():
    rows = sound()
    rows["revenue_leakage"].append(leak("2026-06-01", 1))
    assert verdict(rows) == (False, ["1 billing periods have more than one leakage case."])


def test_what_was_given_back_of_a_period_is_other_money():
    rows = sound()
    rows["revenue_leakage"].append(leak("2026-06-01", 1, "Refund"))
    assert verdict(rows)[0]


@pytest.mark.parametrize(
    ("mrr", "planned"), [(100, (0.01, 100)), (100, (0, 100.01)), (99.99, (0, 100)), (None, (0, 100)), (1000, (0, 101))]
)
def test_a_plan_about_more_money_than_there_is(mrr, planned):
    rows = sound()
    rows["intervention_plan"][1] = action("I2", *planned)
    rows["customer_signals"] = [{"customer_id": "C1", "mrr": mrr}] if mrr else []
    assert verdict(rows) == (False, ["1 customers have interventions for more money than they pay and lose."])


def test_every_problem_is_said_at_once():
    rows = sound()
    rows["customers"] = []
    rows["customer_signals"] = []
    assert sorted(verdict(rows)[1]) == [
        "1 customers have interventions for more money than they pay and lose.",
        "1 rows of churn_risk_profiles have an unknown customer_id.",
        "1 rows of recommendations have an unknown customer_id.",
        "2 rows of intervention_plan have an unknown customer_id.",
        "2 rows of revenue_leakage have an unknown customer_id.",
        "6 rows of decision_traces have an unknown customer_id.",
    ]
