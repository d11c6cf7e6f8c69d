"""A few customers with their risk and leakage, and the decision tables computed from them."""

from __future__ import annotations

from typing import Any

import ibis
import ibis.expr.types as ir

from productpulse_assets.decisions.interventions import intervention_plan, owner_workload
from productpulse_assets.decisions.recommendations import recommendations
from productpulse_assets.decisions.traces import decision_traces
from resources.tables import table_of
from rules.recommendation_rules import RecommendationRules
from rules.rule_set import Rules
from tests.builders import calendar, dataset
from tests.graph import RULES

AS_OF = "2026-06-30"
ABOUT = {"customer_id": "string", "as_of_date": "date", "segment": "string", "mrr": "decimal(18, 2)"}
SIGNALS = ABOUT | {"is_activated": "boolean", "latest_nps_score": "int64", "days_to_renewal": "int64"}
PROFILES = ABOUT | {
    "risk_score": "float64", "risk_band": "string", "revenue_at_risk": "decimal(18, 2)", "rules_fired": "int64",
    "main_driver": "string", "rule_ids": "string", "signals_known": "int64", "signals_total": "int64",
    "explanation": "string",
}  # fmt: skip
LEAKAGE = {
    "leakage_id": "string", "leakage_type": "string", "customer_id": "string", "subscription_id": "string",
    "period_start": "date", "estimated_revenue_loss": "decimal(18, 2)", "evidence": "string",
    "explanation": "string", "recommended_action": "string",
}  # fmt: skip
TERMS = {
    "customer_id": "string", "start_date": "date", "end_date": "date", "term_anchor": "date", "term_months": "int64",
    "monthly_price": "decimal(18, 2)",
}  # fmt: skip
EVIDENCE = dict.fromkeys(
    (
        "customer_id", "rule_id", "signal_name", "signal_value", "operator", "threshold", "second_signal_name",
        "second_signal_value", "second_operator", "second_threshold", "window", "source_dataset", "explanation",
    ),
    "string",
) | {"weight": "decimal(9, 4)"}  # fmt: skip
PERSON = {
    "customer_id": "C1", "company_name": "Acme", "as_of_date": AS_OF, "segment": "SMB", "mrr": 100,
    "risk_score": 0.5, "risk_band": "High", "revenue_at_risk": 0, "rules_fired": 0, "main_driver": "Detractor",
    "rule_ids": "detractor", "signals_known": 11, "signals_total": 11, "explanation": "Risky.",
}  # fmt: skip
LEAK = {
    "leakage_id": "L1", "leakage_type": "Refund", "customer_id": "C1", "subscription_id": "S1",
    "period_start": "2026-06-01", "estimated_revenue_loss": 50, "evidence": "{}", "explanation": "Refunded.",
    "recommended_action": "Ask why.",
}  # fmt: skip
CALL = {
    "rule_id": "call", "trigger": "churn_risk",
    "conditions": [{"column": "mrr", "operator": "greater_than", "value": 0}],
    "title": "Call {company_name}", "category": "Retention", "suggested_owner": "Ann", "expected_action": "Call.",
    "confidence_weight": 1, "severity_weight": 1, "effort_level": "Low",
}  # fmt: skip
COLLECT = CALL | {
    "rule_id": "collect", "trigger": "leakage",
    "conditions": [{"column": "leakage_type", "operator": "equals", "value": "Refund"}],
    "title": "Collect {estimated_revenue_loss}", "category": "Billing", "suggested_owner": "Bob",
    "expected_action": "{recommended_action}",
}  # fmt: skip
IN_USE: dict[str, Rules] = {"rules": RULES}
"""The rules of a test: the shipped ones, or those that the fixture `follow` puts here."""


def when(column: str, operator: str, *value: Any) -> dict[str, Any]:
    """The conditions of a rule, which are this one."""
    return {"conditions": [{"column": column, "operator": operator} | ({"value": value[0]} if value else {})]}


def rules_of(*rules: dict[str, Any], **settings: Any) -> RecommendationRules:
    plain = {
        "effort_weights": {"Low": 1, "Medium": 2, "High": 3},
        "priority_bands": {"Critical": 5000, "High": 1000, "Medium": 200, "Low": 0},
        "confidence_levels": {"High": 0.8, "Medium": 0.5, "Low": 0},
        "horizon_weeks": 2,
        "value_horizon_months": 1,
        "weekly_capacity": {"Ann": 2, "Bob": 2},
    }
    return RecommendationRules.model_validate(plain | settings | {"rules": list(rules)})


def some(schema: dict[str, str], given: list[dict[str, Any]]) -> ir.Table:
    """Rows as a table of these columns; a column that a row does not have is NULL."""
    words = [{c: None if row.get(c) is None else str(row[c]) for c in schema} for row in given]
    return table_of(words, ibis.schema(dict.fromkeys(schema, "string"))).cast(schema)


def company(
    *people: dict[str, Any], leaks: tuple[dict[str, Any], ...] = (), terms: tuple[dict[str, Any], ...] = ()
) -> dict[str, ir.Table]:
    """The tables that recommendations are computed from; a customer without mrr does not pay and has no risk."""
    full = [PERSON | person for person in people]
    payers = [person for person in full if person["mrr"] is not None]
    who = [{c: person[c] for c in ("customer_id", "company_name", "segment")} for person in full]
    return {
        "customers": dataset("customers", *who),
        "customer_signals": some(SIGNALS, payers),
        "churn_risk_profiles": some(PROFILES, payers),
        "revenue_leakage": some(LEAKAGE, [LEAK | leak for leak in leaks]),
        "contract_terms": some(TERMS, list(terms)),
    }


def advice(
    *people: dict[str, Any], leaks: tuple[dict[str, Any], ...] = (), terms: tuple[dict[str, Any], ...] = ()
) -> ir.Table:
    return recommendations(**company(*people, leaks=leaks, terms=terms), rules=IN_USE["rules"])


def plan(*people: dict[str, Any], leaks: tuple[dict[str, Any], ...] = (), as_of: str = AS_OF) -> ir.Table:
    return intervention_plan(
        recommendations=advice(*people, leaks=leaks), calendar=calendar("2025-01-01", as_of), rules=IN_USE["rules"]
    )


def workload(*people: dict[str, Any], leaks: tuple[dict[str, Any], ...] = ()) -> ir.Table:
    days = calendar("2026-01-01", AS_OF)
    return owner_workload(intervention_plan=plan(*people, leaks=leaks), calendar=days, rules=IN_USE["rules"])


def traces(*people: dict[str, Any], leaks: tuple[dict[str, Any], ...] = (), hits: tuple = ()) -> ir.Table:
    tables = company(*people, leaks=leaks)
    return decision_traces(
        churn_evidence=some(EVIDENCE, list(hits)),
        churn_risk_profiles=tables["churn_risk_profiles"],
        revenue_leakage=tables["revenue_leakage"],
        recommendations=recommendations(**tables, rules=IN_USE["rules"]),
        calendar=calendar("2026-01-01", AS_OF),
        rules=IN_USE["rules"],
    )
