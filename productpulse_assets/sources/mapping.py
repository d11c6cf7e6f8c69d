"""From the rows of a source to typed rows in the contract's columns, as sources.yaml describes the source."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import ibis.expr.types as ir
import pandera.ibis as pa

from productpulse_assets.sources.amounts import from_minor_units, in_cents, refunds_of_negative_amounts
from productpulse_assets.sources.crosswalk import translate_ids
from productpulse_assets.sources.currency import convert_currency
from productpulse_assets.sources.price import price_per_month
from productpulse_assets.sources.repeated_ids import separate_periods
from productpulse_assets.sources.staging import convert_ends, type_columns
from productpulse_assets.sources.status import status_from_dates
from rules.models import DatasetSource, Sources


def map_rows(
    raw: ir.Table,
    schema: pa.DataFrameSchema,
    sources: Sources,
    source: DatasetSource,
    found: dict[str, str],
    thousands: Mapping[str, Sequence[str]] | None = None,
    crosswalk: ir.Table | None = None,
    exchange_rates: ir.Table | None = None,
) -> ir.Table:
    """One typed row per source row. Each step is one setting of the dataset, and changes nothing without it.

    Amounts are rounded once, at the end: after the conversion of the currency and the division of the price.
    """
    return (
        type_columns(raw, schema, sources, source, found, thousands)
        .pipe(status_from_dates, schema.name, source)
        .pipe(convert_ends, source)
        .pipe(complete_rows, schema, sources, source, crosswalk, exchange_rates)
    )


def complete_rows(
    table: ir.Table,
    schema: pa.DataFrameSchema,
    sources: Sources,
    source: DatasetSource,
    crosswalk: ir.Table | None = None,
    exchange_rates: ir.Table | None = None,
) -> ir.Table:
    """Typed rows with the amounts, the price and the ids of the contract."""
    return (
        table.pipe(from_minor_units, schema, source, sources)
        .pipe(refunds_of_negative_amounts, source)
        .pipe(convert_currency, schema, sources, exchange_rates)
        .pipe(price_per_month, source.price)
        .pipe(in_cents, schema)
        .pipe(separate_periods, source)
        .pipe(translate_ids, crosswalk)
    )
