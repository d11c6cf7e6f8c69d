"""Calendar arithmetic of billing: paying periods, cycles, billing dates."""

import ibis
import ibis.expr.types as ir
from ibis import _

from asset_checks.contracts import CYCLE_MONTHS
from rules.units import days_later, first_of_month, months_between, months_later

EARLY_DAYS = 5
"""A payment made up to this many days before a billing date is for that bill, not for the one before it."""


def paying(subscriptions: ir.Table) -> ir.Table:
    """Subscription periods with a price: trials and free plans are left out."""
    return subscriptions.filter(_.status != "Trial", _.monthly_price > 0)


def at_fixed_rates(transactions: ir.Table) -> ir.Table:
    """Payments at the fixed rate of their currency, as the prices and so the bills are."""
    return transactions.mutate(amount=ibis.coalesce(_.amount_at_fixed_rate, _.amount))


def cycle_months(periods: ir.Table) -> ir.IntegerColumn:
    """Months that one bill covers; NULL where the billing cycle is not known."""
    branches = [(periods.billing_cycle == name, months) for name, months in CYCLE_MONTHS.items()]
    return ibis.cases(*branches, else_=ibis.null("int64")).cast("int64")


def whole_months(first: ir.DateValue, last: ir.DateValue) -> ir.IntegerValue:
    """Complete months from `first` to `last`, counted with months_later; `last` is not before `first`."""
    calendar = months_between(first, last)
    return (calendar - (months_later(first, calendar) > last).cast("int64")).cast("int64")


def day_in_month(month: ir.DateValue, number: ir.IntegerValue) -> ir.DateValue:
    """The day `number` (1 to 31) of the month that begins on `month`, or the month's last day."""
    last = days_later(months_later(month, ibis.literal(1)), -1)
    return ibis.least(days_later(month, number - 1), last)


def day_of(date: ir.DateValue) -> ir.IntegerValue:
    """The day of the month of a date."""
    return date.day().cast("int64")


def days_since_billing_day(date: ir.DateValue, number: ir.IntegerValue) -> ir.IntegerValue:
    """Days from the newest monthly billing date of day `number` (1 to 31) to `date`; 0 on it."""
    month_end = days_later(months_later(first_of_month(date), ibis.literal(1)), -1)
    before = days_later(first_of_month(date), -1)
    here = day_of(date) - ibis.least(number, day_of(month_end))
    return ibis.ifelse(here >= 0, here, day_of(date) + day_of(before) - ibis.least(number, day_of(before)))


def next_billing_day(day: ir.DateValue, number: ir.IntegerValue) -> ir.DateValue:
    """The first date, from `day` on, on which a monthly bill of day `number` falls."""
    here = day_in_month(first_of_month(day), number)
    after = day_in_month(months_later(first_of_month(day), ibis.literal(1)), number)
    return ibis.ifelse(here >= day, here, after)


def with_billed_period(events: ir.Table, day: str) -> ir.Table:
    """Add period_start and period_end: the billing period in which each event's `day` lies.

    `events` have their subscription's start_date, end_date and billing_cycle. An event before
    the subscription's start belongs to its first period, one after its end to its last; a
    subscription without a billing cycle is treated as billed monthly.
    """
    end = ibis.coalesce(days_later(events.end_date, -1), events[day])
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
