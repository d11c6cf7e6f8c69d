"""Amounts in the reporting currency: at the fixed rate of a currency, or at the rate of their day."""

from __future__ import annotations

import ibis
import ibis.expr.types as ir
import pandera.ibis as pa
from ibis import _

from asset_checks.contracts import MONEY_TYPE
from asset_checks.row_rules import is_among
from productpulse_assets.joins import LAST_DAY
from productpulse_assets.sources.casting import convert
from rules.models import Sources

RATE = "decimal(18, 10)"


def money_columns(schema: pa.DataFrameSchema) -> list[str]:
    """The columns with amounts of money."""
    return [name for name, column in schema.columns.items() if column.dtype.type == MONEY_TYPE]


def has_amounts_in_currencies(schema: pa.DataFrameSchema) -> bool:
    """Whether rows of the dataset have amounts in a currency of their own."""
    return "currency" in schema.columns and bool(money_columns(schema))


def rate_of_sources(currency: ir.StringValue, sources: Sources) -> ir.DecimalValue:
    """The rate of a currency in sources.yaml; NULL where it has none."""
    rates = [(currency == code, ibis.literal(rate, type=RATE)) for code, rate in sources.exchange_rates.items()]
    return ibis.cases(*rates, else_=ibis.null(RATE)) if rates else ibis.null(RATE)


def first_rates(exchange_rates: ir.Table) -> ir.Table:
    """One row per currency with rates by date: its first rate."""
    return exchange_rates.group_by(rated_currency=_.currency).aggregate(first_rate=_.rate.argmin(_.date))


def convert_currency(
    table: ir.Table, schema: pa.DataFrameSchema, sources: Sources, exchange_rates: ir.Table | None = None
) -> ir.Table:
    """Money columns converted; `is_convertible` is false where the currency has no rate.

    With rates by date, a payment has the rate of its day: the last one up to it, else that of sources.yaml. Prices have
    one fixed rate, that of sources.yaml or else the first one, but need a rate of their first day all the same: a later
    one is never used in place of it.
    """
    money = money_columns(schema)
    if not has_amounts_in_currencies(schema):
        return table.mutate(is_convertible=ibis.literal(True))
    if exchange_rates is None:
        known = [sources.reporting_currency, *sources.exchange_rates]
        return table.mutate(
            is_convertible=table.currency.isnull() | is_among(table.currency, known),
            **{name: convert(table[name], table.currency, sources) for name in money},
        )
    (day,) = schema.metadata["event_dates"]
    rated = with_rates(table, exchange_rates, sources, day)
    at_day = {name: at_rate(rated, name, rated.day_rate, sources) for name in money}
    at_fixed = {name: at_rate(rated, name, rated.fixed_rate, sources) for name in money}
    converted = at_fixed
    if "amount_at_fixed_rate" in money:
        fixed = ibis.ifelse(is_home(rated, sources), ibis.null(rated.amount.type()), at_fixed["amount"])
        converted = {**at_day, "amount_at_fixed_rate": fixed}
    is_convertible = is_home(rated, sources) | rated.day_rate.notnull()
    return rated.mutate(is_convertible=is_convertible, **converted).drop("day_rate", "fixed_rate")


def with_rates(table: ir.Table, exchange_rates: ir.Table, sources: Sources, day: str) -> ir.Table:
    """Add day_rate, the last one up to `day` or else that of sources.yaml, and fixed_rate, that or the first."""
    by_currency = ibis.window(group_by="currency", order_by="date")
    spans = exchange_rates.select(
        rated_currency=_.currency,
        dated_rate=_.rate,
        rate_from=_.date,
        rate_until=_.date.lead().over(by_currency).coalesce(ibis.date(LAST_DAY)),
    )
    joined = table.left_join(
        spans,
        [
            table.currency == spans.rated_currency,
            table[day] >= spans.rate_from,
            table[day] < spans.rate_until,
        ],
    ).select(*table.columns, "dated_rate")
    first = first_rates(exchange_rates)
    joined = joined.left_join(first, joined.currency == first.rated_currency).select(*joined.columns, "first_rate")
    given = rate_of_sources(joined.currency, sources)
    rates = {"day_rate": joined.dated_rate.coalesce(given), "fixed_rate": given.coalesce(joined.first_rate)}
    return joined.mutate(**rates).drop("dated_rate", "first_rate")


def is_home(table: ir.Table, sources: Sources) -> ir.BooleanValue:
    """Whether the amounts of a row are in the reporting currency."""
    return table.currency.isnull() | (table.currency == sources.reporting_currency)


def at_rate(table: ir.Table, column: str, rate: ir.DecimalValue, sources: Sources) -> ir.Value:
    """The amount times the rate; NULL where there is no rate."""
    amount = table[column]
    return ibis.ifelse(is_home(table, sources), amount, (amount * rate).cast(amount.type()))
