"""The most common filters of the plan, one click each."""

from __future__ import annotations

from collections.abc import Callable

import ibis.expr.types as ir

QUICK_VIEWS: dict[str, Callable[[ir.Table, str | None], ir.BooleanValue | None]] = {
    "All": lambda plan, week: None,
    "Critical & High": lambda plan, week: plan.priority_band.isin(["Critical", "High"]),
    "Quick wins": lambda plan, week: (plan.effort_level == "Low") & (plan.confidence_level == "High"),
    "Billing recovery": lambda plan, week: plan.category == "Billing Recovery",
    "Retention": lambda plan, week: plan.category == "Retention",
    "This week": lambda plan, week: plan.scheduled_week == week,
}
"""By name, the condition for an intervention; `week` is the first week of the plan."""


def apply_quick_view(plan: ir.Table, view: str, week: str | None) -> ir.Table:
    """The interventions of a quick view."""
    condition = QUICK_VIEWS[view](plan, week)
    return plan if condition is None else plan.filter(condition)
