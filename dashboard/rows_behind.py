"""The panel "Customers behind it": a number, what it is compared with, and the rows that add up to it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

import ibis
import ibis.expr.types as ir
import pandas as pd
import streamlit as st
from ibis import _

from dashboard.asked_rows import ROWS_PERIOD, Asked, asked_rows, close_rows
from dashboard.escape import markdown_text
from dashboard.filters import add_customer_columns, select_value
from dashboard.links import page_address
from dashboard.reading import Reading
from dashboard.states import show_empty_state, show_errors
from dashboard.tables import Column, Order, show_table
from rules.metrics.parts import DENOMINATOR, NUMERATOR, VALUE
from rules.metrics.time_range import TimeRange
from rules.text.formats import name_with_key, value_text

TITLE = "Customers behind it"
PANEL_WIDTH = 860
TITLES = {VALUE: "Value", NUMERATOR: "Numerator", DENOMINATOR: "Denominator"}
KEYS = (_.customer_id, _.part, _.month, _.source_row)
LARGEST: Order = {"Largest": (_.part_amount.abs().desc(), *KEYS), "Customer": KEYS}


@dataclass(frozen=True)
class Behind:
    """A number with its rows.

    value, comparisons: as texts. slices: what it is about, in words. rows: those of `metric_rows`. sides: those that
    the rows have. sums: the sides that the contributions of the rows add up to. periods: the labels, by name, of the
    periods that the panel offers.
    """

    label: str
    slices: str
    value: str
    rows: ir.Table
    sides: tuple[str, ...]
    sums: tuple[str, ...]
    comparisons: tuple[str, ...] = ()
    period: TimeRange | None = None
    periods: Mapping[str, str] = field(default_factory=dict)


def show_panel(reading: Reading, find: Callable[[Reading, Asked], Behind | None]) -> None:
    """Show the panel if the address asks for it; `find` finds what it shows."""
    if asked_rows() is None:
        return

    @st.dialog(TITLE, width=PANEL_WIDTH, position="right", icon=":material/group:", on_dismiss=close_rows)
    def panel() -> None:
        asked = asked_rows()  # again: a choice in the panel reruns the panel alone
        if asked is not None:
            with show_errors():
                found = find(reading, asked)
                if found is None:
                    show_empty_state(f"There are no rows of {markdown_text(asked.name)} in this snapshot.")
                else:
                    show_behind(reading, found)

    panel()


def show_behind(reading: Reading, behind: Behind) -> None:
    """The number, its comparisons, the choice of period and side, and the rows."""
    about = ", ".join(filter(None, (behind.period.label if behind.period else "", behind.slices)))
    st.markdown(f"**{markdown_text(behind.label)}**{', ' + markdown_text(about) if about else ''}: **{behind.value}**")
    if behind.comparisons:
        st.caption(" · ".join(markdown_text(text) for text in behind.comparisons))
    known = [side for side in TITLES if side in behind.sides]
    with st.container(horizontal=True):
        if behind.period and behind.periods:
            select_period(behind.period, behind.periods)
        side = known[0] if known else VALUE
        if len(known) > 1:
            titles = {TITLES[each]: each for each in known}
            side = titles[select_value("Side", list(titles), key="rows_side")]
    show_side(reading, behind, side)


def select_period(period: TimeRange, labels: Mapping[str, str]) -> None:
    """A select box of the panel's period, which is part of the address."""
    key, labels = "rows_period_choice", {period.name: period.label, **labels}
    st.session_state[key] = period.name
    st.selectbox(
        "Period of the rows", list(labels), key=key, format_func=lambda name: labels[name],
        on_change=_write_period, args=(key,), width=260,
    )  # fmt: skip


def _write_period(key: str) -> None:
    st.query_params[ROWS_PERIOD] = st.session_state[key]


def show_side(reading: Reading, behind: Behind, side: str) -> None:
    """The rows of the value, the numerator or the denominator, with their total and the query."""
    rows = behind.rows.filter(_.side == side).mutate(part_amount=_.contribution.coalesce(_.amount))
    (about,) = reading.rows(
        rows.aggregate(
            count=_.count(),
            unit=ibis.ifelse(rows.unit.nunique() == 1, rows.unit.min(), "number"),
            total=rows.part_amount.sum(),
            parts=rows.part.nunique(),
            months=rows.month.nunique(),
            others=rows.customer_id.isnull().sum().fill_null(0),
            moved=rows.mrr_start.count(),
        )
    )
    unit = about["unit"] or "number"
    if side in behind.sums:
        total = value_text(about["total"] or 0, unit, reading.currency, exact=True)
        st.markdown(f"The amounts add up to the {side}: **{markdown_text(total)}**.")
    else:
        st.markdown(f"These are the rows that the {side} is computed from; it is no sum of them.")
    is_of_customers = about["others"] == 0
    who = (Column("company_name", "Company"), Column("customer_id", "Customer", width="small"))
    moved = tuple(
        Column(name, title, "money", is_exact=True)
        for name, title in (("mrr_start", "MRR before"), ("mrr_end", "MRR after"))
    )
    columns = (
        *(who if is_of_customers else (Column("source_row", "Row"),)),
        Column("part_amount", "Amount", unit, is_exact=True),
        *(moved if about["moved"] else ()),
        *((Column("part", "Part"),) if about["parts"] > 1 else ()),
        *((Column("month", "Month", "date", width="small"),) if about["months"] > 1 else ()),
    )
    shown = show_table(
        reading,
        rows,
        columns,
        LARGEST,
        key="rows",
        noun="rows",
        customer_column="customer_id" if is_of_customers else None,
        add_columns=lambda page: add_customer_columns(reading, page),
        count=about["count"],
    )
    if is_of_customers and shown is not None:
        show_customer_links(shown)
    show_sql(reading, rows)


def show_customer_links(shown: pd.DataFrame) -> None:
    """The customers of the table as links: those in a table's cells cannot be reached by keyboard."""
    names = dict(zip(shown["customer_id"], shown["company_name"], strict=True))
    with st.expander("The same customers as links"):
        st.markdown(
            "\n".join(
                f"- [{markdown_text(name_with_key(name, key))}]({page_address('customer_360', customer=key)})"
                for key, name in names.items()
            )
        )


def show_sql(reading: Reading, rows: ir.Table) -> None:
    """The query of the rows, written when the user opens it."""
    query = st.expander("SQL of these rows", key="rows_sql", on_change="rerun")
    if query.open:
        query.code(reading.sql(rows), language="sql", wrap_lines=True)
