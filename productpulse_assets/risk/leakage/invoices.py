"""Leakage of bills that nobody asked for."""

import ibis
import ibis.expr.types as ir
from ibis import _

from productpulse_assets.facts.billing import cycle_months, months_later, paying, whole_months
from productpulse_assets.risk.leakage.cases import Books, as_cases, days
from rules.leakage_rules import LeakageRules

SHORTEST_MONTH_DAYS = 28


def missed_invoice(books: Books, rules: LeakageRules) -> ir.Table:
    """Billing dates in the window without any transaction around them; the loss is what was due."""
    tolerance_days = rules.detectors.missed_invoice.tolerance_days
    bills = _bills(books, rules.window_days, tolerance_days)
    asked = books.transactions.select("subscription_id", "transaction_date")
    missed = bills.anti_join(
        asked,
        [
            bills.subscription_id == asked.subscription_id,
            asked.transaction_date >= bills.earliest,
            asked.transaction_date <= bills.latest,
        ],
    )
    found = missed.mutate(
        estimated_revenue_loss=missed.monthly_price * missed.cycle,
        period_end=months_later(missed.start_date, missed.number * missed.cycle + missed.cycle),
        price=missed.monthly_price,
        transaction_count=ibis.literal(0, "int64"),
        first_date=ibis.null("date"),
        last_date=ibis.null("date"),
    )
    return as_cases(
        found,
        {
            "billing_date": found.period_start,
            "billing_cycle": found.billing_cycle,
            "monthly_price": found.monthly_price,
            "window_days": ibis.literal(rules.window_days),
            "tolerance_days": ibis.literal(tolerance_days),
        },
        "Nothing was collected or tried within " + days(tolerance_days) + " of the billing date {period_start}, "
        "when {{loss}} was due.",
    )


def _bills(books: Books, window_days: int, tolerance_days: int) -> ir.Table:
    """Billing dates that are in the window, older than the tolerance, and covered by the transactions.

    Before the first transaction the export says nothing about bills.
    """
    first = books.transactions.aggregate(first_day=books.transactions.transaction_date.min())
    span = books.day.cross_join(first)
    span = span.select(
        from_day=ibis.greatest(_days_later(span.as_of_date, -window_days), span.first_day),
        to_day=_days_later(span.as_of_date, -tolerance_days),
        has_payments=span.first_day.notnull(),
    )
    bills = _bills_between(paying(books.subscriptions), span.filter(_.has_payments), window_days)
    return bills.mutate(
        earliest=_days_later(bills.period_start, -tolerance_days),
        latest=_days_later(bills.period_start, tolerance_days),
    )


def _bills_between(periods: ir.Table, span: ir.Table, window_days: int) -> ir.Table:
    """The billing dates from `from_day` to `to_day`, as period_start, counted back from the last one."""
    cycled = periods.mutate(cycle=cycle_months(periods)).filter(_.cycle.notnull()).cross_join(span)
    running = cycled.filter(
        cycled.start_date <= cycled.to_day, cycled.end_date.isnull() | (cycled.end_date > cycled.from_day)
    )
    last = running.mutate(last=whole_months(running.start_date, running.to_day) // running.cycle)
    most = window_days // SHORTEST_MONTH_DAYS + 1
    numbered = last.mutate(back=ibis.range(0, most + 1)).unnest("back")
    numbered = numbered.mutate(number=(numbered["last"] - numbered.back).cast("int64")).filter(_.number >= 0)
    dated = numbered.mutate(period_start=months_later(numbered.start_date, numbered.number * numbered.cycle))
    is_due = dated.end_date.isnull() | (dated.period_start < dated.end_date)
    return dated.filter(is_due, dated.period_start >= dated.from_day)


def _days_later(day: ir.DateValue, number: int) -> ir.DateValue:
    return (day + ibis.interval(days=number)).cast("timestamp").cast("date")
