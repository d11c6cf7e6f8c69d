"""The month at which a metric is read, and the number of months that it covers."""

from __future__ import annotations

from typing import Literal

from rules.metrics.models import Derived, Measure, Metric, MetricCatalog, Trailing
from rules.mrr_policy import CAUSES

AS_OF, LAST_COMPLETE, CURRENT = "as_of", "last_complete_month", "current"

Reading = Literal["opening", "closing", "flow"]
"""The months of a range that a measure reads: the first one, the last one with those its period covers, or all."""

OPENING_COLUMNS = frozenset({"mrr_start", "paying_start"})
"""Columns of customer_months that describe the start of a month: in a range, that of its first month."""

CLOSING_COLUMNS = frozenset(
    {
        "mrr_end", "paying_end", "mrr_12m_ago", "mrr_kept_12m", "mrr_retained_12m",
        "key_actions_to_date", "is_activated", "days_to_first_key_action", "months_since_cohort",
        "mrr_gross_profit", "on_trial_end",
    }
)  # fmt: skip
"""Columns of customer_months that describe the end of a month: in a range, that of its last month."""

FLOW_COLUMNS = frozenset(
    {
        "mrr_new", "mrr_reactivation", "mrr_expansion", "mrr_contraction", "mrr_churned", "mrr_fx",
        *(f"mrr_{whole}_{cause}" for whole in ("expansion", "contraction") for cause in CAUSES),
        "mrr_churned_voluntary", "mrr_churned_involuntary", "mrr_churned_unknown",
        "is_churned_voluntary", "is_churned_involuntary",
        "is_new", "is_reactivated", "is_churned",
        "amount_collected", "amount_failed", "amount_refunded", "payments_succeeded", "payments_failed",
        "logins", "key_actions", "features_used_sum", "usage_records", "acquisition_cost",
        "tickets_opened", "nps_responses", "nps_score_sum", "nps_promoters", "nps_detractors",
    }
)  # fmt: skip
"""Columns of customer_months that add up over the months of a range."""


def reading_of(metric: Metric, measure: Measure) -> Reading:
    """Which months of a range a measure of the metric reads.

    A stock (as_of) and a trailing period end with the last month. Otherwise the column decides; where it is none of
    these three, such as customer_id, the columns of the filter do. Without such a column, all months are read.
    """
    if metric.period != LAST_COMPLETE:
        return "closing"
    known = OPENING_COLUMNS | CLOSING_COLUMNS | FLOW_COLUMNS
    columns = {measure.column} if measure.column in known else {rule.column for rule in measure.where}
    if columns & FLOW_COLUMNS:
        return "flow"
    return "closing" if columns & CLOSING_COLUMNS else "opening" if columns & OPENING_COLUMNS else "flow"


def months_covered(metric: Metric) -> int:
    """The number of months that a measure or ratio covers, with the month at which it is read."""
    return metric.period.trailing_complete_months if isinstance(metric.period, Trailing) else 1


def operand_names(formula: Derived) -> list[str]:
    """The metrics that a derived formula refers to, in the order of the formula."""
    names: list[str] = []
    for operand in formula.operands:
        if isinstance(operand, str):
            names.append(operand)
        elif isinstance(operand, Derived):
            names += operand_names(operand)
    return names


def read_at(catalog: MetricCatalog, name: str) -> str:
    """The month that has the metric's current value: AS_OF, LAST_COMPLETE or CURRENT.

    If one operand of a derived metric is read at the last complete month, all of them are, so that a value of an
    incomplete month is never divided by one of a complete month.
    """
    metric = catalog.metrics[name]
    if isinstance(metric.formula, Derived):
        places = {read_at(catalog, operand) for operand in operand_names(metric.formula)}
        return LAST_COMPLETE if LAST_COMPLETE in places else AS_OF if AS_OF in places else CURRENT
    if metric.period is None or isinstance(metric.period, Trailing):  # only derived metrics have no period
        return LAST_COMPLETE
    return metric.period


def longest_period(catalog: MetricCatalog, name: str) -> int:
    """The largest number of months that the metric or one of its operands covers."""
    metric = catalog.metrics[name]
    if isinstance(metric.formula, Derived):
        return max((longest_period(catalog, operand) for operand in operand_names(metric.formula)), default=1)
    return months_covered(metric)
