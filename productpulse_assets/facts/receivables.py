"""What customers owe: every bill with what was paid of it, and the accounts with their aging."""

from decimal import Decimal

import ibis
import ibis.expr.types as ir
from ibis import _

from productpulse_assets.facts.billing_schedules import MONTH_DAYS, PRORATION_DAYS
from productpulse_assets.facts.calendar import as_of_day
from productpulse_assets.facts.payment_applications import ACCOUNT, OLDEST, with_paid_until
from productpulse_assets.joins import left_join_unique
from productpulse_assets.tables import table
from rules.rule_set import Rules
from rules.units import MONEY

INVOICE = ("customer_id", "currency", "billing_date")
SHARE, SMALLEST_SHARE = "decimal(18, 6)", Decimal("0.000001")
BILLED_DAYS = 90
"""The days over which what was billed is compared with what is open, for days sales outstanding."""

AGING = (("open_0_30", 0, 30), ("open_31_60", 31, 60), ("open_61_90", 61, 90), ("open_over_90", 91, None))
"""The columns of the open amounts by their days past due, both ends included."""


@table(group="facts", owner="team:finance", key=("bill_id",))
def bill_balances(
    bills: ir.Table,
    payment_applications: ir.Table,
    account_transactions: ir.Table,
    transactions: ir.Table,
    calendar: ir.Table,
    rules: Rules,
) -> ir.Table:
    """One row per bill: what was paid of it, what is open, and the attempts to collect it that failed.

    is_settled is whether no more is open than the tolerance of leakage_rules.yaml or, of a part of a period, than
    two ways of counting its days differ by. settled_date is then the day of its last payment, and days_late the
    days from the due date to it: a remark, never a loss.
    """
    day = as_of_day(calendar).select("as_of_date")
    applied = applied_amounts(payment_applications)
    unnamed = account_transactions.semi_join(transactions.filter(_.subscription_id.isnull()), "transaction_id")
    tried = attempts(account_transactions, payment_applications, bills, unnamed)
    table = bills.left_join(applied, "bill_id").select(
        *bills.columns, *[name for name in applied.columns if name != "bill_id"]
    )
    table = table.left_join(tried, "bill_id").select(
        *table.columns, *[name for name in tried.columns if name != "bill_id"]
    )
    nothing = ibis.literal(0).cast(MONEY)
    table = table.cross_join(day)
    table = table.mutate(
        amount_applied=table.amount_applied.fill_null(nothing),
        payment_count=table.payment_count.fill_null(0),
        failed_count=table.failed_count.fill_null(0),
    )
    table = table.mutate(amount_open=(table.amount_due - table.amount_applied).cast(MONEY))
    rate = rules.leakage_rules.detectors.underbilled_subscription.tolerance_rate
    table = table.mutate(is_settled=is_within_tolerance(table, rate))
    paid_late = ibis.greatest(table.last_paid.delta(table.due_date, unit="day"), 0)
    past_due = ibis.greatest(table.as_of_date.delta(table.due_date, unit="day"), 0)
    return table.mutate(
        settled_date=ibis.ifelse(table.is_settled, table.last_paid, ibis.null("date")),
        days_late=ibis.ifelse(table.is_settled, paid_late, ibis.null("int64")),
        days_past_due=ibis.ifelse(table.is_settled, ibis.null("int64"), past_due),
    ).drop("as_of_date")


def applied_amounts(applications: ir.Table) -> ir.Table:
    """By bill: what was paid of it, and when."""
    settled = applications.filter(_.bill_id != "")
    return settled.group_by("bill_id").aggregate(
        amount_applied=_.amount_applied.sum().cast(MONEY),
        first_paid=_.transaction_date.min(),
        last_paid=_.transaction_date.max(),
    )


def is_within_tolerance(bills: ir.Table, rate: float) -> ir.BooleanValue:
    """Whether so little of a bill is open that nothing is wrong."""
    share = ibis.literal(Decimal(str(rate)).quantize(SMALLEST_SHARE), SHARE)
    is_partial = bills.is_prorated | (bills.basis == "changed")
    days = bills.monthly_price.cast("float64") * PRORATION_DAYS / MONTH_DAYS
    return (bills.amount_open <= bills.amount_due * share) | (is_partial & (bills.amount_open.cast("float64") <= days))


def attempts(transactions: ir.Table, applications: ir.Table, bills: ir.Table, unnamed: ir.Table) -> ir.Table:
    """By bill: the failed attempts to collect it, and payment_count, the payments made for it.

    Credit from before the bill is no payment for it. A contract line under which no transaction is ever booked is
    billed on one invoice with the customer's others: attempts and payments of the same billing date are its own.
    `unnamed` transactions name no subscription.
    """
    own = transactions.filter(_.bill_id != "", _.status != "Refunded").select("bill_id", "status", "transaction_date")
    late = applications.filter(_.step == OLDEST).select("bill_id", "transaction_date")
    late = late.join(bills.select("bill_id", "paid_from"), "bill_id").filter(_.transaction_date >= _.paid_from)
    late = late.select("bill_id", "transaction_date", status=ibis.literal("Success"))
    booked = transactions.select("contract_line").distinct()
    silent = bills.anti_join(booked, "contract_line").select("bill_id", *INVOICE)
    billed = own.join(bills.select("bill_id", *INVOICE), "bill_id").drop("bill_id")
    joint = silent.join(billed, list(INVOICE)).select("bill_id", "status", "transaction_date")
    known = ibis.union(own, late.select(*own.columns), joint.select(*own.columns))
    tried = ibis.union(known, for_any_bill(unnamed, bills, known).select(*own.columns))
    is_failed = tried.status == "Failed"
    return tried.group_by("bill_id").aggregate(
        payment_count=(~is_failed).sum(),
        failed_count=is_failed.sum(),
        first_failed=tried.transaction_date.min(where=is_failed),
        last_failed=tried.transaction_date.max(where=is_failed),
    )


