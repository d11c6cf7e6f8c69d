"""Rows of the published tables as Python values: what the evidence of a decision is put together from."""

from __future__ import annotations

import datetime as dt
from decimal import Decimal
from typing import TypedDict


class TraceRow(TypedDict):
    """A row of decision_traces; `evidence` is JSON, which `Proof` describes."""

    trace_id: str
    created_at: dt.date
    entity_type: str
    entity_id: str
    customer_id: str
    parent_trace_id: str | None
    signal: str | None
    triggered_rule: str | None
    evidence: str
    monthly_revenue: Decimal | None
    recurring_value: Decimal | None
    one_off_cash: Decimal | None
    generated_action: str | None
    confidence_level: str


class Proof(TypedDict, total=False):
    """The evidence of a trace as data; which keys it has depends on the trace's entity_type.

    A finding has an explanation. One of a churn rule has the signal, its value and the weight; a case of leakage has
    details, which are JSON. A recommendation has the factors of its priority.
    """

    explanation: str
    rule: str
    signal: str
    value: str | float
    weight: float
    details: str
    monthly_revenue: float
    value_months: float | None
    recurring_value: float
    one_off_cash: float
    confidence_weight: float
    severity_weight: float
    effort_weight: float
    priority_score: float
    rule_file: str
    rule_file_hash: str


class PlanRow(TypedDict):
    """A row of intervention_plan."""

    priority_rank: int
    intervention_id: str
    recommendation_title: str
    category: str
    target_segment: str | None
    customer_id: str
    affected_customers: int
    monthly_revenue: Decimal
    value_months: float | None
    recurring_value: Decimal
    one_off_cash: Decimal
    expected_action: str
    reason: str
    suggested_owner: str
    confidence_level: str
    effort_level: str
    priority_score: float
    priority_band: str
    scheduled_week: str
    recommendations: int
    recommendation_ids: str


class ProfileRow(TypedDict):
    """A row of churn_risk_profiles, without the dimensions that the rules add."""

    customer_id: str
    as_of_date: dt.date
    mrr: Decimal
    risk_score: float
    risk_band: str
    revenue_at_risk: Decimal | None
    is_at_risk: int | None
    rules_fired: int
    main_driver: str | None
    main_rule: str | None
    drivers: str | None
    rule_ids: str | None
    signals_known: int
    signals_total: int
    explanation: str


class CustomerRow(TypedDict):
    """A row of customer_360, without the segments that the rules add."""

    customer_id: str
    company_name: str | None
    segment: str | None
    country: str | None
    acquisition_channel: str | None
    signup_date: dt.date
    as_of_date: dt.date
    is_active: bool
    plan: str | None
    subscription_status: str
    current_mrr: Decimal
    total_revenue: Decimal | None
    tenure_days: int
    days_to_renewal: int | None
    latest_usage_frequency: float | None
    usage_change: float | None
    usage_trend: str
    days_since_last_login: int | None
    is_activated: bool | None
    latest_nps: int | None
    support_ticket_count: int | None
    open_ticket_count: int | None
    failed_payment_count: int | None
    churn_risk_score: float | None
    churn_risk_band: str | None
    revenue_at_risk: Decimal | None
    main_driver: str | None
    open_leakage: Decimal | None
    amount_open: Decimal | None
    credit: Decimal | None
    days_past_due: int | None
    open_0_30: Decimal | None
    open_31_60: Decimal | None
    open_61_90: Decimal | None
    open_over_90: Decimal | None
    days_late: int | None
    recommended_action: str | None
    next_action_week: str | None
