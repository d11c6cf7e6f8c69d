"""Invariants of risk, leakage and actions, which are checked before anything is published."""

from collections.abc import Iterator, Mapping

import dagster as dg
import ibis
import ibis.expr.types as ir
from ibis import _

from asset_checks.checks import Check
from resources.tables import rows_of
from rules.leakage_rules import MONTHLY_LOSSES
from rules.units import MONEY

INPUTS = (
    "customers", "customer_signals", "churn_risk_profiles", "revenue_leakage",
    "recommendations", "intervention_plan", "decision_traces",
)  # fmt: skip
OF_CUSTOMERS = ("churn_risk_profiles", "revenue_leakage", "recommendations", "intervention_plan", "decision_traces")
REFUND = "Refund"
EVIDENCE = ("ChurnRisk", "RevenueLeakage")


def unknown_customers(table: ir.Table, customers: ir.Table) -> ir.Table:
    """The rows of a table whose customer_id is not in customers."""
    return table.anti_join(customers.select("customer_id"), "customer_id")


def without_evidence(interventions: ir.Table, traces: ir.Table) -> ir.Table:
    """Interventions without a chain of traces to a churn rule that fired or to a leakage case."""
    step = traces.select("trace_id", "parent_trace_id", "entity_type", "entity_id")
    evidence = step.filter(_.entity_type.isin(EVIDENCE), _.parent_trace_id.isnull()).select(found="trace_id")
    advice = step.filter(_.entity_type == "Recommendation").join(evidence, [("parent_trace_id", "found")])
    plans = step.filter(_.entity_type == "Intervention")
    with_evidence = plans.semi_join(advice.select(found="trace_id"), [("parent_trace_id", "found")])
    return interventions.anti_join(with_evidence.select(intervention_id="entity_id"), "intervention_id")


def not_in_plan(interventions: ir.Table, traces: ir.Table) -> ir.Table:
    """Traces of interventions that are not in the plan: the two tables are not from the same run."""
    return traces.filter(_.entity_type == "Intervention").anti_join(
        interventions.select(entity_id="intervention_id"), "entity_id"
    )


def broken_chains(traces: ir.Table) -> ir.Table:
    """Traces whose parent does not exist."""
    child = traces.filter(_.parent_trace_id.notnull()).select("trace_id", "parent_trace_id")
    return child.anti_join(traces.select(found="trace_id"), [("parent_trace_id", "found")])


def double_counted_periods(leakage: ir.Table) -> ir.Table:
    """Billing periods of a subscription with more than one leakage case; what was given back is other money."""
    return (
        leakage.filter(_.leakage_type != REFUND)
        .group_by("subscription_id", "period_start")
        .aggregate(cases=_.count())
        .filter(_.cases > 1)
    )


def overstated_customers(interventions: ir.Table, signals: ir.Table, leakage: ir.Table) -> ir.Table:
    """Customers whose interventions are about more revenue a month, or more cash, than they pay and lose."""
    planned = interventions.group_by("customer_id").aggregate(
        planned=_.monthly_revenue.sum(), cash=_.one_off_cash.sum()
    )
    zero, is_monthly = ibis.literal(0).cast(MONEY), _.leakage_type.isin(MONTHLY_LOSSES)
    pays = signals.select("customer_id", monthly="mrr", lost=zero)
    leaks = leakage.select(
        "customer_id",
        monthly=ibis.ifelse(is_monthly, _.estimated_revenue_loss, zero),
        lost=ibis.ifelse(is_monthly, zero, _.estimated_revenue_loss),
    )
    most = ibis.union(pays, leaks).group_by("customer_id").aggregate(monthly=_.monthly.sum(), lost=_.lost.sum())
    both = planned.left_join(most, "customer_id")
    return both.filter((both.planned > both.monthly.fill_null(0)) | (both.cash > both.lost.fill_null(0)))


def decision_problems(tables: Mapping[str, ir.Table]) -> dict[str, ir.Table]:
    """The rows that violate each invariant, by the end of the sentence that reports their number."""
    customers, leakage = tables["customers"], tables["revenue_leakage"]
    plan, traces = tables["intervention_plan"], tables["decision_traces"]
    return {
        **{
            f"rows of {name} have an unknown customer_id": unknown_customers(tables[name], customers)
            for name in OF_CUSTOMERS
        },
        "interventions have no evidence": without_evidence(plan, traces),
        "decision traces belong to interventions that are not in the plan": not_in_plan(plan, traces),
        "decision traces have a parent that does not exist": broken_chains(traces),
        "billing periods have more than one leakage case": double_counted_periods(leakage),
        "customers have interventions for more money than they pay and lose": overstated_customers(
            plan, tables["customer_signals"], leakage
        ),
    }


def decision_results(**tables: ir.Table) -> Iterator[dg.AssetCheckResult]:
    """The result of all invariants of the decisions, from one query."""
    broken = decision_problems(tables)
    counts = ibis.union(
        *(rows.aggregate(rows=rows.count()).mutate(problem=ibis.literal(text)) for text, rows in broken.items())
    )
    found = [row for row in rows_of(counts) if row["rows"]]
    yield dg.AssetCheckResult(
        asset_key="decision_traces",
        check_name="decisions",
        passed=not found,
        description="\n".join(f"{row['rows']:,} {row['problem']}." for row in found)
        or "Every decision belongs to a known customer and has evidence, and no amount is counted twice.",
        metadata={"problems": len(found)},
    )


DECISION_INVARIANTS = Check(
    specs=(
        dg.AssetCheckSpec(
            "decisions",
            asset="decision_traces",
            blocking=True,
            description="Every profile, case and action belongs to a known customer; every intervention has evidence; "
            "no amount is counted twice.",
            additional_deps=[name for name in INPUTS if name != "decision_traces"],
        ),
    ),
    inputs=INPUTS,
    evaluate=decision_results,
)
