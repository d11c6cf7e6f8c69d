"""Decision traces: from an intervention back to its recommendations, and to the rule hits and leakage behind them."""

import json
from collections.abc import Mapping
from decimal import Decimal

import ibis
import ibis.expr.types as ir
from ibis import _

from productpulse_assets.joins import stable_id
from productpulse_assets.sources.rejects import to_json
from productpulse_assets.tables import table
from rules.leakage_rules import LABELS, MONTHLY_LOSSES, LeakageRules
from rules.metrics.compile import band
from rules.rule_set import Rules
from rules.text.formats import ACTION_MONEY
from rules.units import MONEY

COLUMNS = (
    "trace_id", "created_at", "entity_type", "entity_id", "customer_id", "parent_trace_id", "signal",
    "triggered_rule", "evidence", *ACTION_MONEY, "generated_action", "confidence_level",
)  # fmt: skip
NO_TEXT = ibis.null("string")
NO_MONEY = ibis.null(MONEY)


@table(group="decisions", owner="team:customer-success", key=("trace_id",))
def decision_traces(
    churn_evidence: ir.Table,
    churn_risk_profiles: ir.Table,
    revenue_leakage: ir.Table,
    recommendations: ir.Table,
    calendar: ir.Table,
    rules: Rules,
) -> ir.Table:
    """One row per step of a decision; its parent is the step that it is based on.

    A ChurnRisk row is a rule that fired (entity: the customer; where no rule fired, one row says so), a
    RevenueLeakage row is a case. A Recommendation has one row per finding, an Intervention one per row of its
    recommendations, so that each row has one parent and the parents lead to a finding. evidence (JSON) has all
    that the decision can be computed from again. created_at is the as-of date. recurring_value is NULL for a finding:
    only an action has a value over months.
    """
    found = findings(churn_evidence, churn_risk_profiles, revenue_leakage, rules)
    advice = recommendation_steps(recommendations, found, rules)
    plan = intervention_steps(recommendations, advice, rules)
    as_of = calendar.aggregate(created_at=calendar.as_of_date.max())
    columns = [name for name in COLUMNS if name != "created_at"]
    return ibis.union(*(table.select(*columns) for table in (found, advice, plan))).cross_join(as_of).select(*COLUMNS)


def findings(evidence: ir.Table, profiles: ir.Table, leakage: ir.Table, rules: Rules) -> ir.Table:
    """Rule hits, profiles without one, and leakage: the rows without a parent. subject joins recommendations."""
    return ibis.union(
        rule_hits(evidence, profiles, rules), profiles_without_hit(profiles, rules), leakage_cases(leakage, rules)
    )


def rule_hits(evidence: ir.Table, profiles: ir.Table, rules: Rules) -> ir.Table:
    """One row per churn rule that fired."""
    risk = profiles.select("customer_id", "revenue_at_risk", "signals_known", "signals_total")
    table = evidence.join(risk, "customer_id")
    proof = {
        "rule": table.rule_id,
        "signal": table.signal_name,
        "value": table.signal_value,
        "operator": table.operator,
        "threshold": table.threshold,
        "second_signal": table.second_signal_name,
        "second_value": table.second_signal_value,
        "second_operator": table.second_operator,
        "second_threshold": table.second_threshold,
        "weight": table.weight,
        "window": table.window,
        "source_dataset": table.source_dataset,
    }
    return _risk_finding(table, table.rule_id, table.signal_name, table.rule_id, proof, rules)


def profiles_without_hit(profiles: ir.Table, rules: Rules) -> ir.Table:
    """One row per profile for which no rule fired."""
    return _risk_finding(profiles.filter(_.rules_fired == 0), ibis.literal("none"), NO_TEXT, NO_TEXT, {}, rules)


def _risk_finding(
    table: ir.Table,
    name: ir.StringValue,
    signal: ir.StringValue,
    rule: ir.StringValue,
    proof: dict[str, ir.Value],
    rules: Rules,
) -> ir.Table:
    """Findings about customers' risk; `name` makes the finding unique among those of its customer."""
    return trace_rows(
        table,
        "ChurnRisk",
        (table.customer_id, name),
        entity_id=table.customer_id,
        signal=signal,
        triggered_rule=rule,
        proof={**proof, "explanation": table.explanation, **_score_basis(table, rules)},
        monthly_revenue=table.revenue_at_risk,
        one_off_cash=NO_MONEY,
        confidence_level=_confidence(table, rules),
        subject=ibis.literal("churn_risk|") + table.customer_id,
    )


def trace_rows(
    table: ir.Table,
    entity_type: str,
    identity: tuple[ir.StringValue, ...],
    *,
    proof: dict[str, ir.Value],
    parent_trace_id: ir.StringValue = NO_TEXT,
    generated_action: ir.StringValue = NO_TEXT,
    recurring_value: ir.DecimalValue = NO_MONEY,
    **columns: ir.Value,
) -> ir.Table:
    """Each row as a trace. `identity` are the values that its id is computed from; `proof` becomes its evidence."""
    return table.select(
        trace_id=stable_id(entity_type, *identity),
        entity_type=ibis.literal(entity_type),
        customer_id=table.customer_id,
        parent_trace_id=parent_trace_id,
        generated_action=generated_action,
        recurring_value=recurring_value,
        evidence=to_json(ibis.struct(proof)).cast("string"),
        **columns,
    )


