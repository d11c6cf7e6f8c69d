"""Leakage that payments show: those that failed, came short, or were given back."""

from decimal import Decimal

import ibis
import ibis.expr.types as ir

from productpulse_assets.facts.billing import cycle_months, failed_bills, paying, with_billed_period
from productpulse_assets.joins import collect_ordered
from productpulse_assets.risk.leakage.cases import Books, age, as_cases, counted, counts, days
from rules.leakage_rules import LeakageRules
from rules.units import MONEY

BILL = ("customer_id", "subscription_id", "period_start", "period_end", "as_of_date")
BILLED = ("subscription_id", "customer_id", "start_date", "end_date", "billing_cycle")
SHARE, SMALLEST_SHARE = "decimal(18, 6)", Decimal("0.000001")


def failed_payment(books: Books, rules: LeakageRules) -> ir.Table:
    """Bills whose payment failed in the window and was not made good; the loss is the amount."""
    recovery_days = rules.detectors.failed_payment.recovery_days
    bills = failed_bills(books.transactions, books.subscriptions, books.day, rules.window_days, recovery_days)
    bills = bills.rename(
        estimated_revenue_loss="amount",
        first_date="first_failed",
        last_date="last_failed",
        transaction_count="attempts",
    )
    found = _with_payments(bills, books.transactions, "Failed")
    is_over = age(found, "last_date") >= recovery_days
    told = found.mutate(
        times=counted(found.transaction_count, "attempt"),
        price=ibis.null(MONEY),
        until=ibis.ifelse(is_over, f"within {days(recovery_days)}", "so far"),
    )
    return as_cases(
        told,
        {
            "amount": found.estimated_revenue_loss,
            "first_failed": found.first_date,
            "last_failed": found.last_date,
            "window_days": ibis.literal(rules.window_days),
            "recovery_days": ibis.literal(recovery_days),
        },
        "Payment of {{loss}} failed on {first_date} ({times}) and no payment followed {until}.",
    )


def _with_payments(bills: ir.Table, transactions: ir.Table, status: str) -> ir.Table:
    """Bills with what they rest on: all transactions of that status from first_date to last_date.

    None of another bill is among them, as bills follow each other.
    """
    chosen = transactions.filter(transactions.status == status)
    chosen = chosen.select("transaction_id", "transaction_date", paid_id="subscription_id")
    paid = bills.join(
        chosen,
        [
            bills.subscription_id == chosen.paid_id,
            chosen.transaction_date >= bills.first_date,
            chosen.transaction_date <= bills.last_date,
        ],
    )
    return paid.group_by(*bills.columns).aggregate(
        transactions=collect_ordered(paid.transaction_id, paid.transaction_date)
    )


def underbilled_subscription(books: Books, rules: LeakageRules) -> ir.Table:
    """Billing periods paid for in the window by less than their price; the loss is the difference."""
    rate = Decimal(str(rules.detectors.underbilled_subscription.tolerance_rate)).quantize(SMALLEST_SHARE)
    periods = paying(books.subscriptions)
    periods = periods.mutate(due=(periods.monthly_price * cycle_months(periods)).cast(MONEY))
    payments = books.payments("Success").join(periods.select(*BILLED, "due"), "subscription_id")
    payments = payments.filter(payments.due.notnull()).pipe(with_billed_period, "transaction_date")
    bills = payments.group_by(*BILL, "due").aggregate(paid=payments.amount.sum().cast(MONEY), **counts(payments))
    enough = bills.due * ibis.literal(1 - rate, SHARE)
    short = bills.filter((bills.paid < enough) & (age(bills, "last_date") <= rules.window_days))
    short = short.mutate(estimated_revenue_loss=short.due - short.paid)
    found = _with_payments(short, books.transactions, "Success")
    told = found.mutate(times=counted(found.transaction_count, "payment"), price=found.due)
    return as_cases(
        told,
        {
            "due": found.due,
            "paid": found.paid,
            "first_paid": found.first_date,
            "last_paid": found.last_date,
            "window_days": ibis.literal(rules.window_days),
            "tolerance_rate": ibis.literal(rate, SHARE),
        },
        "{{loss}} of {{price}} due for the billing period from {period_start} was not paid "
        "({times}, the last on {last_date}).",
    )


def refund(books: Books, rules: LeakageRules) -> ir.Table:
    """What was refunded in the window, by billing period."""
    refunds = books.payments("Refunded")
    refunds = refunds.filter(age(refunds, "transaction_date") <= rules.window_days)
    refunds = refunds.join(books.subscriptions.select(*BILLED), "subscription_id")
    refunds = refunds.pipe(with_billed_period, "transaction_date")
    bills = refunds.group_by(*BILL).aggregate(
        estimated_revenue_loss=refunds.amount.sum().cast(MONEY), **counts(refunds)
    )
    found = _with_payments(bills, books.transactions, "Refunded")
    told = found.mutate(times=counted(found.transaction_count, "refund"), price=ibis.null(MONEY))
    return as_cases(
        told,
        {
            "amount": found.estimated_revenue_loss,
            "first_refunded": found.first_date,
            "last_refunded": found.last_date,
            "window_days": ibis.literal(rules.window_days),
        },
        "{{loss}} of the billing period from {period_start} was refunded ({times}, the last on {last_date}).",
    )
