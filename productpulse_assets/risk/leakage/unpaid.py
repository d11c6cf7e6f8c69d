"""Leakage of subscriptions that run on without being paid."""

import ibis
import ibis.expr.types as ir
from ibis import _

from productpulse_assets.facts.billing import paying, whole_months, with_billed_period
from productpulse_assets.joins import collect_ordered
from productpulse_assets.risk.leakage.cases import Books, as_cases, counted, counts
from rules.leakage_rules import LeakageRules
from rules.windows import active_on

PERIOD = ("subscription_id", "customer_id", "start_date", "end_date", "billing_cycle", "monthly_price")


def unpaid_active_subscription(books: Books, rules: LeakageRules) -> ir.Table:
    """Past Due subscriptions; the loss is the price for each whole month since the last payment.

    The case begins with the billing date after the last payment. Past Due is a state of the
    present: at an as-of date before the newest event there are no cases.
    """
    minimum_months = rules.detectors.unpaid_active_subscription.minimum_months
    unpaid = _with_last_payment(_past_due(books), books).pipe(_with_failures, books)
    months = ibis.greatest(whole_months(unpaid.since, unpaid.as_of_date), minimum_months)
    found = unpaid.mutate(months=months, estimated_revenue_loss=unpaid.monthly_price * months)
    never = "never paid since its start on " + found.start_date.cast("string")
    told = found.mutate(
        price=found.monthly_price,
        owed=counted(found.months, "month"),
        history=ibis.coalesce("last paid on " + found.last_paid.cast("string"), never),
    )
    return as_cases(
        told,
        {
            "months": found.months,
            "monthly_price": found.monthly_price,
            "last_paid": found.last_paid,
            "first_failed": found.first_date,
            "last_failed": found.last_date,
            "minimum_months": ibis.literal(minimum_months),
        },
        "Past Due and {history}: {owed} at {{price}} a month not paid.",
    )


def _past_due(books: Books) -> ir.Table:
    """Priced subscriptions that are Past Due and running on the as-of date, where that is known."""
    periods = paying(books.subscriptions).filter(_.status == "Past Due")
    periods = periods.select(*PERIOD).cross_join(books.day)
    has_payments = books.transactions.aggregate(has_payments=books.transactions.count() > 0)
    periods = periods.filter(periods.is_current & active_on(periods, periods.as_of_date)).cross_join(has_payments)
    return periods.filter(_.has_payments)


def _with_last_payment(unpaid: ir.Table, books: Books) -> ir.Table:
    """With last_paid, `since` (that day, or the start) and the first billing date after it as period_start."""
    payments = books.payments("Success")
    payments = payments.group_by(paid_id="subscription_id").aggregate(last_paid=payments.transaction_date.max())
    table = unpaid.left_join(payments, unpaid.subscription_id == payments.paid_id)
    table = table.mutate(since=ibis.coalesce(table.last_paid, table.start_date)).pipe(with_billed_period, "since")
    start = ibis.ifelse(table.last_paid.isnull(), table.start_date, table.period_end)
    return table.mutate(period_start=start, period_end=ibis.greatest(table.as_of_date, start))


def _with_failures(unpaid: ir.Table, books: Books) -> ir.Table:
    """With the failed attempts since the last payment."""
    failed = books.payments("Failed").select("transaction_id", "transaction_date", failed_id="subscription_id")
    since = unpaid.select("subscription_id", "last_paid")
    attempts = since.join(failed, since.subscription_id == failed.failed_id)
    attempts = attempts.filter(attempts.last_paid.isnull() | (attempts.transaction_date > attempts.last_paid))
    told = attempts.group_by("failed_id").aggregate(
        **counts(attempts), transactions=collect_ordered(attempts.transaction_id, attempts.transaction_date)
    )
    table = unpaid.left_join(told, unpaid.subscription_id == told.failed_id)
    return table.mutate(transaction_count=table.transaction_count.fill_null(0))
