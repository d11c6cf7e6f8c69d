"""Signals of each paying customer: contract, usage, tickets, NPS and payments up to an as-of date."""

import ibis.expr.types as ir

from productpulse_assets.facts.calendar import as_of_day
from productpulse_assets.facts.signals_contract import paying_customers, with_downgrade, with_failed_payments
from productpulse_assets.facts.signals_usage import CUSTOMER_DAY, with_usage
from productpulse_assets.facts.signals_voice import with_nps, with_tickets
from productpulse_assets.tables import table
from rules.rule_set import Rules


@table(group="facts", owner="team:customer-success", key=("customer_id", "as_of_date"))
def customer_signals(
    customers: ir.Table,
    subscriptions: ir.Table,
    transactions: ir.Table,
    product_usage: ir.Table,
    support_tickets: ir.Table,
    nps_scores: ir.Table,
    bill_balances: ir.Table,
    contract_terms: ir.Table,
    calendar: ir.Table,
    mrr_periods: ir.Table,
    rules: Rules,
) -> ir.Table:
    """One row per customer paying at the as-of date: every signal that a churn rule can use.

    Windows are days back from the as-of date, which is included. A signal whose dataset or column
    is absent or ends long before the as-of date, or that needs more history than the customer has,
    is NULL, never 0.
    """
    days = as_of_day(calendar)
    spine = paying_customers(customers, subscriptions, mrr_periods, contract_terms, days)
    signals = with_behaviour(
        spine, mrr_periods, transactions, product_usage, support_tickets, nps_scores, bill_balances, days, rules
    )
    return signals.select(*columns(rules.dimensions))


def with_behaviour(
    spine: ir.Table,
    mrr_periods: ir.Table,
    transactions: ir.Table,
    product_usage: ir.Table,
    support_tickets: ir.Table,
    nps_scores: ir.Table,
    bill_balances: ir.Table,
    days: ir.Table,
    rules: Rules,
) -> ir.Table:
    """Add to each (customer_id, as_of_date) of `spine`: downgrade, usage, tickets, NPS and failed payments by then."""
    keys = spine.select(CUSTOMER_DAY)  # only the keys: DuckDB writes out in full what a query reads twice
    return (
        spine.pipe(with_downgrade, keys, mrr_periods)
        .pipe(with_usage, keys, product_usage, days, rules)
        .pipe(with_tickets, keys, support_tickets, days, rules)
        .pipe(with_nps, keys, nps_scores)
        .pipe(with_failed_payments, transactions, bill_balances, days)
    )


def columns(dimensions: tuple[str, ...]) -> tuple[str, ...]:
    """The columns of the table, in order."""
    return (
        "customer_id", "as_of_date", *dimensions, "mrr", "tenure_days", "days_to_renewal", "is_activated",
        "logins_recent", "logins_baseline", "usage_change",
        "key_actions_recent", "key_actions_baseline", "key_action_change", "days_since_last_login",
        "latest_nps_score", "nps_age_days", "failed_payment_count",
        "support_ticket_count", "urgent_ticket_count", "open_ticket_count", "open_urgent_ticket_count",
        "downgraded_recently", "is_past_due",
        "mrr_up_for_renewal", "cancellation_scheduled", "cancellation_date", "mrr_scheduled_to_end",
    )  # fmt: skip
