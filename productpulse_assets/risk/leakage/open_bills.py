"""Leakage of bills that are open: each has one cause, and its loss is its open amount."""

import ibis
import ibis.expr.types as ir
from ibis import _

from productpulse_assets.joins import collect_ordered, left_join_unique
from productpulse_assets.risk.leakage.cases import Books, as_cases, counted, counts
from rules.leakage_rules import LeakageRules
from rules.units import MONEY
from rules.windows import active_on

UNPAID, MISSED, FAILED, UNDERBILLED = (
    "unpaid_active_subscription", "missed_invoice", "failed_payment", "underbilled_subscription",
)  # fmt: skip
BILL = (
    "bill_id", "customer_id", "subscription_id", "period_start", "period_end", "due_date",
    "amount_due", "amount_applied", "amount_open", "failed_count", "first_failed", "last_failed", "as_of_date",
)  # fmt: skip


def open_bills(bill_balances: ir.Table, subscriptions: ir.Table, day: ir.Table, rules: LeakageRules) -> ir.Table:
    """The bills that are lost so far, with their `cause`.

    A bill is lost when it is open beyond the tolerance and its due date, its last attempt or its last payment lies in
    the window; one without a payment or an attempt has `tolerance_days` after its due date. The
    open bills of a Past Due subscription since its last paid one are its case, however old they are. The causes are
    judged in this order: Past Due, no attempt, only failed attempts, paid short.
    """
    bills = bill_balances.cross_join(day).pipe(with_past_due, subscriptions, rules)
    is_open = bills.filter(~_.is_settled)
    last = ibis.greatest(
        is_open.due_date,
        is_open.last_failed.fill_null(is_open.due_date),
        is_open.last_paid.fill_null(is_open.due_date),
    )
    recent = is_open.mutate(age=is_open.as_of_date.delta(last, unit="day"))
    cause = ibis.cases(
        (recent.is_past_due, UNPAID),
        ((recent.payment_count > 0), UNDERBILLED),
        ((recent.failed_count > 0), FAILED),
        else_=MISSED,
    )
    judged = recent.mutate(cause=cause)
    days = judged.as_of_date.delta(judged.due_date, unit="day")
    is_late = (judged.cause != MISSED) | (days >= rules.detectors.missed_invoice.tolerance_days)
    return judged.filter(is_late & (days >= 0) & (judged.is_past_due | (judged.age <= rules.window_days)))


def with_past_due(bills: ir.Table, subscriptions: ir.Table, rules: LeakageRules) -> ir.Table:
    """Add is_past_due: the subscription runs, is Past Due, and no later bill of it is paid.

    Past Due is a state of the present: on an as-of date before the newest event nothing is.
    """
    periods = subscriptions.select("subscription_id", "status", "start_date", "end_date")
    # Joined and not a window over all bills: of the open ones, each detector reads few.
    paid = bills.filter(_.is_settled).group_by("subscription_id").aggregate(paid_until=_.due_date.max())
    table = bills.pipe(left_join_unique, periods, "subscription_id").pipe(left_join_unique, paid, "subscription_id")
    is_late = table.is_current & (table.status == "Past Due") & active_on(table, table.as_of_date)
    is_unpaid = is_late & (table.paid_until.isnull() | (table.due_date > table.paid_until))
    is_past_due = (is_unpaid & rules.detectors.of(UNPAID).enabled).fill_null(False)
    return table.select(*bills.columns, is_past_due=is_past_due)


def of_cause(books: Books, cause: str) -> ir.Table:
    """The lost bills of one cause."""
    return books.lost_bills.filter(_.cause == cause).select(*BILL)


def missed_invoice(books: Books, rules: LeakageRules) -> ir.Table:
    """Bills without a payment or an attempt to collect them."""
    bills = of_cause(books, MISSED)
    found = bills.mutate(
        price=bills.amount_due,
        estimated_revenue_loss=bills.amount_open,
        transaction_count=ibis.literal(0, "int64"),
        first_date=ibis.null("date"),
        last_date=ibis.null("date"),
    )
    rule = rules.detectors.missed_invoice
    return as_cases(
        found,
        {
            "due": found.amount_due,
            "due_date": found.due_date,
            "open": found.amount_open,
            "window_days": ibis.literal(rules.window_days),
            "payment_terms_days": ibis.literal(rules.payment_terms_days),
            "tolerance_days": ibis.literal(rule.tolerance_days),
        },
        "The bill of {{price}} due on {due_date} was not paid, without an attempt to collect it; {{loss}} is open.",
    )