def for_any_bill(unnamed: ir.Table, bills: ir.Table, known: ir.Table) -> ir.Table:
    """Attempts and payments for which nothing tells the line, with each bill without `known` ones that they may be for.

    For none of these bills is it certain that there was no attempt to collect it.
    """
    tried = unnamed.filter(_.status != "Refunded", _.contract_line.isnull()).drop("bill_id", "contract_line")
    dated = with_paid_until(bills).select(*ACCOUNT, "bill_id", "paid_from", "paid_until").anti_join(known, "bill_id")
    return tried.join(
        dated,
        [
            *(tried[name] == dated[name] for name in ACCOUNT),
            tried.transaction_date >= dated.paid_from,
            tried.transaction_date < dated.paid_until,
        ],
    )


@table(group="facts", owner="team:finance", key=("customer_id",))
def receivables(
    customers: ir.Table,
    bill_balances: ir.Table,
    payment_applications: ir.Table,
    transactions: ir.Table,
    calendar: ir.Table,
) -> ir.Table:
    """One row per customer: what was due, what was paid of it, and what is open, by days past due.

    Amounts are in the reporting currency; NULL for a customer without a bill. amount_due is amount_applied and
    amount_open, amount_collected is amount_applied and credit, to the cent. credit_refunded is the part of
    the credit that refunds gave back. oldest_open_due_date and days_past_due are of the oldest bill that is not
    settled.
    """
    day = as_of_day(calendar).select("as_of_date")
    table = (
        customers.select("customer_id")
        .pipe(left_join_unique, open_amounts(bill_balances, day))
        .pipe(left_join_unique, collected_amounts(payment_applications))
        .pipe(left_join_unique, refunded_amounts(transactions, payment_applications, day))
    )
    has_bills = table.amount_due.notnull()
    amounts = ("amount_collected", "credit", "amount_refunded", "credit_refunded")
    zero = ibis.literal(0).cast(MONEY)
    return table.mutate(
        **{name: ibis.ifelse(has_bills, table[name].fill_null(zero), ibis.null(MONEY)).cast(MONEY) for name in amounts}
    ).select(*RECEIVABLES)


RECEIVABLES = (
    "customer_id", "amount_due", "amount_applied", "amount_open", "amount_collected", "credit", "amount_refunded",
    "credit_refunded", "amount_due_90_days", "open_bills", "oldest_open_due_date", "days_past_due",
    *(name for name, _first, _last in AGING), "bills_paid_late", "days_late",
)  # fmt: skip


def open_amounts(balances: ir.Table, day: ir.Table) -> ir.Table:
    """By customer: the sums of its bills, and what is open by days past due."""
    table = balances.cross_join(day)
    age = ibis.greatest(table.as_of_date.delta(table.due_date, unit="day"), 0)
    is_recent = table.as_of_date.delta(table.billing_date, unit="day") < BILLED_DAYS
    is_late = table.is_settled & (table.days_late > 0)

    def total(column: ir.DecimalColumn, where: ir.BooleanValue | None = None) -> ir.DecimalScalar:
        return column.sum(where=where).fill_null(0).cast(MONEY)

    aging = {
        name: total(table.amount_open, (age >= first) if last is None else age.between(first, last))
        for name, first, last in AGING
    }
    return table.group_by("customer_id").aggregate(
        amount_due=total(table.amount_due),
        amount_applied=total(table.amount_applied),
        amount_open=total(table.amount_open),
        amount_due_90_days=total(table.amount_due, is_recent),
        open_bills=(~table.is_settled).sum(),
        oldest_open_due_date=table.due_date.min(where=~table.is_settled),
        days_past_due=table.days_past_due.max(),
        bills_paid_late=is_late.sum(),
        days_late=table.days_late.max(where=is_late),
        **aging,
    )


def collected_amounts(applications: ir.Table) -> ir.Table:
    """By customer: all that its payments brought, and what of it settled no bill."""
    is_unused = applications.bill_id == ""
    return applications.group_by("customer_id").aggregate(
        amount_collected=applications.amount_applied.sum().cast(MONEY),
        credit=applications.amount_applied.sum(where=is_unused).fill_null(0).cast(MONEY),
    )


def refunded_amounts(transactions: ir.Table, applications: ir.Table, day: ir.Table) -> ir.Table:
    """By customer: what was refunded, and how much of it was credit."""
    refunds = refund_losses(transactions, applications, day)
    return refunds.group_by("customer_id").aggregate(
        amount_refunded=_.amount.sum().cast(MONEY), credit_refunded=(_.amount - _.loss).sum().cast(MONEY)
    )


def refund_losses(transactions: ir.Table, applications: ir.Table, day: ir.Table) -> ir.Table:
    """Refunds with `loss`: what was given back, but for a payment that settled nothing.

    A payment of the wrong amount that was given back and made again, or one made twice, loses nothing.
    """
    past = transactions.cross_join(day).filter(_.status == "Refunded", _.transaction_date <= _.as_of_date)
    refunds = past.select(
        "transaction_id", "customer_id", "subscription_id", "amount", "transaction_date", "as_of_date"
    )
    returned = applications.filter(_.refund_id.notnull()).select(transaction_id="refund_id", returned="amount_applied")
    table = refunds.pipe(left_join_unique, returned, "transaction_id")
    zero = ibis.literal(0).cast(MONEY)
    return table.mutate(loss=(table.amount - table.returned.fill_null(zero)).cast(MONEY)).drop("returned")
