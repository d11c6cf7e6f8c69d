"""Signals from subscriptions and payments."""

import ibis
import ibis.expr.types as ir
from ibis import _

from productpulse_assets.facts.contract_terms import is_ending, next_term_end
from productpulse_assets.facts.signals_usage import CUSTOMER_DAY
from productpulse_assets.joins import left_join_unique
from rules.units import MONEY
from rules.windows import DOWNGRADE_DAYS, PAYMENT_DAYS, RENEWAL_DAYS, active_on

OVERLAP_DAYS = 31
"""Days for which the old and the new period of an upgrade may both run."""


TERMS = ("subscription_id", "term_months", "term_anchor", "cancel_at", "knows_cancellations")


def paying_customers(
    customers: ir.Table, subscriptions: ir.Table, mrr_periods: ir.Table, contract_terms: ir.Table, days: ir.Table
) -> ir.Table:
    """One row per as_of_date and customer who pays on it: MRR, plan, tenure, renewal, and whether it is past due."""
    periods = left_join_unique(mrr_periods, contract_terms.select(*TERMS), "subscription_id")
    periods = periods.cross_join(days)
    active = periods.filter(active_on(periods, periods.as_of_date, "from_day", "until_day")).pipe(with_renewal)
    # Of plans with the same price the last by name, so that the choice does not depend on the order of rows.
    highest = ibis.struct({"price": active.mrr, "plan": active.plan})
    paid = active.group_by(CUSTOMER_DAY).aggregate(
        mrr=active.mrr.sum().cast(MONEY),
        plan=active.plan.argmax(highest),
        days_to_renewal=active.days_to_renewal.min(),
        mrr_up_for_renewal=active.mrr_up_for_renewal.sum().cast(MONEY),
        cancellation_date=active.cancellation_date.min(),
        ending=active.ending.sum().cast(MONEY),
        knows_ends=(active.knows_cancellations & active.is_current).max(),
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
        # So is a scheduled cancellation: on a past day the customer may not have canceled yet.
        cancellation_scheduled=ibis.ifelse(payers.knows_ends, payers.ending > 0, ibis.null("boolean")),
        cancellation_date=ibis.ifelse(payers.knows_ends, payers.cancellation_date, ibis.null("date")),
        mrr_scheduled_to_end=ibis.ifelse(payers.knows_ends, payers.ending, ibis.null(MONEY)),
    ).drop("past_due_count", "knows_status", "first_start", "ending", "knows_ends")


def with_renewal(active: ir.Table) -> ir.Table:
    """Add the days to the renewal of each running period, its MRR if that is near, and what of it ends by schedule."""
    days = next_term_end(active, active.as_of_date).delta(active.as_of_date, unit="day")
    nothing, ends = ibis.literal(0).cast(MONEY), is_ending(active, active.as_of_date)
    return active.mutate(
        days_to_renewal=days,
        mrr_up_for_renewal=ibis.ifelse((days <= RENEWAL_DAYS).fill_null(False), active.mrr, nothing),
        cancellation_date=ibis.ifelse(ends, active.cancel_at, ibis.null("date")),
        ending=ibis.ifelse(ends, active.mrr, nothing),
    )


def with_downgrade(spine: ir.Table, keys: ir.Table, mrr_periods: ir.Table) -> ir.Table:
    """Add downgraded_recently: in the last 90 days MRR fell to less than a month before, but not to 0."""
    falls = price_changes(mrr_periods).filter(_.mrr_after < _.mrr_before, _.mrr_after > 0)
    dated = keys.join(falls.select("customer_id", "day"), "customer_id")
    age = dated.as_of_date.delta(dated.day, unit="day")
    recent = dated.filter((age >= 0) & (age <= DOWNGRADE_DAYS)).group_by(CUSTOMER_DAY).aggregate(downgrades=_.count())
    table = left_join_unique(spine, recent, CUSTOMER_DAY)
    return table.mutate(downgraded_recently=table.downgrades.fill_null(0) > 0).drop("downgrades")


