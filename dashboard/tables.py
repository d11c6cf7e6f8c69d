"""Tables on a page: sorted and cut in DuckDB, numbers said as everywhere, all rows to download."""

from __future__ import annotations

import csv
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from math import ceil

import ibis.expr.types as ir
import pandas as pd
import streamlit as st

from dashboard.escape import plain
from dashboard.links import address
from dashboard.reading import Reading
from dashboard.states import nothing
from productpulse_assets.charts.palette import LEVELS, colour_of
from rules.text.formats import is_unknown, one_line, value_text
from rules.text.sql_text import escape_formula_text

ROWS = 50
OPEN = "Open"
UNKNOWN = "–"
TEXT, DATE, LEVEL = "text", "date", "level"
WIDTHS = {TEXT: None, DATE: "small", LEVEL: "small"}


@dataclass(frozen=True)
class Column:
    """A column of a table: its title, and how its values are said.

    `kind` is text, date, level (a band or status, on its colour) or a unit of rules/text/formats.py. `of`
    is the published table whose description of the column is shown as help.
    """

    name: str
    title: str
    kind: str = TEXT
    width: str | None = None
    of: str | None = None


Order = Mapping[str, Sequence[ir.Value]]
"""Ways to sort, by what they are called; the first is the one at the start."""

Telling = Callable[[ir.Table], ir.Table]
"""Adds columns to rows, and neither rows nor an order."""


def table(
    reading: Reading,
    found: ir.Table,
    columns: Sequence[Column],
    order: Order,
    *,
    key: str,
    noun: str,
    customer_column: str | None = None,
    told: Telling = lambda rows: rows,
) -> None:
    """A page of `found`, with its order and page in the address, and all of it as CSV.

    `noun` is what its rows are, in the plural; `customer_column` adds a link to the Customer 360;
    `told` adds what rows are told with and neither found nor ordered by: to a page of them, not to all.
    """
    count = reading.count(found)
    if not count:
        nothing(f"No {noun} here.", "Widen the search or clear the filters.")
        return
    with st.container(horizontal=True, vertical_alignment="bottom"):
        chosen = st.selectbox(
            f"Sort {noun} by", list(order), key=f"{key}_sort", bind="query-params", width=260, disabled=len(order) == 1
        )
        download(reading, told(found), key, noun, count)
    pages, grid, page = ceil(count / ROWS), st.container(), 1
    if pages > 1:
        with st.container(horizontal=True, vertical_alignment="center"):
            page = min(st.pagination(pages, key=f"{key}_page", bind="query-params"), pages)
            st.caption(f"{(page - 1) * ROWS + 1:,} to {min(page * ROWS, count):,} of {count:,} {noun}")
    listed = told(found.order_by(*order[chosen]).limit(ROWS, offset=(page - 1) * ROWS)).order_by(*order[chosen])
    with grid:
        _grid(reading, reading.frame(listed), columns, customer_column, f"{noun}, page {page} of {pages}")


def download(reading: Reading, found: ir.Table, key: str, noun: str, count: int) -> None:
    """A button for all rows as CSV, made when it is pressed."""
    st.download_button(
        f"{count:,} {noun} as CSV",
        data=lambda: reading.csv(found),
        file_name=f"{key}_{reading.as_of}.csv",
        mime="text/csv",
        key=f"{key}_csv",
        on_click="ignore",
        icon=":material/download:",
    )


def listing(
    reading: Reading, rows: pd.DataFrame, columns: Sequence[Column], label: str, customer_column: str | None = None
) -> None:
    """A few rows as they come, and the same rows with all their columns as CSV."""
    _grid(reading, rows, columns, customer_column, label)
    name = label.replace(" ", "_")
    st.download_button(
        "CSV",
        data=lambda: csv_of(rows),
        file_name=f"{name}_{reading.as_of}.csv",
        mime="text/csv",
        key=f"{name}_csv",
        on_click="ignore",
        icon=":material/download:",
        type="tertiary",
        help=f"Download: {label}",
    )


def csv_of(rows: pd.DataFrame) -> bytes:
    """Rows that are there already as CSV, as harmless as those that DuckDB writes."""
    told = rows.map(lambda value: escape_formula_text(value) if isinstance(value, str) else value)
    return told.to_csv(index=False, quoting=csv.QUOTE_NONNUMERIC).encode()


def _grid(
    reading: Reading, rows: pd.DataFrame, columns: Sequence[Column], customer_column: str | None, label: str
) -> None:
    shown_rows = rows[[column.name for column in columns]].copy()
    config = {column.name: _config(reading, column) for column in columns}
    if customer_column:
        links = [address("customer_360", customer=value) for value in rows[customer_column]]
        shown_rows.insert(0, OPEN, links)
        config[OPEN] = st.column_config.LinkColumn(OPEN, display_text=OPEN, width="small", help="Opens the customer")
    styled = shown_rows.style.format({column.name: _said(column, reading.currency) for column in columns})
    levels = [column.name for column in columns if column.kind == LEVEL]
    if levels:
        styled = styled.map(_coloured, subset=levels)
    st.dataframe(
        styled, hide_index=True, column_config=config, placeholder=UNKNOWN, alt=f"Table of {label}", height="content"
    )


def _config(reading: Reading, column: Column):
    meaning = reading.meaning(column.of, column.name) if column.of else None
    kind = st.column_config.TextColumn if column.kind in WIDTHS else st.column_config.NumberColumn
    return kind(column.title, width=column.width or WIDTHS.get(column.kind), help=plain(meaning) if meaning else None)


def _said(column: Column, currency: str):
    """How the values of a column are written."""

    def said(value: object) -> str:
        if is_unknown(value) or value is pd.NA or value is pd.NaT:
            return UNKNOWN
        if column.kind == DATE or isinstance(value, date):
            return str(value)[:10]
        if isinstance(value, bool):
            return "yes" if value else "no"
        if column.kind in WIDTHS:
            return one_line(value)
        return value_text(value, column.kind, currency)

    return said


def _coloured(level: object) -> str:
    return f"background-color: {colour_of(level)}; color: black" if level in LEVELS else ""
