"""What must hold of risk, leakage and actions before anything is published."""

from collections.abc import Iterator, Mapping

import dagster as dg
import ibis
import ibis.expr.types as ir
from ibis import _

from asset_checks.checks import Check

INPUTS = (
    "customers", "customer_signals", "churn_risk_profiles", "revenue_leakage",
    "recommendations", "intervention_plan", "decision_traces",
)  # fmt: skip
OF_CUSTOMERS = ("churn_risk_profiles", "revenue_leakage", "recommendations", "intervention_plan", "decision_traces")
EVIDENCE = ("ChurnRisk", "RevenueLeakage")


def strangers(table: ir.Table, customers: ir.Table) -> ir.Table:
    """Rows of a table whose customer is not in customers."""
    return table.anti_join(customers.select("customer_id"), "customer_id")


def unproven(interventions: ir.Table, traces: ir.Table) -> ir.Table:
    """Interventions that no chain of traces leads from to a rule hit or a case of leakage."""
    step = traces.select("trace_id", "parent_trace_id", "entity_type", "entity_id")
    evidence = step.filter(_.entity_type.isin(EVIDENCE), _.parent_trace_id.isnull()).select(found="trace_id")
    advice = step.filter(_.entity_type == "Recommendation").join(evidence, [("parent_trace_id", "found")])
    plans = step.filter(_.entity_type == "Intervention")
    proven = plans.semi_join(advice.select(found="trace_id"), [("parent_trace_id", "found")])
    return interventions.anti_join(proven.select(intervention_id="entity_id"), "intervention_id")


def unplanned(interventions: ir.Table, traces: ir.Table) -> ir.Table:
    """Traces of interventions that are not in the plan: one of the tables is of another run."""
    return traces.filter(_.entity_type == "Intervention").anti_join(
        interventions.select(entity_id="intervention_id"), "entity_id"
    )


def broken_chains(traces: ir.Table) -> ir.Table:
    """Traces whose parent does not exist."""
    child = traces.filter(_.parent_trace_id.notnull()).select("trace_id", "parent_trace_id")
    return child.anti_join(traces.select(found="trace_id"), [("parent_trace_id", "found")])


def counted_twice(leakage: ir.Table) -> ir.Table:
    """Billing periods of a subscription that leak more than once."""
    return leakage.group_by("subscription_id", "period_start").aggregate(cases=_.count()).filter(_.cases > 1)


def overstated(interventions: ir.Table, signals: ir.Table, leakage: ir.Table) -> ir.Table:
    """Customers whose interventions are about more money than they pay and lose together."""
    planned = interventions.group_by("customer_id").aggregate(planned=_.estimated_revenue_impact.sum())
    pays = signals.select("customer_id", money="mrr")
    leaks = leakage.select("customer_id", money="estimated_revenue_loss")
    most = ibis.union(pays, leaks).group_by("customer_id").aggregate(money=_.money.sum())
    both = planned.left_join(most, "customer_id")
    return both.filter(both.planned > both.money.fill_null(0))


def decision_problems(tables: Mapping[str, ir.Table]) -> dict[str, ir.Table]:
    """By sentence: the rows that break it."""
    customers, leakage = tables["customers"], tables["revenue_leakage"]
    plan, traces = tables["intervention_plan"], tables["decision_traces"]
    return {
        **{f"rows of {name} belong to no known customer": strangers(tables[name], customers) for name in OF_CUSTOMERS},
        "interventions lead to no evidence": unproven(plan, traces),
        "decision traces are of interventions that are not in the plan": unplanned(plan, traces),
        "decision traces have a parent that does not exist": broken_chains(traces),
        "billing periods leak more than once": counted_twice(leakage),
        "customers are planned for more than they pay and lose": overstated(plan, tables["customer_signals"], leakage),
    }


def decision_results(**tables: ir.Table) -> Iterator[dg.AssetCheckResult]:
    """Whether everything holds that must be true of the decisions, in one query."""
    broken = decision_problems(tables)
    counts = ibis.union(
        *(rows.aggregate(rows=rows.count()).mutate(problem=ibis.literal(text)) for text, rows in broken.items())
    )
    found = [row for row in counts.execute().to_dict("records") if row["rows"]]
    yield dg.AssetCheckResult(
        asset_key="decision_traces",
        check_name="decisions",
        passed=not found,
        description="\n".join(f"{row['rows']:,} {row['problem']}." for row in found)
        or "Every decision belongs to a customer, leads to evidence, and counts no dollar twice.",
        metadata={"problems": len(found)},
    )


DECISION_INVARIANTS = Check(
    specs=(
        dg.AssetCheckSpec(
            "decisions",
            asset="decision_traces",
            blocking=True,
            description="Every profile, case and action belongs to a known customer; every intervention leads to "
            "evidence; no dollar is counted twice.",
            additional_deps=[name for name in INPUTS if name != "decision_traces"],
        ),
    ),
    inputs=INPUTS,
    evaluate=decision_results,
)
