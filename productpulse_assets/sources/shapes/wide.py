"""The shape wide_months: one column per month becomes one row per customer and month."""

from __future__ import annotations

from collections.abc import Sequence

import ibis
import ibis.expr.types as ir
import pandera.ibis as pa
from ibis import _

from productpulse_assets.sources.casting import has_value, source_text, trimmed_text
from productpulse_assets.sources.errors import SourceProblem
from productpulse_assets.sources.readers.blanks import plain_name
from productpulse_assets.sources.shapes.months import month_columns
from productpulse_assets.sources.staging import PLACE, source_columns
from rules.models import Sources
from rules.text.formats import printable_line

MONTH, PRICE = "month_of_column", "monthly_price"
MONTH_TEXT = len("2025-01-01 ")


def check_months(label: str, columns: Sequence[str], sources: Sources) -> None:
    """Raise SourceProblem unless some columns are named after months, and no two after the same one."""
    found = month_columns(columns, sources.date_formats)
    if not found:
        raise SourceProblem(
            "shape.no_month_columns",
            f"subscriptions: {label} has no column that is named after a month, as 2025-01, 01/2025, Jan 2025 and "
            f"2025-01-31 are; it has {', '.join(printable_line(name, 60) for name in columns[:30])}. Rename the "
            "columns, or choose another shape in sources.yaml.",
            dataset="subscriptions",
        )
    first: dict[object, str] = {}
    for column, month in found.items():
        if month in first:
            raise SourceProblem(
                "shape.month_twice",
                f"subscriptions: {label} has two columns of the same month, '{printable_line(first[month], 60)}' and "
                f"'{printable_line(column, 60)}'. Remove one of them.",
                dataset="subscriptions",
                column=column,
            )
        first[month] = column


def unpivot(raw: ir.Table, schema: pa.DataFrameSchema, sources: Sources) -> ir.Table:
    """One row per cell with a value in a month's column: the other columns, MONTH and PRICE. source_file also names
    the column, so that a place is one cell. A row without a customer is one row, so that it is rejected once."""
    months = month_columns((name for name in raw.columns if name not in PLACE), sources.date_formats)
    others = [name for name in raw.columns if name not in (*PLACE, *months) and plain_name(name) != PRICE]
    header = source_columns(raw, schema, sources.of(schema.name).columns).get("customer_id")
    has_customer = trimmed_text(raw[header], sources.null_values).notnull() if header else ibis.literal(False)
    are_numbers = all(raw[name].type().is_numeric() for name in months)
    # The name of each column begins with its month, so that it need not be looked up in every row.
    cells = {
        f"{month.isoformat()} {name}": raw[name].cast("float64") if are_numbers else source_text(raw[name])
        for name, month in months.items()
    }
    table = raw.select(*PLACE, *others, **cells, has_customer=has_customer)
    long = table.pivot_longer(ibis.selectors.cols(*cells), names_to=MONTH, values_to=PRICE)
    is_kept = ibis.ifelse(long.has_customer, has_value(long[PRICE], sources, {}), long[MONTH] == min(cells))
    return (
        long.filter(is_kept)
        .mutate(
            source_file=_.source_file + ", column " + _[MONTH].substr(MONTH_TEXT),
            **{MONTH: _[MONTH].left(MONTH_TEXT - 1)},
        )
        .drop("has_customer")
    )
