"""Leakage of payments that were given back."""

import ibis
import ibis.expr.types as ir
from ibis import _

from productpulse_assets.facts.billing import with_billed_period
from productpulse_assets.facts.receivables import refund_losses
from productpulse_assets.joins import collect_ordered, left_join_unique
from productpulse_assets.risk.leakage.cases import Books, age, as_cases, counted, counts
from rules.leakage_rules import LeakageRules
from rules.units import MONEY

CASE = ("customer_id", "subscription_id", "period_start", "period_end", "as_of_date")
BILLED = ("subscription_id", "start_date", "end_date", "billing_cycle")


def refund(books: Books, rules: LeakageRules) -> ir.Table:
    """What was refunded in the window, by billing period; a refund of what was paid too much is no loss."""
    losses = refund_losses(books.transactions, books.payment_applications, books.day.select("as_of_date"))
    recent = losses.filter(age(losses, "transaction_date") <= rules.window_days, losses.loss > 0)
    refunds = with_paid_period(recent, books)
    found = refunds.group_by(*CASE).aggregate(
        estimated_revenue_loss=refunds.loss.sum().cast(MONEY),
        **counts(refunds),
        transactions=collect_ordered(refunds.transaction_id, refunds.transaction_date),
    )
    described = found.mutate(times=counted(found.transaction_count, "refund"), price=ibis.null(MONEY))
    return as_cases(
        described,
        {
            "amount": found.estimated_revenue_loss,
            "first_refunded": found.first_date,
            "last_refunded": found.last_date,
            "window_days": ibis.literal(rules.window_days),
        },
        "{{loss}} of the billing period from {period_start} was refunded ({times}, the last on {last_date}).",
    )


def with_paid_period(refunds: ir.Table, books: Books) -> ir.Table:
    """Refunds with the billing period of the payment that they give back.

    That is the newest payment of the same amount before it, else the newest; without one, the period of its day.
    """
    booked = books.account_transactions.select("transaction_id", "contract_line")
    lines = refunds.join(booked, "transaction_id").select(
        "transaction_id", "contract_line", "amount", "transaction_date"
    )
    paid = (
        books.payment_applications.filter(_.bill_id != "")
        .group_by("transaction_id")
        .aggregate(paid_bill=_.bill_id.min())
    )
    payments = books.account_transactions.filter(_.status == "Success").join(paid, "transaction_id")
    payments = payments.select("paid_bill", "contract_line", paid_amount="amount", paid_date="transaction_date")
    pairs = lines.join(payments, "contract_line").filter(_.paid_date <= _.transaction_date)
    order = ibis.struct(
        {
            "same": (pairs.paid_amount == pairs.amount).cast("int64"),
            "day": pairs.paid_date,
            "bill": pairs.paid_bill,
        }
    )
    found = pairs.group_by("transaction_id").aggregate(bill_id=pairs.paid_bill.argmax(order))
    periods = books.bill_balances.select(
        "bill_id", paid_subscription="subscription_id", paid_start="period_start", paid_end="period_end"
    )
    found = found.join(periods, "bill_id").drop("bill_id")
    table = refunds.join(books.subscriptions.select(*BILLED), "subscription_id")
    table = table.pipe(with_billed_period, "transaction_date").pipe(left_join_unique, found, "transaction_id")
    return table.mutate(
        subscription_id=ibis.coalesce(table.paid_subscription, table.subscription_id),
        period_start=ibis.coalesce(table.paid_start, table.period_start),
        period_end=ibis.coalesce(table.paid_end, table.period_end),
    )
