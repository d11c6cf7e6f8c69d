"""Tables on a page: sorted and paged by DuckDB, with formatted values and a download of all rows."""

from __future__ import annotations

import csv
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from math import ceil
from typing import Any, Literal

import ibis.expr.types as ir
import pandas as pd
import streamlit as st

from dashboard.escape import markdown_text
from dashboard.links import page_address
from dashboard.reading import Reading
from dashboard.states import show_empty_state
from productpulse_assets.charts.palette import LEVELS, colour_of
from rules.text.formats import is_unknown, one_line, value_text
from rules.text.sql_text import escape_formula_text

ROWS = 50
"""Rows of a table on one page."""

OPEN = "Open"
UNKNOWN = "–"
TEXT, DATE, LEVEL, LINK = "text", "date", "level", "link"
Width = Literal["small", "medium", "large"]
WIDTHS: dict[str, Width | None] = {TEXT: None, DATE: "small", LEVEL: "small", LINK: "small"}
"""The default widths of columns that are not numbers, by kind."""


@dataclass(frozen=True)
class Column:
    """A column of a table: its title, and the format of its values.

    `kind` is text, date, level (a band or status, on its colour), link (an address of a page) or a unit of
    rules/text/formats.py. `of` is the
    published table whose description of the column is the help text. is_exact: money has cents.
    """

    name: str
    title: str
    kind: str = TEXT
    width: Width | None = None
    of: str | None = None
    is_exact: bool = False


Order = Mapping[str, Sequence[ir.Value]]
"""The sort orders by label; the first is the default."""

AddColumns = Callable[[ir.Table], ir.Table]
"""Adds columns to a table; changes neither its rows nor their order."""


def show_table(
    reading: Reading,
    rows: ir.Table,
    columns: Sequence[Column],
    order: Order,
    *,
    key: str,
    noun: str,
    customer_column: str | None = None,
    add_columns: AddColumns = lambda rows: rows,
    count: int | None = None,
) -> pd.DataFrame | None:
    """Show one page of `rows`, with the sort order and the page in the address, and a download of all rows.

    `noun` names the rows, in the plural. `customer_column` adds a link to the Customer 360. `add_columns` adds columns
    that rows are not sorted by: to the rows of the page, which is cheaper than to all rows. `count` is the number of
    rows, if it is known. Gives the rows of the page; None if there are none.
    """
    count = reading.count(rows) if count is None else count
    if not count:
        show_empty_state(f"No {noun} to show.", "Widen the search or clear the filters.")
        return None
    with st.container(horizontal=True, vertical_alignment="bottom"):
        sort_by = st.selectbox(
            f"Sort {noun} by", list(order), key=f"{key}_sort", bind="query-params", width=260, disabled=len(order) == 1
        )
        download_button(reading, add_columns(rows), key, noun, count)
    pages, grid, page = ceil(count / ROWS), st.container(), 1
    if pages > 1:
        with st.container(horizontal=True, vertical_alignment="center"):
            page = min(st.pagination(pages, key=f"{key}_page", bind="query-params"), pages)
            st.caption(f"{(page - 1) * ROWS + 1:,} to {min(page * ROWS, count):,} of {count:,} {noun}")
    one_page = rows.order_by(*order[sort_by]).limit(ROWS, offset=(page - 1) * ROWS)
    listed = add_columns(one_page).order_by(*order[sort_by])
    shown = reading.frame(listed)
    with grid:
        _show_grid(reading, shown, columns, customer_column, f"{noun}, page {page} of {pages}")
    return shown


def download_button(reading: Reading, rows: ir.Table, key: str, noun: str, count: int) -> None:
    """A button that downloads all rows as CSV; the file is written when the button is pressed."""
    st.download_button(
        f"{count:,} {noun} as CSV",
        data=lambda: reading.csv(rows),
        file_name=f"{key}_{reading.as_of}.csv",
        mime="text/csv",
        key=f"{key}_csv",
        on_click="ignore",
        icon=":material/download:",
    )


def show_rows(
    reading: Reading, rows: pd.DataFrame, columns: Sequence[Column], label: str, customer_column: str | None = None
) -> None:
    """Show a few rows in their order, and a button that downloads them with all their columns as CSV."""
    _show_grid(reading, rows, columns, customer_column, label)
    name = label.replace(" ", "_")
    st.download_button(
        "CSV",
        data=lambda: csv_bytes(rows),
        file_name=f"{name}_{reading.as_of}.csv",
        mime="text/csv",
        key=f"{name}_csv",
        on_click="ignore",
        icon=":material/download:",
        type="tertiary",
        help=f"Download: {label}",
    )


def csv_bytes(rows: pd.DataFrame) -> bytes:
    """Rows as CSV in which a spreadsheet runs no formula, as in the CSV that DuckDB writes."""
    escaped = rows.map(lambda value: escape_formula_text(value) if isinstance(value, str) else value)
    text: str = escaped.to_csv(index=False, quoting=csv.QUOTE_NONNUMERIC)
    return text.encode()


def _show_grid(
    reading: Reading, rows: pd.DataFrame, columns: Sequence[Column], customer_column: str | None, label: str
) -> None:
    cells = rows[[column.name for column in columns]].copy()
    config = {column.name: _column_config(reading, column) for column in columns}
    if customer_column:
        links = [page_address("customer_360", customer=value) for value in rows[customer_column]]
        cells.insert(0, OPEN, links)
        config[OPEN] = st.column_config.LinkColumn(OPEN, display_text=OPEN, width="small", help="Opens Customer 360")
    styled = cells.style.format({column.name: _value_format(column, reading.currency) for column in columns})
    levels = [column.name for column in columns if column.kind == LEVEL]
    if levels:
        styled = styled.map(_cell_style, subset=levels)
    st.dataframe(
        styled, hide_index=True, column_config=config, placeholder=UNKNOWN, alt=f"Table of {label}", height="content"
    )


def _column_config(reading: Reading, column: Column) -> Any:
    width, meaning = column.width or WIDTHS.get(column.kind), _column_help(reading, column)
    if column.kind == LINK:
        return st.column_config.LinkColumn(column.title, display_text=OPEN, width=width, help=meaning)
    kind = st.column_config.TextColumn if column.kind in WIDTHS else st.column_config.NumberColumn
    return kind(column.title, width=width, help=meaning)


def _column_help(reading: Reading, column: Column) -> str | None:
    meaning = reading.meaning(column.of, column.name) if column.of else None
    return markdown_text(meaning) if meaning else None


def _value_format(column: Column, currency: str) -> Callable[[Any], str]:
    """The function that formats the values of a column."""

    def value_format(value: Any) -> str:
        if is_unknown(value) or value is pd.NA or value is pd.NaT:
            return UNKNOWN
        if column.kind == DATE or isinstance(value, date):
            return str(value)[:10]
        if isinstance(value, bool):
            return "yes" if value else "no"
        if column.kind in WIDTHS:
            return one_line(value)
        return value_text(value, column.kind, currency, exact=column.is_exact)

    return value_format


def _cell_style(level: object) -> str:
    return f"background-color: {colour_of(level)}; color: black" if level in LEVELS else ""
