"""The groups of the graph and their tables, in the order in which a run computes them."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from productpulse_assets.decisions.changes import decision_changes, previous_decisions
from productpulse_assets.decisions.customer_360 import customer_360
from productpulse_assets.decisions.interventions import intervention_plan, owner_workload
from productpulse_assets.decisions.recommendations import recommendations
from productpulse_assets.decisions.scenarios import scenario_analysis
from productpulse_assets.decisions.traces import decision_traces
from productpulse_assets.facts.acquisition_costs import acquisition_costs
from productpulse_assets.facts.billing_schedules import billing_schedules
from productpulse_assets.facts.bills import bills
from productpulse_assets.facts.calendar import calendar
from productpulse_assets.facts.contract_lines import contract_lines
from productpulse_assets.facts.contract_terms import contract_terms
from productpulse_assets.facts.coverage import fact_coverage
from productpulse_assets.facts.customer_months import customer_months
from productpulse_assets.facts.customer_movements import customer_movements
from productpulse_assets.facts.customer_signals import customer_signals
from productpulse_assets.facts.mrr_changes import mrr_changes
from productpulse_assets.facts.mrr_periods import mrr_periods
from productpulse_assets.facts.payment_applications import account_transactions, payment_applications
from productpulse_assets.facts.receivables import bill_balances, receivables
from productpulse_assets.facts.trials import trial_conversion, trials
from productpulse_assets.metrics.churn_reasons import churn_reasons
from productpulse_assets.metrics.cohorts import cohort_summary, funnel_summary, segment_funnel
from productpulse_assets.metrics.data_quality import data_quality_scores
from productpulse_assets.metrics.forecast import forecast_backtest, revenue_forecast
from productpulse_assets.metrics.health import health_scores
from productpulse_assets.metrics.kpis import kpi_history, kpi_summary, metric_lineage
from productpulse_assets.metrics.mrr_policy_choices import mrr_policy_choices
from productpulse_assets.metrics.recorded import recorded_metrics
from productpulse_assets.metrics.segments import kpi_by_segment, revenue_drivers
from productpulse_assets.metrics.survival import survival_curves, survival_summary
from productpulse_assets.metrics.survival_projection import survival_projection
from productpulse_assets.reports.business_questions import business_questions
from productpulse_assets.reports.data_quality_report import data_quality_report
from productpulse_assets.reports.executive_report import executive_report
from productpulse_assets.reports.executive_summary import executive_summary
from productpulse_assets.reports.intervention_plan import intervention_plan_report
from productpulse_assets.reports.metric_definitions import metric_definitions
from productpulse_assets.reports.risk_register import risk_register
from productpulse_assets.risk.churn import churn_evidence, churn_risk_profiles
from productpulse_assets.risk.history import history_days, recorded_risk, risk_history
from productpulse_assets.risk.leakage.assets import leakage_summary, revenue_leakage
from productpulse_assets.risk.lookback import churn_lookback
from productpulse_assets.risk.renewals import renewals
from productpulse_assets.tables import Declaration, declaration_of

TABLES: dict[str, tuple[Callable[..., Any], ...]] = {
    "facts": (
        calendar, contract_lines, billing_schedules, bills, account_transactions, payment_applications,
        bill_balances, receivables, contract_terms, mrr_periods, mrr_changes, customer_months, acquisition_costs,
        customer_movements, trials, trial_conversion, fact_coverage, customer_signals,
    ),
    "risk": (
        churn_evidence, churn_risk_profiles, revenue_leakage, leakage_summary, renewals, churn_lookback,
        recorded_risk, risk_history, history_days,
    ),
    "metrics": (
        cohort_summary, survival_curves, survival_summary, survival_projection, funnel_summary, segment_funnel,
        revenue_drivers, revenue_forecast, forecast_backtest, data_quality_scores,
        metric_lineage, recorded_metrics, kpi_history, kpi_summary, kpi_by_segment, health_scores,
        mrr_policy_choices, churn_reasons,
    ),
    "decisions": (
        recommendations, intervention_plan, owner_workload, previous_decisions, decision_changes,
        decision_traces, customer_360, scenario_analysis,
    ),
    "reports": (
        executive_summary, executive_report, intervention_plan_report, risk_register, metric_definitions,
        data_quality_report, business_questions,
    ),
}  # fmt: skip
"""By group: its functions. The sources before them and what is published after them are assets of their own."""

MODELS = (
    "customer_months", "customer_signals", "churn_risk_profiles", "revenue_leakage", "leakage_summary",
    "data_quality_scores", "receivables", "renewals", "acquisition_costs",
)  # fmt: skip
"""The tables that metrics may aggregate."""

SNAPSHOT_ONLY = (
    "contract_lines", "contract_terms", "billing_schedules", "bills", "account_transactions", "recorded_risk",
)  # fmt: skip
"""Tables of the snapshot that are not exported as files, which would cost a fifth of the ledger's time.

They are steps to `bill_balances`, which has every column of `bills`, to `payment_applications` and to `risk_history`.
"""


def declarations(group: str) -> list[Declaration]:
    """What the functions of a group declare, in the order of computing them."""
    return [declaration_of(function) for function in TABLES[group]]


def all_declarations() -> list[Declaration]:
    """What every function declares, in the order of computing them."""
    return [declaration for group in TABLES for declaration in declarations(group)]
