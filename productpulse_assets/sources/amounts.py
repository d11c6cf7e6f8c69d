"""Amounts as other systems write them: in the smallest unit of a currency, and refunds as negative payments."""

from __future__ import annotations

from decimal import Decimal

import ibis
import ibis.expr.types as ir
import pandera.ibis as pa

from asset_checks.contracts import MONEY_TYPE
from asset_checks.row_rules import is_among
from productpulse_assets.sources.currency import money_columns
from productpulse_assets.sources.staging import PRECISE
from rules.models import DatasetSource, Sources

DIGITS = {
    0: (
        "BIF", "CLP", "DJF", "GNF", "ISK", "JPY", "KMF", "KRW", "PYG", "RWF", "UGX", "UYI", "VND", "VUV", "XAF", "XOF",
        "XPF",
    ),
    3: ("BHD", "IQD", "JOD", "KWD", "LYD", "OMR", "TND"),
    4: ("CLF", "UYW"),
}  # fmt: skip
"""The digits after the decimal point by ISO 4217, of the currencies that do not have two."""


def from_minor_units(table: ir.Table, schema: pa.DataFrameSchema, source: DatasetSource, sources: Sources) -> ir.Table:
    """Amounts in units of their currency, where the source has them in its smallest units, such as cents."""
    if not source.minor_units:
        return table
    currency = table.currency.fill_null(sources.reporting_currency)
    factor = ibis.cases(
        *((is_among(currency, codes), _part(digits)) for digits, codes in DIGITS.items()), else_=_part(2)
    )
    return table.mutate(
        **{name: (table[name].cast("decimal(38, 6)") * factor).cast(PRECISE) for name in money_columns(schema)}
    )


def _part(digits: int) -> ir.DecimalScalar:
    return ibis.literal(Decimal(10) ** -digits, "decimal(38, 4)")


def in_cents(table: ir.Table, schema: pa.DataFrameSchema) -> ir.Table:
    """Amounts with two digits after the decimal point, rounded half up; those of the contract already have them."""
    wider = [name for name in money_columns(schema) if table[name].type() != MONEY_TYPE]
    return table.mutate(**{name: table[name].cast(MONEY_TYPE) for name in wider}) if wider else table


def refunds_of_negative_amounts(table: ir.Table, source: DatasetSource) -> ir.Table:
    """Negative payments as refunds of the positive amount.

    A negative amount that failed is a refund that was not made: it stays negative, and the contract rejects it.
    """
    if source.negative_amounts != "refunds":
        return table
    is_refund = (table.amount < 0) & (table.status != "Failed")
    return table.mutate(
        amount=ibis.ifelse(is_refund, -table.amount, table.amount).cast(table.amount.type()),
        status=ibis.ifelse(is_refund, "Refunded", table.status),
    )
