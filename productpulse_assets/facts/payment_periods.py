"""The subscription period that a payment is for, where the payment does not name a subscription."""

import ibis
import ibis.expr.types as ir
from ibis import _

from productpulse_assets.facts.billing import EARLY_DAYS
from productpulse_assets.joins import LAST_DAY, with_span
from rules.units import MONEY, days_later

LATE_DAYS = 45
"""Up to this many days after a change of the price, a payment of exactly the former price is a late one of before."""

WHOLE_BILLS = 0.0005
"""The largest distance of payment / price from a whole number of bills: cents of rounding."""


def with_period(payments: ir.Table, periods: ir.Table) -> ir.Table:
    """Payments with a subscription_id also where they name none and the customer has one subscription at a time.

    It is then the period that ran on the day of the payment or ended last before it, or the first one; the next one for
    an early payment of its price, for one bill or several; the one before for a late payment of its price. `periods`
    are the paid periods. Where some of them run side by side, it stays unknown which one a payment is for.
    """
    spans = one_at_a_time(periods).pipe(with_span, "customer_id", "start_date").pipe(with_former_period)
    unnamed = payments.filter(_.subscription_id.isnull())
    unnamed = unnamed.select("transaction_id", "customer_id", "transaction_date", paid="amount")
    unnamed = unnamed.mutate(billed=days_later(unnamed.transaction_date, EARLY_DAYS))
    found = unnamed.join(
        spans,
        [
            unnamed.customer_id == spans.customer_id,
            unnamed.billed >= spans.from_day,
            unnamed.billed < spans.until_day,
        ],
    )
    is_before = found.transaction_date < found.start_date
    is_own = (found.paid != found.former_full) & is_multiple(found.paid, found.full)
    is_late = (
        (found.paid == found.former_full) & (found.paid != found.full) & (found.transaction_date < found.late_until)
    )
    is_former = ibis.ifelse(is_before, ~is_own, is_late) & found.former.notnull()
    found = found.select("transaction_id", period=ibis.ifelse(is_former.fill_null(False), found.former, found.period))
    joined = payments.left_join(found, "transaction_id").select(*payments.columns, "period")
    return joined.mutate(subscription_id=joined.subscription_id.coalesce(joined.period)).drop("period")


def one_at_a_time(periods: ir.Table) -> ir.Table:
    """The periods of customers of whom no two run at the same time, each with the full amount of one bill."""
    ends = periods.mutate(end=periods.end_date.coalesce(ibis.date(LAST_DAY))).filter(_.end > _.start_date)
    by_start = ibis.window(group_by=ends.customer_id, order_by=[ends.start_date, ends.subscription_id])
    beside = ends.mutate(next_start=ends.start_date.lead().over(by_start)).filter(_.next_start < _.end)
    single = ends.anti_join(beside.select("customer_id").distinct(), "customer_id")
    full = (single.monthly_price * single.cycle.fill_null(1)).cast(MONEY)
    return single.select("customer_id", "start_date", full=full, period="subscription_id")


def with_former_period(spans: ir.Table) -> ir.Table:
    """Add the period before each one, its full amount, and the day until which a payment of it is a late one."""
    by_start = ibis.window(group_by=spans.customer_id, order_by=spans.start_date)
    return spans.mutate(
        former=spans.period.lag().over(by_start),
        former_full=spans.full.lag().over(by_start),
        late_until=days_later(spans.start_date, LATE_DAYS),
    )


def is_multiple(amount: ir.DecimalValue, price: ir.DecimalValue) -> ir.BooleanValue:
    """Whether an amount pays a whole number of bills."""
    bills = amount.cast("float64") / price.cast("float64")
    return (bills.round() >= 1) & ((bills - bills.round()).abs() < WHOLE_BILLS)
