"""Recommendations: the action that each rule recommends for each finding, ranked."""

from decimal import Decimal

import ibis
import ibis.expr.types as ir
from ibis import _

from productpulse_assets.decisions.action_value import value_months, with_case_value, with_customer_value
from productpulse_assets.decisions.triggers import about_customers, churn_trigger, leakage_trigger
from productpulse_assets.joins import stable_id
from productpulse_assets.tables import table
from rules.metrics.compile import band, condition
from rules.recommendation_rules import RecommendationRule, RecommendationRules
from rules.rule_set import Rules
from rules.text.formats import ACTION_MONEY
from rules.text.sql_text import fill_template

SCORE, WEIGHT = "decimal(28, 2)", "decimal(9, 2)"


@table(group="decisions", owner="team:customer-success", key=("priority_rank",))
def recommendations(
    customers: ir.Table,
    customer_signals: ir.Table,
    churn_risk_profiles: ir.Table,
    revenue_leakage: ir.Table,
    contract_terms: ir.Table,
    rules: Rules,
) -> ir.Table:
    """One row per recommendation rule and finding that meets its conditions, the most urgent first.

    What it is about is either recurring revenue (monthly_revenue, and recurring_value over value_months) or cash
    (one_off_cash); the other is 0. priority_score = that value x confidence_weight x severity_weight / effort_weight.
    subject_id identifies what the money is: the customer (its MRR) or one case of leakage. An id stays the same from
    day to day as long as the problem exists.
    """
    advice = rules.recommendation_rules
    about = about_customers(customers, customer_signals, churn_risk_profiles)
    horizon = advice.value_horizon_months
    triggers = {
        "churn_risk": with_customer_value(churn_trigger(about), contract_terms, horizon),
        "leakage": with_case_value(leakage_trigger(about, revenue_leakage), horizon),
    }
    enabled = [rule for rule in advice.rules if rule.enabled]
    found = [recommended(triggers[rule.trigger], rule, advice, rules.currency) for rule in enabled]
    order = [_.priority_score.desc(), *(_[name].desc() for name in ACTION_MONEY), _.customer_id, _.recommendation_id]
    return ibis.union(*found).mutate(priority_rank=ibis.row_number().over(order_by=order) + 1)


SUBJECTS = {
    "churn_risk": ("customer_id", "churn_evidence"),
    "leakage": ("leakage_id", "revenue_leakage"),
}
"""By trigger: the column of the subject, and the table with the evidence."""


def recommended(trigger: ir.Table, rule: RecommendationRule, rules: RecommendationRules, currency: str) -> ir.Table:
    """The rows of a trigger that meet a rule's conditions, as recommendations."""
    rows = trigger.filter([condition(trigger, item) for item in rule.conditions])
    subject, evidence = SUBJECTS[rule.trigger]
    score = priority(ibis.greatest(rows.recurring_value, rows.one_off_cash), rule, rules)  # one of the two is 0
    return rows.select(
        recommendation_id=stable_id(rule.rule_id, rows.customer_id, rows[subject]),
        rule_id=ibis.literal(rule.rule_id),
        trigger=ibis.literal(rule.trigger),
        subject_id=rows[subject],
        customer_id=rows.customer_id,
        segment=rows.segment,
        recommendation_title=fill_template(rule.title, rows, currency),
        category=ibis.literal(rule.category),
        reason=fill_template(rule.reason, rows, currency),
        expected_action=fill_template(rule.expected_action, rows, currency),
        monthly_revenue=rows.monthly_revenue,
        value_months=value_months(rows),
        recurring_value=rows.recurring_value,
        one_off_cash=rows.one_off_cash,
        confidence_level=ibis.literal(level(rule.confidence_weight, rules.confidence_levels)),
        confidence_weight=_double(rule.confidence_weight),
        severity_weight=_double(rule.severity_weight),
        effort_level=ibis.literal(rule.effort_level),
        effort_weight=_double(rules.effort_weights[rule.effort_level]),
        priority_score=score.cast("float64"),
        priority_band=band(score, rules.priority_bands),
        suggested_owner=ibis.literal(rule.suggested_owner),
        evidence_source=ibis.literal(evidence),
        intervention_id=stable_id(rows.customer_id, rule.category, rule.suggested_owner),
    )


def _double(weight: Decimal) -> ir.FloatingScalar:
    """A weight as DOUBLE.

    It is cast from a decimal, because Ibis writes a float literal as 0.9, which DuckDB reads as DECIMAL(2, 1).
    """
    return ibis.literal(weight, WEIGHT).cast("float64")


def priority(value: ir.DecimalColumn, rule: RecommendationRule, rules: RecommendationRules) -> ir.DecimalColumn:
    """The score with two decimals; half a cent is rounded up."""
    weight = float(rule.confidence_weight * rule.severity_weight)
    effort = float(rules.effort_weights[rule.effort_level])
    # The product is rounded as a decimal first: half a cent may be a little less than that in binary.
    return (value.cast("float64") * weight / effort).cast("decimal(38, 9)").cast(SCORE)


def level(weight: Decimal, levels: dict[str, Decimal]) -> str:
    """The first level whose floor the weight reaches."""
    return next(name for name, floor in levels.items() if weight >= floor)
