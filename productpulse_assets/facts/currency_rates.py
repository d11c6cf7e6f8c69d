"""Exchange rates by date: the fixed rate of a currency, and MRR at the rates of each month's last day."""

from __future__ import annotations

import ibis
import ibis.expr.types as ir
from ibis import _

from productpulse_assets.joins import LAST_DAY, left_join_unique
from productpulse_assets.sources.currency import first_rates, rate_of_sources
from rules.models import Sources
from rules.units import MONEY, months_later


def fixed_rates(exchange_rates: ir.Table, sources: Sources) -> ir.Table:
    """One row per currency with rates by date: fixed_rate, which its prices are converted with."""
    first = first_rates(exchange_rates)
    fixed = rate_of_sources(first.rated_currency, sources).coalesce(first.first_rate)
    return first.select(currency=first.rated_currency, fixed_rate=fixed)


def rates_of_months(exchange_rates: ir.Table, calendar: ir.Table) -> ir.Table:
    """One row per currency and month of the calendar: rate, the last one up to the month's end, and that of the next
    month, next_rate."""
    pairs = exchange_rates.join(calendar, exchange_rates.date <= calendar.month_end)
    months = pairs.group_by("currency", "month").aggregate(rate=_.rate.argmax(_.date))
    by_month = ibis.window(group_by="currency", order_by="month")
    return months.mutate(next_rate=months.rate.lead().over(by_month).coalesce(months.rate))


def with_rates_of_months(periods: ir.Table, exchange_rates: ir.Table, calendar: ir.Table, sources: Sources) -> ir.Table:
    """One row per period and month that it runs in, with the amounts at the rates of the month and of the next one.

    A currency that has no rate by then keeps the fixed rate, which the price is already converted with.
    """
    last = calendar.month.max().as_scalar()
    months = calendar.select("month", next_month=months_later(calendar.month, ibis.literal(1)), is_last=_.month == last)
    table = periods.join(
        months,
        [
            (periods.from_day < months.next_month) | months.is_last,
            periods.until_day.isnull() | (periods.until_day > months.month),
        ],
    )
    end = ibis.ifelse(table.is_last, ibis.date(LAST_DAY), table.next_month)
    until = ibis.ifelse((end < table.until_day.fill_null(ibis.date(LAST_DAY))), end, table.until_day)
    table = table.mutate(from_day=ibis.greatest(table.from_day, table.month), until_day=until)
    table = left_join_unique(table, rates_of_months(exchange_rates, calendar), ["currency", "month"])
    table = left_join_unique(table, fixed_rates(exchange_rates, sources), "currency")
    return table.mutate(
        mrr_at_fixed_rate=table.mrr,
        mrr=at_rate(table.mrr, table.fixed_rate, table.rate),
        mrr_at_next_rate=at_rate(table.mrr, table.fixed_rate, table.next_rate),
        discount=at_rate(table.discount, table.fixed_rate, table.rate),
        discount_at_next_rate=at_rate(table.discount, table.fixed_rate, table.next_rate),
    )


def at_rate(amount: ir.DecimalColumn, fixed_rate: ir.DecimalColumn, rate: ir.DecimalColumn) -> ir.DecimalValue:
    """An amount that was converted with one rate, converted with another; to the cent of its own currency."""
    own = (amount.cast("float64") / fixed_rate.cast("float64")).round(2).cast(MONEY)
    return ibis.coalesce((own * rate).cast(MONEY), amount)
