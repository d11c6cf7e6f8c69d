"""Signals from subscriptions and payments."""

import ibis
import ibis.expr.types as ir
from ibis import _

from productpulse_assets.facts.billing import cycle_months, failed_bills, months_later, paying, whole_months
from productpulse_assets.facts.signals_usage import CUSTOMER_DAY
from productpulse_assets.joins import left_join_unique
from rules.units import MONEY
from rules.windows import DOWNGRADE_DAYS, PAYMENT_DAYS, RECOVERY_DAYS, active_on


def paying_customers(customers: ir.Table, subscriptions: ir.Table, days: ir.Table) -> ir.Table:
    """(customer_id, as_of_date) of those who pay on the day: what they pay, for what, and until when."""
    periods = paying(subscriptions).cross_join(days)
    active = periods.filter(active_on(periods, periods.as_of_date))
    active = active.mutate(cycle=cycle_months(active), elapsed=whole_months(active.start_date, active.as_of_date))
    renews = months_later(active.start_date, active.elapsed - active.elapsed % active.cycle + active.cycle)
    active = active.mutate(days_to_renewal=renews.delta(active.as_of_date, unit="day"))
    # Of equally priced plans the last by name, so that the choice does not hang on row order.
    dearest = ibis.struct({"price": active.monthly_price, "plan": active.plan})
    paid = active.group_by(CUSTOMER_DAY).aggregate(
        mrr=active.monthly_price.sum().cast(MONEY),
        plan=active.plan.argmax(dearest),
        days_to_renewal=active.days_to_renewal.min(),
        past_due_count=(active.status == "Past Due").sum(),
        knows_status=active.is_current.max(),
    )
    starts = subscriptions.group_by("customer_id").aggregate(first_start=_.start_date.min())
    who = paid.join(customers, "customer_id").join(starts, "customer_id")
    since = ibis.least(who.signup_date, who.first_start)
    return who.mutate(
        tenure_days=who.as_of_date.delta(since, unit="day"),
        # A status is today's: of a past day it says nothing.
        is_past_due=ibis.ifelse(who.knows_status, who.past_due_count > 0, ibis.null("boolean")),
    ).drop("past_due_count", "knows_status", "first_start")


def with_downgrade(spine: ir.Table, who: ir.Table, subscriptions: ir.Table) -> ir.Table:
    """downgraded_recently: in the last 90 days a period at a lower price followed on one that ended."""
    periods = paying(subscriptions)
    ended = periods.filter(_.end_date.notnull()).select("customer_id", "end_date", old_price="monthly_price")
    started = periods.select("customer_id", "start_date", "monthly_price")
    changes = started.join(ended, "customer_id")
    gap = changes.start_date.delta(changes.end_date, unit="day")
    # Some systems write the last day of a period as its end.
    down = changes.filter((gap >= 0) & (gap <= 1) & (changes.monthly_price < changes.old_price))
    dated = who.join(down.select("customer_id", "start_date"), "customer_id")
    age = dated.as_of_date.delta(dated.start_date, unit="day")
    recent = dated.filter((age >= 0) & (age <= DOWNGRADE_DAYS)).group_by(CUSTOMER_DAY).aggregate(downgrades=_.count())
    table = left_join_unique(spine, recent, CUSTOMER_DAY)
    return table.mutate(downgraded_recently=table.downgrades.fill_null(0) > 0).drop("downgrades")


def with_failed_payments(spine: ir.Table, transactions: ir.Table, subscriptions: ir.Table, days: ir.Table) -> ir.Table:
    """failed_payment_count: bills of the last 90 days that failed and were not made good in 21 days."""
    bills = failed_bills(transactions, subscriptions, days, PAYMENT_DAYS, RECOVERY_DAYS)
    counts = bills.group_by(CUSTOMER_DAY).aggregate(failed_payment_count=_.count())
    known = transactions.aggregate(has_payments=transactions.count() > 0)
    table = left_join_unique(spine, counts, CUSTOMER_DAY).cross_join(known)
    count = ibis.ifelse(table.has_payments, table.failed_payment_count.fill_null(0), ibis.null("int64"))
    return table.mutate(failed_payment_count=count).drop("has_payments")
