"""The source of each signal: its dataset, its window of days, and the rows that it is computed from."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import ibis.expr.types as ir

from rules.churn_rules import ChurnRules
from rules.windows import (
    BASELINE_DAYS,
    DOWNGRADE_DAYS,
    NPS_DAYS,
    PAYMENT_DAYS,
    RECENT_DAYS,
    TICKET_DAYS,
    active_on,
)


@dataclass(frozen=True)
class Source:
    """The rows of `dataset` whose column `day` is in the last `days` days; None for all days up to the as-of date.

    Of these, only the rows for which `keep` is true count: a function of the rows, the as-of date and the churn
    rules.
    """

    dataset: str
    window: str
    day: str
    days: int | None = None
    keep: Callable[[ir.Table, ir.DateValue, ChurnRules], ir.BooleanValue] | None = None


def _is_running(periods: ir.Table, day: ir.DateValue, _rules: ChurnRules) -> ir.BooleanValue:
    return active_on(periods, day) & (periods.status != "Trial")


def _is_ending(periods: ir.Table, day: ir.DateValue, rules: ChurnRules) -> ir.BooleanValue:
    return _is_running(periods, day, rules) & (periods.cancel_at > day)


def _is_open(tickets: ir.Table, day: ir.DateValue, rules: ChurnRules) -> ir.BooleanValue:
    has_closed_status = tickets.status.lower().isin(rules.tickets.closed_statuses)
    return (tickets.date_closed > day).fill_null(~has_closed_status)


def _is_failed(payments: ir.Table, _day: ir.DateValue, _rules: ChurnRules) -> ir.BooleanValue:
    return payments.status == "Failed"


def _has_logins(usage: ir.Table, _day: ir.DateValue, _rules: ChurnRules) -> ir.BooleanValue:
    return usage.logins > 0


_USAGE = "product_usage"
_AGAINST_BASELINE = f"last {RECENT_DAYS} days against the {BASELINE_DAYS} before"
_RECENT = Source(_USAGE, f"last {RECENT_DAYS} days", "date", RECENT_DAYS - 1)
_BASELINE = Source(
    _USAGE, f"the {BASELINE_DAYS} days before the last {RECENT_DAYS}", "date", RECENT_DAYS + BASELINE_DAYS - 1
)
_CHANGE = Source(_USAGE, _AGAINST_BASELINE, "date", RECENT_DAYS + BASELINE_DAYS - 1)
_TICKETS = Source("support_tickets", f"last {TICKET_DAYS} days", "date_opened", TICKET_DAYS)
_OPEN_TICKETS = Source("support_tickets", "open at the as-of date", "date_opened", keep=_is_open)
_NPS = Source("nps_scores", f"last {NPS_DAYS} days", "date", NPS_DAYS)
_CUSTOMER = Source("customers", "at the as-of date", "signup_date")
_CONTRACT = Source("subscriptions", "running at the as-of date", "start_date", keep=_is_running)
_CANCELLATION = Source("subscriptions", "with a cancellation scheduled", "start_date", keep=_is_ending)

SIGNAL_SOURCES = {
    "plan": _CONTRACT,
    "mrr": _CONTRACT,
    "tenure_days": _CUSTOMER,
    "days_to_renewal": _CONTRACT,
    "is_activated": Source(_USAGE, "since signup", "date"),
    "logins_recent": _RECENT,
    "logins_baseline": _BASELINE,
    "usage_change": _CHANGE,
    "key_actions_recent": _RECENT,
    "key_actions_baseline": _BASELINE,
    "key_action_change": _CHANGE,
    "days_since_last_login": Source(_USAGE, "with logins, since signup", "date", keep=_has_logins),
    "latest_nps_score": _NPS,
    "nps_age_days": _NPS,
    "failed_payment_count": Source(
        "transactions", f"failed in the last {PAYMENT_DAYS} days", "transaction_date", PAYMENT_DAYS, _is_failed
    ),
    "support_ticket_count": _TICKETS,
    "urgent_ticket_count": _TICKETS,
    "open_ticket_count": _OPEN_TICKETS,
    "open_urgent_ticket_count": _OPEN_TICKETS,
    "downgraded_recently": Source("subscriptions", f"last {DOWNGRADE_DAYS} days", "start_date", DOWNGRADE_DAYS),
    "is_past_due": _CONTRACT,
    "mrr_up_for_renewal": _CONTRACT,
    "cancellation_scheduled": _CANCELLATION,
    "cancellation_date": _CANCELLATION,
    "mrr_scheduled_to_end": _CANCELLATION,
}
"""By signal; every other column of customer_signals is an attribute of the customer."""


def source_of(signal: str) -> Source:
    """The source of a signal."""
    return SIGNAL_SOURCES.get(signal, _CUSTOMER)
