"""The price per month of subscriptions whose price is for another time, or for one seat of several."""

from __future__ import annotations

from decimal import Decimal

import ibis
import ibis.expr.types as ir

from asset_checks.contracts import CYCLE_MONTHS
from productpulse_assets.sources.staging import ContractRule
from rules.models import Price
from rules.units import MONEY

UNITS = {"month": (1, 1), "quarter": (1, 3), "year": (1, 12), "week": (52, 12), "day": (365, 12)}
"""Units of time, with the fraction that makes a price per unit one per month: a week's x 52 / 12."""
MONTHS_OF_UNIT = {"month": 1, "quarter": 3, "year": 12}
CENT = Decimal("0.01")
LARGEST = 10**14
"""No price is larger, and a price per day of this size still fits into the type of money as one per month."""

WIDE, PRODUCT, CENTS, WHOLE = "decimal(38, 6)", "decimal(38, 8)", "decimal(38, 2)", "decimal(38, 0)"
"""The types of the exact arithmetic: DuckDB's products of narrower decimals overflow."""


def price_rules(table: ir.Table, price: Price | None) -> list[ContractRule]:
    """The rules about the columns that the price is computed with: without their values it is not known.

    A row that costs nothing costs nothing for any number of seats.
    """
    if price is None:
        return []
    rules = []
    costs = (table.monthly_price != 0).fill_null(True)
    for name, smallest, check in (("every", 1, "at_least_one"), ("seats", 0, "not_negative")):
        if name in price.headers:
            value, has = table[f"price_{name}"], table[f"has_price_{name}"]
            rules += [
                ContractRule(name, "not_null", costs & ~has),
                ContractRule(name, "parses_as_number", costs & has & value.isnull()),
                ContractRule(name, check, costs & (value < smallest).fill_null(False)),
            ]
    if price.per == "billing_cycle":
        rules.append(ContractRule("billing_cycle", "not_null", costs & ~table.has_price_unit))
        rules.append(
            ContractRule("billing_cycle", "allowed_values", costs & table.has_price_unit & ~table.price_unit_is_known)
        )
    return rules


def price_per_month(table: ir.Table, price: Price | None) -> ir.Table:
    """monthly_price per month and for all seats, rounded half up to cents; and the billing cycle that `every` gives.

    A row without a value that the price needs keeps the price that it has: it breaks one of `price_rules`.
    """
    if price is None:
        return table
    one = ibis.literal(1, WHOLE)
    seats = table.price_seats.cast(CENTS) if price.seats else one.cast(CENTS)
    every = table.price_every.cast(WHOLE) if price.every else one
    times, months = unit_of(table, price)
    total = (table.monthly_price.cast(WIDE) * seats).cast(PRODUCT)
    is_known = (table.monthly_price != 0) & (every > 0) & months.notnull() & (seats >= 0)
    is_possible = total < ibis.literal(LARGEST, WHOLE)
    divisor = ibis.ifelse(every > 0, (months * every).cast(WHOLE), one)
    per_month = divided(ibis.ifelse(is_possible, total, ibis.null(PRODUCT)), times, divisor)
    given = table.monthly_price.cast(MONEY)
    return table.mutate(
        monthly_price=ibis.ifelse(is_known, per_month, given),
        has_price_unit=table.has_billing_cycle,
        price_unit_is_known=months.notnull(),
    ).pipe(with_cycle, price)


def unit_of(table: ir.Table, price: Price) -> tuple[ir.Value, ir.Value]:
    """The fraction that makes the price of one unit the price of a month; NULL where the unit is not known."""
    if price.per == "billing_cycle":
        return ibis.literal(1, WHOLE), months_of_cycle(table).cast(WHOLE)
    times, months = UNITS[price.per]
    return ibis.literal(times, WHOLE), ibis.literal(months, WHOLE)


def months_of_cycle(table: ir.Table) -> ir.IntegerValue:
    """The months of the billing cycle in the source."""
    branches = [(table.billing_cycle == name, months) for name, months in CYCLE_MONTHS.items()]
    return ibis.cases(*branches, else_=ibis.null("int64"))


def divided(amount: ir.DecimalValue, times: ir.DecimalValue, by: ir.DecimalValue) -> ir.DecimalValue:
    """The cents of amount x times / by, rounded half up; amounts are 0 or more.

    DuckDB divides decimals as floating-point numbers. Their quotient is a cent or less from the right one, and what it
    leaves of the amount decides, exactly.
    """
    whole = (amount * times).cast(PRODUCT)
    near, left = ibis.literal(Decimal(0), CENTS), whole
    for _round in range(2):  # floating-point numbers have 16 digits: the second time finds the last ones
        part = (left.cast("float64") / by.cast("float64")).round(2).cast(CENTS)
        near, left = (near + part).cast(CENTS), (left - (part * by).cast(PRODUCT)).cast(PRODUCT)
    cent = ibis.literal(CENT, CENTS)
    twice, one_cent = (left + left).cast(PRODUCT), (by * cent).cast(PRODUCT)
    step = ibis.cases((twice >= one_cent, cent), (twice < -one_cent, -cent), else_=ibis.literal(Decimal(0), CENTS))
    return (near + step).cast(MONEY)


def with_cycle(table: ir.Table, price: Price) -> ir.Table:
    """billing_cycle from the number of months that `every` gives; NULL for a cycle that is not among ours.

    Without `every` the billing cycle stays as it is: a price per year may well be billed each month.
    """
    if price.every is None:
        return table
    unit = MONTHS_OF_UNIT.get(price.per)
    months = months_of_cycle(table) if price.per == "billing_cycle" else ibis.literal(unit, "int64")
    names = [(months * table.price_every == count, name) for name, count in CYCLE_MONTHS.items()]
    counted = ibis.cases(*names, else_=ibis.null("string"))
    given = ibis.null("string") if price.per == "billing_cycle" else table.billing_cycle
    cycle = given.coalesce(counted)
    return table.mutate(billing_cycle=cycle, has_billing_cycle=cycle.notnull())