def price_changes(mrr_periods: ir.Table) -> ir.Table:
    """One row per customer and change of its MRR: day, mrr_before, mrr_after.

    The subscriptions of a customer count together, as in the MRR bridge: one that is replaced by two
    is a downgrade only if the two cost less. Changes on two days that follow each other are one change,
    since some systems write the last day of a period as its end. Where MRR falls, mrr_before is at most that
    of a month before: an upgrade whose old period ends some days late is no downgrade. Exchange rates are constant.
    """
    periods = mrr_periods.select("customer_id", "from_day", "until_day", price="mrr_at_fixed_rate")
    starts = periods.select("customer_id", day="from_day", change="price")
    ends = periods.filter(_.until_day.notnull(), _.until_day > _.from_day)
    empty = periods.filter(_.until_day <= _.from_day)  # a period of no day starts and ends on it
    steps = ibis.union(
        starts,
        ends.select("customer_id", day="until_day", change=-ends.price),
        empty.select("customer_id", day="from_day", change=-empty.price),
    )
    days = steps.group_by("customer_id", "day").aggregate(change=_.change.sum().cast(MONEY))
    by_day = ibis.window(group_by="customer_id", order_by="day")
    so_far = ibis.window(group_by="customer_id", order_by="day", preceding=None, following=0)
    levels = days.mutate(
        mrr=days.change.sum().over(so_far).cast(MONEY),
        is_continued=(days.day.delta(days.day.lag(1).over(by_day), unit="day") == 1).fill_null(False),
    )
    numbered = levels.mutate(number=(~levels.is_continued).cast("int64").sum().over(so_far))
    changes = numbered.group_by("customer_id", "number").aggregate(
        day=_.day.max(),
        mrr_before=(_.mrr - _.change).argmin(_.day).cast(MONEY),
        mrr_after=_.mrr.argmax(_.day).cast(MONEY),
    )
    return changes.drop("number").pipe(_compared_with_month_before)


def _compared_with_month_before(changes: ir.Table) -> ir.Table:
    earlier = changes.select("customer_id", earlier_day="day", earlier_mrr="mrr_after")
    pairs = changes.select("customer_id", "day").join(earlier, "customer_id")
    pairs = pairs.filter(pairs.day.delta(pairs.earlier_day, unit="day") >= OVERLAP_DAYS)
    month_before = pairs.group_by("customer_id", "day").aggregate(mrr_month_before=_.earlier_mrr.argmax(_.earlier_day))
    table = left_join_unique(changes, month_before, ["customer_id", "day"])
    lower = ibis.least(table.mrr_before, table.mrr_month_before.fill_null(table.mrr_before))
    is_fall = table.mrr_after < table.mrr_before
    return table.mutate(mrr_before=ibis.ifelse(is_fall, lower, table.mrr_before)).drop("mrr_month_before")


def with_failed_payments(spine: ir.Table, transactions: ir.Table, bill_balances: ir.Table, days: ir.Table) -> ir.Table:
    """Add failed_payment_count: bills with a failed attempt in the last 90 days that are not paid on the day."""
    bills = bill_balances.filter(_.failed_count > 0).cross_join(days.select("as_of_date"))
    last_failed = ibis.ifelse(bills.last_failed <= bills.as_of_date, bills.last_failed, bills.first_failed)
    age = bills.as_of_date.delta(last_failed, unit="day")
    is_open = bills.settled_date.isnull() | (bills.settled_date > bills.as_of_date)
    failed = bills.filter((age >= 0) & (age <= PAYMENT_DAYS) & is_open)
    counts = failed.group_by(CUSTOMER_DAY).aggregate(failed_payment_count=_.count())
    known = transactions.aggregate(has_payments=transactions.count() > 0)
    table = left_join_unique(spine, counts, CUSTOMER_DAY).cross_join(known)
    count = ibis.ifelse(table.has_payments, table.failed_payment_count.fill_null(0), ibis.null("int64"))
    return table.mutate(failed_payment_count=count).drop("has_payments")
