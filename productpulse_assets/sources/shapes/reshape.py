"""The rows of an export of subscriptions in any shape, as spans and then as periods."""

from __future__ import annotations

from dataclasses import dataclass

import ibis.expr.types as ir
import pandera.ibis as pa

from productpulse_assets.sources.shapes.events import event_spans
from productpulse_assets.sources.shapes.invoice_lines import invoice_spans
from productpulse_assets.sources.shapes.readings import Export
from productpulse_assets.sources.shapes.snapshots import snapshot_spans
from productpulse_assets.sources.shapes.wide import MONTH, unpivot
from rules.models import Sources
from rules.shapes import Events, MonthlySnapshots, Shape, WideMonths


@dataclass(frozen=True)
class Reshaped:
    """An export and its rows as spans of days with a price.

    raw: the rows of the export; of a wide table one row per cell. columns: our column -> the column of `raw`, to show
    the value that is rejected. spans: one row per row of `raw`; `periods` unites them.
    """

    raw: ir.Table
    columns: dict[str, str]
    spans: ir.Table
    attributes: tuple[str, ...]


def reshape(raw: ir.Table, schema: pa.DataFrameSchema, sources: Sources, shape: Shape) -> Reshaped:
    """The rows of an export of subscriptions as spans."""
    if isinstance(shape, WideMonths):
        raw = unpivot(raw, schema, sources)
    export = Export.of(raw, schema, sources)
    days = {"start_date": MONTH}
    if isinstance(shape, WideMonths):
        spans = snapshot_spans(export, MONTH, zeros_are_months=False)
    elif isinstance(shape, MonthlySnapshots):
        spans, days = snapshot_spans(export, shape.month), {"start_date": shape.month}
    elif isinstance(shape, Events):
        spans, days = event_spans(export, shape), {"start_date": shape.date}
    else:
        spans, days = invoice_spans(export, shape), {"start_date": shape.first_day, "end_date": shape.last_day}
    present = {name.casefold(): name for name in raw.columns}
    columns = export.columns | {
        ours: present[header.casefold()] for ours, header in days.items() if header.casefold() in present
    }
    return Reshaped(raw, columns, spans, export.attributes)


def typed_sources(sources: Sources, reshaped: Reshaped, schema: pa.DataFrameSchema) -> Sources:
    """The settings without what the spans have been read with, so that no alias is applied twice."""
    applied = {f"{schema.name}.{name}" for name in reshaped.attributes if schema.columns[name].dtype.type.is_string()}
    applied.add(f"{schema.name}.status")
    aliases = {target: names for target, names in sources.aliases.items() if target not in applied}
    return sources.model_copy(update={"aliases": aliases})
