"""The windows of days that signals are computed over, and the subscription periods that run on a day."""

import ibis.expr.types as ir

RECENT_DAYS, BASELINE_DAYS = 28, 84
"""Product usage: the recent days, which end with the as-of date, and the baseline days before them."""

PAYMENT_DAYS, DOWNGRADE_DAYS, TICKET_DAYS, NPS_DAYS = 90, 90, 90, 365
"""How far back failed payments, downgrades, tickets and NPS answers count, in days before the as-of date."""

RENEWAL_DAYS = 90
"""How far ahead of the as-of date MRR is up for renewal, in days."""

CHURN_MONTHS = 12
"""The months, the as-of month included, of which the reasons for churn are listed."""


def active_on(
    periods: ir.Table, day: ir.DateValue, start: str = "start_date", end: str = "end_date"
) -> ir.BooleanValue:
    """Whether a period runs on `day`; its `end` is the first day after it."""
    return (periods[start] <= day) & (periods[end].isnull() | (periods[end] > day))
