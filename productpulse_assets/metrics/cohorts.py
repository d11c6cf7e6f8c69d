"""Retention of each cohort, and the funnel from signup to the second paid month."""

import ibis.expr.types as ir

from productpulse_assets.metrics.cohort_cells import cohort_cells
from productpulse_assets.metrics.funnel_steps import funnel, funnel_of_all, steps_reached
from productpulse_assets.tables import table
from rules.rule_set import Rules


@table(group="metrics", owner="team:product", key=("segment", "is_total", "cohort_month", "months_since_cohort"))
def cohort_summary(customer_months: ir.Table) -> ir.Table:
    """One row per segment, cohort and month since: how many customers still pay, and how much.

    A cohort is the customers with the same first paying month. is_total marks the rows of all segments
    together; their segment is 'All', as a company may call a segment too.
    customers is the cohort's size, retained_customers those who pay at the month's end;
    retention_rate is in [0, 1], mrr_retention_rate (of the cohort's first MRR) in [0, inf).
    """
    return cohort_cells(customer_months)


@table(group="metrics", owner="team:product", key=("step_number",))
def funnel_summary(customer_months: ir.Table, calendar: ir.Table, rules: Rules) -> ir.Table:
    """From signup to the second paid month: one row per step, over all customers to date.

    A customer is in a step only if it is in all steps before. conversion_rate = users /
    previous_step_users; the last step counts only customers whose second month is complete.
    is_bottleneck marks the lowest conversion. Without usage data the steps from the first key
    action on are NULL.
    """
    return funnel_of_all(steps_reached(customer_months, calendar, rules))


@table(group="metrics", owner="team:product", key=("segment", "step_number"))
def segment_funnel(customer_months: ir.Table, calendar: ir.Table, rules: Rules) -> ir.Table:
    """The funnel of each segment: one row per (segment, step); see funnel_summary."""
    return funnel(steps_reached(customer_months, calendar, rules))
