"""What is billed when: paying periods, billing dates, and bills whose payment failed for good."""

import ibis
import ibis.expr.types as ir
from ibis import _

from asset_checks.contracts import CYCLE_MONTHS
from rules.units import months_between


def paying(subscriptions: ir.Table) -> ir.Table:
    """Subscription periods that bring money: trials and free plans do not."""
    return subscriptions.filter(_.status != "Trial", _.monthly_price > 0)


def cycle_months(periods: ir.Table) -> ir.IntegerColumn:
    """Months that one bill covers; NULL where the billing cycle is not known."""
    branches = [(periods.billing_cycle == name, months) for name, months in CYCLE_MONTHS.items()]
    return ibis.cases(*branches, else_=ibis.null("int64")).cast("int64")


def months_later(day: ir.DateValue, months: ir.IntegerValue) -> ir.DateValue:
    """The same day of the month so many months later, or that month's last day."""
    # By way of a timestamp: DuckDB makes one of a date and an interval.
    return (day + months.cast("int64").as_interval("M")).cast("timestamp").cast("date")


def whole_months(first: ir.DateValue, last: ir.DateValue) -> ir.IntegerValue:
    """Months that have gone by in full from `first` to `last`, by months_later; `last` is not before `first`."""
    calendar = months_between(first, last)
    return (calendar - (months_later(first, calendar) > last).cast("int64")).cast("int64")


def with_billed_period(events: ir.Table, day: str) -> ir.Table:
    """Add period_start and period_end: the billing period that each event's `day` falls into.

    `events` carry their subscription's start_date, end_date and billing_cycle. An event before
    the subscription's start belongs to its first period, one after its end to its last; a
    subscription without a billing cycle is taken as billed monthly.
    """
    end = ibis.coalesce(events.end_date - ibis.interval(days=1), events[day]).cast("timestamp").cast("date")
    dated = events.mutate(
        billed_day=ibis.greatest(ibis.least(events[day], end), events.start_date),
        cycle=cycle_months(events).fill_null(1),
    )
    elapsed = dated.mutate(elapsed=whole_months(dated.start_date, dated.billed_day))
    first = elapsed.mutate(first=elapsed.elapsed - elapsed.elapsed % elapsed.cycle)
    placed = first.mutate(
        period_start=months_later(first.start_date, first["first"]),
        period_end=months_later(first.start_date, first["first"] + first.cycle),
    )
    return placed.drop("billed_day", "cycle", "elapsed", "first")


def failed_bills(
    transactions: ir.Table, subscriptions: ir.Table, days: ir.Table, window_days: int, recovery_days: int
) -> ir.Table:
    """Bills whose payment failed in the last `window_days` days before each as_of_date of `days`
    and was not made good.

    One row per as_of_date, subscription and billing period: retries count once. A bill is made
    good by a Success of the same subscription on the day of its last failed attempt or in the
    `recovery_days` days after it. amount is that of the first failed attempt, first_failed its day.
    """
    day = days.select("as_of_date")
    failed = transactions.filter(_.status == "Failed").cross_join(day)
    age = failed.as_of_date.delta(failed.transaction_date, unit="day")
    failed = failed.filter((age >= 0) & (age <= window_days))
    billed = subscriptions.select("subscription_id", "start_date", "end_date", "billing_cycle")
    attempts = failed.join(billed, "subscription_id").pipe(with_billed_period, "transaction_date")
    order = ibis.struct({"day": attempts.transaction_date, "id": attempts.transaction_id})
    bills = attempts.group_by("as_of_date", "customer_id", "subscription_id", "period_start", "period_end").aggregate(
        amount=attempts.amount.argmin(order),
        first_failed=attempts.transaction_date.min(),
        last_failed=attempts.transaction_date.max(),
        attempts=attempts.count(),
    )
    paid = transactions.filter(_.status == "Success").select("subscription_id", paid_date="transaction_date")
    until = bills.mutate(made_good_until=bills.last_failed + ibis.interval(days=recovery_days))
    return until.anti_join(
        paid,
        [
            until.subscription_id == paid.subscription_id,
            paid.paid_date >= until.last_failed,
            paid.paid_date <= until.made_good_until,
            paid.paid_date <= until.as_of_date,
        ],
    ).drop("made_good_until")
