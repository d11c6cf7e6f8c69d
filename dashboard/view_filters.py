"""The filter bar: the period and the customers of a page's numbers. Its state is in the address, and links keep it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import ibis.expr.types as ir
import streamlit as st
from ibis import _

from dashboard.escape import markdown_text
from dashboard.filters import OPTION_LIMIT
from dashboard.links import KEPT, View
from dashboard.periods import PERIOD, period_names, range_named
from dashboard.reading import Reading
from dashboard.states import show_empty_state
from rules.metrics.compile import UNKNOWN_MEMBER
from rules.metrics.slices import PRESENT, member_of
from rules.text.formats import NAME_LIMIT, one_line

LATEST = "Latest"
PRESENT_ONLY = "This page shows the present: the period does not apply."
SHOWN = "shown_page"
"""Where the session has the page that was shown last."""

Where = Mapping[str, Sequence[str]]
"""The chosen members by column; a column without a choice is absent."""


def filter_columns(reading: Reading) -> list[str]:
    """The columns of the filter bar: the dimensions of segments.yaml, and those of PRESENT that the data has."""
    return list(_members(reading))


def present_customers(reading: Reading, columns: Sequence[str]) -> ir.Table:
    """One row per customer, with the member that it has today of each of the columns."""
    months = reading.models(columns)["customer_months"]
    return months.filter(_.month == _.month.max())


def column_title(column: str) -> str:
    """A column in words: `risk band`."""
    return column.replace("_", " ")


def members(reading: Reading, column: str) -> list[str]:
    """The members of a column that customers have in any month; of risk bands all, the highest risk first."""
    found, bands = _members(reading)[column], reading.risk_bands
    return [*bands, *(each for each in found if each not in bands)] if column == "risk_band" else found


def _members(reading: Reading) -> dict[str, list[str]]:
    """The members of each column that the data has, in order; a column without a value is absent."""

    def read() -> dict[str, list[str]]:
        columns = list(dict.fromkeys((*reading.rules.dimensions, *PRESENT)))
        months = reading.models(columns)["customer_months"]
        known = [column for column in columns if column in months.columns]
        rows = reading.rows(months.select(**{column: member_of(months, column) for column in known}).distinct())
        found = {column: sorted({row[column] for row in rows}) for column in known}
        return {column: values for column, values in found.items() if values != [UNKNOWN_MEMBER]}

    return reading.keep(("members",), read)


def keep_view(reading: Reading, page: View) -> None:
    """Give the address of a page the period and the filters of the page before, unless a link brought its own."""
    if not page.has_filters:
        return
    names = [*filter_columns(reading), PERIOD]
    given = {name: st.query_params.get_all(name) for name in names if name in st.query_params}
    moved, st.session_state[SHOWN] = st.session_state.get(SHOWN) != page.name, page.name
    if moved and not given:
        given = st.session_state.get(KEPT, {})
        for name, values in given.items():
            st.query_params[name] = values
    st.session_state[KEPT] = given


def show_filter_bar(reading: Reading, page: View) -> None:
    """The period and the filters above a page, as far as they mean something there."""
    if not page.has_filters:
        return
    columns = filter_columns(reading)
    with st.container(horizontal=True, vertical_alignment="bottom"):
        if page.has_period:
            _show_period(reading)
        with st.popover("Filters", icon=":material/filter_alt:"):
            for column in columns:
                _show_filter(reading, column)
            st.button("Clear all filters", on_click=_clear, args=(columns,), key="clear_filters")
        if where := chosen(reading):
            st.markdown(f"Only **{markdown_text(where_text(where))}**")
        if not page.has_period and st.query_params.get(PERIOD):
            st.caption(PRESENT_ONLY)
    for column in columns:
        known = members(reading, column) if column in st.query_params else []
        _report(column_title(column), [each for each in st.query_params.get_all(column) if each not in known])


def _show_period(reading: Reading) -> None:
    """The select box of the period; one of another form, such as 2026-02..2026-04, comes from the address."""
    asked = st.query_params.get(PERIOD, "")
    names = ["", *period_names(reading)]
    if asked and range_named(reading, asked) is None:
        _report("period", [asked])
        asked = ""
    key = "period_choice"
    st.session_state[key] = asked
    st.selectbox(
        "Period",
        names if asked in names else [*names, asked],
        key=key,
        format_func=lambda name: period_label(reading, name),
        on_change=_write_address,
        args=(PERIOD, key),
        width=260,
    )


def period_label(reading: Reading, name: str) -> str:
    """The words for a period of the address; without one, each metric has its latest month."""
    found = range_named(reading, name) if name else None
    return found.label if found else LATEST


def _report(what: str, values: Sequence[str]) -> None:
    if values:
        names = ", ".join(markdown_text(one_line(value, NAME_LIMIT)) for value in values)
        show_empty_state(f"There is no {what} {names} in this snapshot.", "The page ignores it.")


def where_text(where: Where) -> str:
    """The chosen members in words: `segment SMB or Enterprise, plan Pro`."""
    return ", ".join(f"{column_title(column)} {' or '.join(values)}" for column, values in where.items())


def _show_filter(reading: Reading, column: str) -> None:
    options, key = members(reading, column), f"filter_{column}"
    st.session_state[key] = [value for value in st.query_params.get_all(column) if value in options]
    st.multiselect(
        column_title(column).capitalize(),
        options,
        key=key,
        placeholder="All",
        format_func=lambda value: one_line(value, OPTION_LIMIT),
        on_change=_write_address,
        args=(column, key),
    )


def _write_address(name: str, key: str) -> None:
    if st.session_state[key]:
        st.query_params[name] = st.session_state[key]
    else:
        st.query_params.pop(name, None)


def _clear(columns: Sequence[str]) -> None:
    for column in columns:
        st.query_params.pop(column, None)


def chosen(reading: Reading) -> dict[str, list[str]]:
    """The chosen members by column, those of the address that the snapshot has."""
    given = {name: st.query_params.get_all(name) for name in filter_columns(reading) if name in st.query_params}
    known = {column: [each for each in values if each in members(reading, column)] for column, values in given.items()}
    return {column: values for column, values in known.items() if values}


def members_only(table: ir.Table, where: Where) -> ir.Table:
    """The rows of these members."""
    for column, values in where.items():
        table = table.filter(member_of(table, column).isin(list(values)))
    return table


def in_view(reading: Reading, rows: ir.Table, own: Sequence[str] = ()) -> ir.Table:
    """The rows of the customers who have the chosen members today; all rows if nothing is chosen.

    Of the columns `own`, the member counts that a row has itself, which may be of another day.
    """
    where = chosen(reading)
    rows = members_only(rows, {column: where[column] for column in own if column in where})
    today = {column: values for column, values in where.items() if column not in own}
    return (
        rows.semi_join(members_only(present_customers(reading, list(today)), today), "customer_id") if today else rows
    )


def models_in_view(reading: Reading, where: Where, by: Sequence[str] = ()) -> dict[str, ir.Table]:
    """The tables that metrics are computed from, with the rows of these members and the columns `by`.

    A table without the columns of the members is absent.
    """
    columns = list(dict.fromkeys((*where, *by)))
    return rows_of_members(reading.models(columns), where)


def rows_of_members(models: Mapping[str, ir.Table], where: Where) -> dict[str, ir.Table]:
    """The models that have every column of `where`, with the rows of these members only."""
    return {name: members_only(table, where) for name, table in models.items() if set(where) <= set(table.columns)}


def view_key(reading: Reading) -> tuple[object, ...]:
    """What the page's numbers depend on besides the snapshot and the rules."""
    return (
        st.query_params.get(PERIOD, ""),
        tuple((column, tuple(values)) for column, values in chosen(reading).items()),
    )