def _score_basis(table: ir.Table, rules: Rules) -> dict[str, ir.Value]:
    """What turns the weights into a band: the bands' floors, the known signals, and the version of the rules."""
    return {
        "bands": _floors(rules.churn_rules.bands),
        "signals_known": table.signals_known,
        "signals_total": table.signals_total,
        **_rule_file(rules, "churn_rules"),
    }


def _rule_file(rules: Rules, name: str) -> dict[str, ir.Value]:
    return {"rule_file": ibis.literal(f"{name}.yaml"), "rule_file_hash": ibis.literal(rules.hashes[name])}


def _confidence(table: ir.Table, rules: Rules) -> ir.StringColumn:
    """High, Medium or Low by the share of the rules' signals that is known."""
    known = table.signals_known.cast("float64") / table.signals_total
    return band(known, rules.recommendation_rules.confidence_levels)


def leakage_cases(leakage: ir.Table, rules: Rules) -> ir.Table:
    """One row per case of leakage."""
    sources = _leakage_sources(rules.leakage_rules)
    is_monthly = leakage.leakage_type.isin(MONTHLY_LOSSES)
    proof = {
        "rule": leakage.leakage_type,
        "value": leakage.estimated_revenue_loss,
        "window": ibis.cases(
            *((leakage.leakage_type == kind, window) for kind, (window, _datasets) in sources.items())
        ),
        "source_dataset": ibis.cases(
            *((leakage.leakage_type == kind, datasets) for kind, (_window, datasets) in sources.items())
        ),
        "details": leakage.evidence,
        "explanation": leakage.explanation,
        **_rule_file(rules, "leakage_rules"),
    }
    return trace_rows(
        leakage,
        "RevenueLeakage",
        (leakage.leakage_id,),
        entity_id=leakage.leakage_id,
        signal=leakage.leakage_type,
        triggered_rule=leakage.leakage_type,
        proof=proof,
        monthly_revenue=ibis.ifelse(is_monthly, leakage.estimated_revenue_loss, NO_MONEY),
        one_off_cash=ibis.ifelse(is_monthly, NO_MONEY, leakage.estimated_revenue_loss),
        generated_action=leakage.recommended_action,
        confidence_level=ibis.literal("High"),  # computed from transactions, not estimated
        subject=ibis.literal("leakage|") + leakage.leakage_id,
    )


def _leakage_sources(rules: LeakageRules) -> dict[str, tuple[str, str]]:
    """By kind of leakage: the days that its detector covers, and its datasets."""
    usual = (f"last {rules.window_days} days", "transactions, subscriptions")
    own = {
        "unpaid_active_subscription": ("since the last payment", "transactions, subscriptions"),
        "active_usage_without_billing": (
            f"last {rules.detectors.active_usage_without_billing.login_days} days",
            "product_usage, subscriptions",
        ),
    }
    return {label: own.get(name, usual) for name, label in LABELS.items()}


def recommendation_steps(recommendations: ir.Table, found: ir.Table, rules: Rules) -> ir.Table:
    """One row per recommendation and finding that it is based on."""
    evidence = found.select(parent_trace_id="trace_id", signal="signal", subject="subject")
    with_subject = recommendations.mutate(subject=recommendations.trigger + "|" + recommendations.subject_id)
    table = with_subject.join(evidence, "subject")
    proof = {
        "rule": table.rule_id,
        "trigger": table.trigger,
        "subject": table.subject_id,
        "monthly_revenue": table.monthly_revenue,
        "value_months": table.value_months,
        "recurring_value": table.recurring_value,
        "one_off_cash": table.one_off_cash,
        "confidence_weight": table.confidence_weight,
        "severity_weight": table.severity_weight,
        "effort_weight": table.effort_weight,
        "priority_score": table.priority_score,
        "priority_band": table.priority_band,
        "priority_bands": _floors(rules.recommendation_rules.priority_bands),
        "reason": table.reason,
        **_rule_file(rules, "recommendation_rules"),
    }
    return _decision(table, "Recommendation", table.recommendation_id, table.recommendation_title, proof)


def _floors(bands: Mapping[str, Decimal]) -> ir.StringScalar:
    """Bands and their floors as JSON text."""
    return ibis.literal(json.dumps({name: float(floor) for name, floor in bands.items()}))


def intervention_steps(recommendations: ir.Table, advice: ir.Table, rules: Rules) -> ir.Table:
    """One row per intervention, recommendation and finding."""
    below = advice.select("recommendation_id", "signal", parent_trace_id="trace_id")
    table = recommendations.join(below, "recommendation_id")
    proof = {
        "recommendation": table.recommendation_id,
        "category": table.category,
        "owner": table.suggested_owner,
        "priority_score": table.priority_score,
        **_rule_file(rules, "recommendation_rules"),
    }
    return _decision(table, "Intervention", table.intervention_id, table.expected_action, proof)


def _decision(
    table: ir.Table, entity_type: str, entity_id: ir.StringColumn, action: ir.StringColumn, proof: dict[str, ir.Value]
) -> ir.Table:
    """Decisions of recommendation rules, one row for each parent."""
    return trace_rows(
        table,
        entity_type,
        (entity_id, table.parent_trace_id),
        recommendation_id=table.recommendation_id,
        entity_id=entity_id,
        parent_trace_id=table.parent_trace_id,
        signal=table.signal,
        triggered_rule=table.rule_id,
        proof=proof,
        **{name: table[name] for name in ACTION_MONEY},
        generated_action=action,
        confidence_level=table.confidence_level,
    )
