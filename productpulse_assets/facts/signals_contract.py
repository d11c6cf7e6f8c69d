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
    """One row per as_of_date and customer who pays on it: MRR, plan, tenure, renewal, and whether it is past due."""
    periods = paying(subscriptions).cross_join(days)
    active = periods.filter(active_on(periods, periods.as_of_date))
    active = active.mutate(cycle=cycle_months(active), elapsed=whole_months(active.start_date, active.as_of_date))
    renews = months_later(active.start_date, active.elapsed - active.elapsed % active.cycle + active.cycle)
    active = active.mutate(days_to_renewal=renews.delta(active.as_of_date, unit="day"))
    # Of plans with the same price the last by name, so that the choice does not depend on the order of rows.
    highest = ibis.struct({"price": active.monthly_price, "plan": active.plan})
    paid = active.group_by(CUSTOMER_DAY).aggregate(
        mrr=active.monthly_price.sum().cast(MONEY),
        plan=active.plan.argmax(highest),
        days_to_renewal=active.days_to_renewal.min(),
        past_due_count=(active.status == "Past Due").sum(),
        knows_status=active.is_current.max(),
    )
    starts = subscriptions.group_by("customer_id").aggregate(first_start=_.start_date.min())
    payers = paid.join(customers, "customer_id").join(starts, "customer_id")
    since = ibis.least(payers.signup_date, payers.first_start)
    return payers.mutate(
        tenure_days=payers.as_of_date.delta(since, unit="day"),
        # A status is the present one: it says nothing about a past day.
        is_past_due=ibis.ifelse(payers.knows_status, payers.past_due_count > 0, ibis.null("boolean")),
    ).drop("past_due_count", "knows_status", "first_start")


def with_downgrade(spine: ir.Table, keys: ir.Table, subscriptions: ir.Table) -> ir.Table:
    """Add downgraded_recently: in the last 90 days a period with a lower price followed one that ended."""
    periods = paying(subscriptions)
    ended = periods.filter(_.end_date.notnull()).select("customer_id", "end_date", old_price="monthly_price")
    started = periods.select("customer_id", "start_date", "monthly_price")
    changes = started.join(ended, "customer_id")
    gap = changes.start_date.delta(changes.end_date, unit="day")
    # Some systems export the last day of a period as its end: then the next one starts a day later.
    down = changes.filter((gap >= 0) & (gap <= 1) & (changes.monthly_price < changes.old_price))
    dated = keys.join(down.select("customer_id", "start_date"), "customer_id")
    age = dated.as_of_date.delta(dated.start_date, unit="day")
    recent = dated.filter((age >= 0) & (age <= DOWNGRADE_DAYS)).group_by(CUSTOMER_DAY).aggregate(downgrades=_.count())
    table = left_join_unique(spine, recent, CUSTOMER_DAY)
    return table.mutate(downgraded_recently=table.downgrades.fill_null(0) > 0).drop("downgrades")


def with_failed_payments(spine: ir.Table, transactions: ir.Table, subscriptions: ir.Table, days: ir.Table) -> ir.Table:
    """Add failed_payment_count: bills of the last 90 days that failed and were not paid within 21 days."""
    bills = failed_bills(transactions, subscriptions, days, PAYMENT_DAYS, RECOVERY_DAYS)
    counts = bills.group_by(CUSTOMER_DAY).aggregate(failed_payment_count=_.count())
    known = transactions.aggregate(has_payments=transactions.count() > 0)
    table = left_join_unique(spine, counts, CUSTOMER_DAY).cross_join(known)
    count = ibis.ifelse(table.has_payments, table.failed_payment_count.fill_null(0), ibis.null("int64"))
    return table.mutate(failed_payment_count=count).drop("has_payments")
