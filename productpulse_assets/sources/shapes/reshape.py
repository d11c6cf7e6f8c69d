"""The rows of an export of subscriptions in any shape, as spans and then as periods."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import ibis.expr.types as ir
import pandera.ibis as pa

from productpulse_assets.sources.readers.blanks import plain_name
from productpulse_assets.sources.shapes.events import event_readings, event_spans
from productpulse_assets.sources.shapes.invoice_lines import invoice_readings, invoice_spans
from productpulse_assets.sources.shapes.readings import Export
from productpulse_assets.sources.shapes.snapshots import snapshot_readings, snapshot_spans
from productpulse_assets.sources.shapes.wide import MONTH, unpivot
from rules.models import Sources
from rules.shapes import Events, MonthlySnapshots, Shape, WideMonths


@dataclass(frozen=True)
class Reshaped:
    """An export in another shape, and its rows typed.

    raw: the rows of the export; of a wide table one row per cell. columns: our column -> the column of `raw`, to show
    the value that is rejected. readings: one row per row of `raw`. They are to be stored before `spans` reads them:
    otherwise the database would parse each value many times.
    """

    raw: ir.Table
    columns: dict[str, str]
    readings: ir.Table
    attributes: tuple[str, ...]


def cells_of(raw: ir.Table, schema: pa.DataFrameSchema, sources: Sources, shape: Shape) -> ir.Table:
    """The rows of an export; of a wide table one row per cell."""
    return unpivot(raw, schema, sources) if isinstance(shape, WideMonths) else raw


def reshape(
    raw: ir.Table,
    schema: pa.DataFrameSchema,
    sources: Sources,
    shape: Shape,
    thousands: Mapping[str, Sequence[str]] | None = None,
) -> Reshaped:
    """The rows of an export of subscriptions, a result of `cells_of`, typed as its shape needs it.

    `thousands` are the files in which 1.234 may be 1234, by column.
    """
    export = Export.of(raw, schema, sources, thousands or {})
    if isinstance(shape, WideMonths):
        rows, days = snapshot_readings(export, MONTH), {"start_date": MONTH}
    elif isinstance(shape, MonthlySnapshots):
        rows, days = snapshot_readings(export, shape.month), {"start_date": shape.month}
    elif isinstance(shape, Events):
        rows, days = event_readings(export, shape), {"start_date": shape.date}
    else:
        rows, days = invoice_readings(export, shape), {"start_date": shape.first_day, "end_date": shape.last_day}
    there = {plain_name(name): name for name in raw.columns}
    found = {ours: there[plain_name(header)] for ours, header in days.items() if plain_name(header) in there}
    return Reshaped(raw, export.columns | found, rows, export.attributes)


def spans_of(readings: ir.Table, attributes: tuple[str, ...], shape: Shape) -> ir.Table:
    """One row per row of the export: the days for which it gives a price, or the problem for which it is rejected."""
    if isinstance(shape, WideMonths | MonthlySnapshots):
        return snapshot_spans(readings, attributes, zeros_are_months=isinstance(shape, MonthlySnapshots))
    if isinstance(shape, Events):
        return event_spans(readings, attributes, shape)
    return invoice_spans(readings, attributes, shape)