def failed_payment(books: Books, rules: LeakageRules) -> ir.Table:
    """Bills whose attempts all failed."""
    bills = of_cause(books, FAILED)
    found = with_failed_attempts(bills, books)
    described = found.mutate(
        price=found.amount_due,
        estimated_revenue_loss=found.amount_open,
        times=counted(found.transaction_count, "attempt"),
    )
    return as_cases(
        described,
        {
            "due": found.amount_due,
            "due_date": found.due_date,
            "open": found.amount_open,
            "first_failed": found.first_date,
            "last_failed": found.last_date,
            "window_days": ibis.literal(rules.window_days),
        },
        "The payment of the bill due on {due_date} failed on {first_date} ({times}); {{loss}} of {{price}} is open.",
    )


def with_failed_attempts(bills: ir.Table, books: Books) -> ir.Table:
    """Bills with their failed attempts; of a bill on one invoice with others the attempts have no ids of their own."""
    failed = books.account_transactions.filter(_.status == "Failed")
    booked = failed.group_by("bill_id").aggregate(
        transactions=collect_ordered(failed.transaction_id, failed.transaction_date)
    )
    return bills.pipe(left_join_unique, booked, "bill_id").rename(
        transaction_count="failed_count", first_date="first_failed", last_date="last_failed"
    )


def underbilled_subscription(books: Books, rules: LeakageRules) -> ir.Table:
    """Bills that were paid in part."""
    bills = of_cause(books, UNDERBILLED)
    parts = books.payment_applications.filter(_.bill_id != "")
    paid = parts.group_by("bill_id").aggregate(
        **counts(parts), transactions=collect_ordered(parts.transaction_id, parts.transaction_date)
    )
    found = bills.pipe(left_join_unique, paid, "bill_id")
    found = found.mutate(transaction_count=found.transaction_count.fill_null(0))
    described = found.mutate(
        price=found.amount_due,
        estimated_revenue_loss=found.amount_open,
        payments=ibis.ifelse(
            found.transaction_count > 0,
            counted(found.transaction_count, "payment") + ", the last on " + found.last_date.cast("string"),
            "the payment of the invoice did not cover it",
        ),
    )
    return as_cases(
        described,
        {
            "due": found.amount_due,
            "due_date": found.due_date,
            "paid": found.amount_applied,
            "open": found.amount_open,
            "first_paid": found.first_date,
            "last_paid": found.last_date,
            "window_days": ibis.literal(rules.window_days),
            "tolerance_rate": ibis.literal(rules.detectors.underbilled_subscription.tolerance_rate),
        },
        "{{loss}} of {{price}} due for the billing period from {period_start} was not paid ({payments}).",
    )


def unpaid_active_subscription(books: Books, rules: LeakageRules) -> ir.Table:
    """Past Due subscriptions, with all their open bills since the last one that was paid."""
    bills = of_cause(books, UNPAID)
    owed = bills.group_by("customer_id", "subscription_id", "as_of_date").aggregate(
        period_start=bills.period_start.min(),
        due_date=bills.due_date.min(),
        open_bills=bills.count(),
        estimated_revenue_loss=bills.amount_open.sum().cast(MONEY),
        period_end=ibis.greatest(bills.as_of_date.max(), bills.period_start.max()),
    )
    tried = with_failed_attempts(bills.filter(_.first_failed.notnull()), books)
    attempts = tried.group_by("subscription_id").aggregate(
        transaction_count=tried.transaction_count.sum(),
        first_date=tried.first_date.min(),
        last_date=tried.last_date.max(),
        transactions=tried.transactions.collect().flatten(),
    )
    found = left_join_unique(owed, attempts, "subscription_id")
    found = found.mutate(transaction_count=found.transaction_count.fill_null(0))
    described = found.mutate(price=ibis.null(MONEY), times=counted(found.open_bills, "bill"))
    return as_cases(
        described,
        {
            "open_bills": found.open_bills,
            "due_date": found.due_date,
            "open": found.estimated_revenue_loss,
            "first_failed": found.first_date,
            "last_failed": found.last_date,
        },
        "Past Due, and not paid since the bill due on {due_date}: {{loss}} is open ({times}).",
    )
