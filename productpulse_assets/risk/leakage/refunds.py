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
    order = ("same", "day", "bill")
    pairs = payments_before(refunds, books)
    found = pairs.group_by("transaction_id").aggregate(
        bill_id=pairs.paid_bill.argmax(ibis.struct({name: pairs[name] for name in order}))
    )
    periods = books.bill_balances.select(
        "bill_id", paid_subscription="subscription_id", paid_start="period_start", paid_end="period_end"
    )
    found = found.join(periods, "bill_id").drop("bill_id")
    table = refunds.pipe(left_join_unique, found, "transaction_id").pipe(with_subscription, books)
    table = table.join(books.subscriptions.select(*BILLED), "subscription_id")
    table = table.pipe(with_billed_period, "transaction_date")
    return table.mutate(
        subscription_id=ibis.coalesce(table.paid_subscription, table.subscription_id),
        period_start=ibis.coalesce(table.paid_start, table.period_start),
        period_end=ibis.coalesce(table.paid_end, table.period_end),
    )


def payments_before(refunds: ir.Table, books: Books) -> ir.Table:
    """Each refund with the earlier payments of its contract line; of its account, where nothing tells the line."""
    booked = books.account_transactions.select("transaction_id", "contract_line", "currency")
    lines = refunds.join(booked, "transaction_id").select(
        "transaction_id", "customer_id", "currency", "contract_line", "amount", "transaction_date", "subscription_id"
    )
    is_unknown = lines.contract_line.isnull() & lines.subscription_id.isnull()
    paid = (
        books.payment_applications.filter(_.bill_id != "")
        .group_by("transaction_id")
        .aggregate(paid_bill=_.bill_id.min())
    )
    payments = books.account_transactions.filter(_.status == "Success").join(paid, "transaction_id")
    payments = payments.select(
        "customer_id", "currency", "contract_line", "paid_bill", paid_amount="amount", paid_date="transaction_date"
    )
    columns = ("transaction_id", "amount", "transaction_date", "paid_bill", "paid_amount", "paid_date")
    of_line = lines.drop("customer_id", "currency").join(payments, "contract_line").select(*columns)
    of_account = lines.filter(is_unknown).drop("contract_line").join(payments, ["customer_id", "currency"])
    pairs = ibis.union(of_line, of_account.select(*columns)).filter(_.paid_date <= _.transaction_date)
    return pairs.select(
        "transaction_id",
        "paid_bill",
        same=(pairs.paid_amount == pairs.amount).cast("int64"),
        day=pairs.paid_date,
        bill=pairs.paid_bill,
    )


def with_subscription(refunds: ir.Table, books: Books) -> ir.Table:
    """Refunds with a subscription also where they name none: that of the payment, else the customer's newest one."""
    unnamed = refunds.filter(_.subscription_id.isnull()).select("transaction_id", "customer_id", "transaction_date")
    periods = books.subscriptions.select("customer_id", "start_date", newest="subscription_id")
    pairs = unnamed.join(periods, "customer_id")
    has_begun = (pairs.start_date <= pairs.transaction_date).cast("int64")
    order = ibis.struct({"has_begun": has_begun, "start": pairs.start_date, "id": pairs.newest})
    newest = pairs.group_by("transaction_id").aggregate(newest=pairs.newest.argmax(order))
    table = refunds.pipe(left_join_unique, newest, "transaction_id")
    return table.mutate(subscription_id=table.subscription_id.coalesce(table.paid_subscription, table.newest)).drop(
        "newest"
    )
