"""Search boxes and filters. Each is part of the page's address, and each becomes a condition of the query."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

import ibis.expr.types as ir
import streamlit as st
from ibis import or_

from dashboard.escape import markdown_text
from dashboard.reading import Reading
from dashboard.states import show_empty_state
from rules.text.formats import NAME_LIMIT, one_line

OPTION_LIMIT = 60
"""The largest number of characters of an option in a select box."""


def search(table: ir.Table, columns: Sequence[str], *, key: str = "q", label: str = "Search", hint: str) -> ir.Table:
    """The rows in which every typed word is contained in one of the columns; upper and lower case are the same."""
    for word in search_words(key, label, hint):
        table = table.filter(contains_word(table, columns, word))
    return table


def search_with_customer_names(
    reading: Reading, table: ir.Table, columns: Sequence[str], *, key: str, label: str = "Search", hint: str
) -> ir.Table:
    """As `search`, but the name of the row's customer counts too.

    Names are searched in the table of customers, which is smaller than a join with `table`.
    """
    names = customer_attributes(reading)
    for word in search_words(key, label, hint):
        ids = names.filter(contains_word(names, ["company_name"], word)).customer_id
        table = table.filter(contains_word(table, columns, word) | table.customer_id.isin(ids).fill_null(False))
    return table


def search_words(key: str, label: str, hint: str) -> list[str]:
    """The words typed into a search box, in lower case."""
    typed = st.text_input(label, key=key, bind="query-params", placeholder=hint, icon=":material/search:")
    return (typed or "").lower().split()


def contains_word(table: ir.Table, columns: Sequence[str], word: str) -> ir.BooleanColumn:
    """Whether one of the columns contains the word."""
    return or_(*(table[column].lower().contains(word).fill_null(False) for column in columns))


def filter_by_column(
    reading: Reading, table: ir.Table, options_from: ir.Table | str, column: str, *, key: str, label: str
) -> ir.Table:
    """The rows whose column has one of the chosen values; all rows if nothing is chosen.

    The options are the values of the column in `options_from`, a published table by name or an expression.
    """
    source = reading.table(options_from) if isinstance(options_from, str) else options_from
    options = [str(value) for value in reading.values(source, column)]
    return filter_by_values(table, column, options, key=key, label=label)


def filter_by_values(table: ir.Table, column: str, values: Sequence[str], *, key: str, label: str) -> ir.Table:
    """As `filter_by_column`, with the options in a given order, such as bands."""
    unknown = _unknown_values(values, key)
    chosen = st.multiselect(
        label,
        values,
        key=key,
        bind="query-params",
        placeholder="All",
        format_func=lambda value: one_line(value, OPTION_LIMIT),
    )
    _report_unknown(unknown, label)
    return table.filter(table[column].isin(chosen)) if chosen else table


def select_value(label: str, values: Sequence[str], *, key: str, default: str | None = None) -> str:
    """A select box with a few values; the choice is part of the page's address."""
    unknown = _unknown_values(values, key)
    first = default if default is not None and default in values else values[0]
    chosen: str = st.selectbox(
        label,
        list(values),
        index=list(values).index(first),
        key=key,
        bind="query-params",
        format_func=lambda value: one_line(value, OPTION_LIMIT),
    )
    _report_unknown(unknown, label)
    return chosen


def _unknown_values(values: Sequence[str], key: str) -> list[str]:
    """The values in the address that the snapshot does not have; Streamlit removes them when it builds the widget."""
    return [value for value in st.query_params.get_all(key) if value not in values]


def _report_unknown(values: Sequence[str], label: str) -> None:
    if values:
        names = ", ".join(one_line(value, NAME_LIMIT) for value in values)
        what = f"{markdown_text(label.lower())} {markdown_text(names)}"
        show_empty_state(f"There is no {what} in this snapshot.", "The page ignores it.")


def requested_key(key: str) -> str | None:
    """The key that a link or a typed address asks for; None if `select_by_name` itself wrote the address."""
    requested = st.query_params.get(key)
    return requested if requested != st.session_state.get(f"{key}_written") else None


def select_by_name(
    label: str,
    names: Mapping[str, str],
    *,
    key: str,
    default: str | None = None,
    is_known: Callable[[str], bool] = lambda _: False,
) -> str | None:
    """A select box that shows names (`names`: by key); the key of the choice is part of the page's address.

    If the address has a key that is neither in `names` nor known to `is_known` (for names that are only a part), the
    page reports it, keeps the address, and selects nothing until the user does. Streamlit's own binding would write
    the name into the address, which can be long and is not always unique.
    """
    widget, written = f"{key}_choice", f"{key}_written"
    requested, is_new = st.query_params.get(key), requested_key(key) is not None
    is_missing = requested is not None and requested not in names and not is_known(requested)
    if is_new and requested in names:
        st.session_state[widget] = requested  # the user followed a link, or changed the address
    elif is_missing and (is_new or st.session_state.get(widget) == requested):
        st.session_state[widget], st.session_state[written] = None, requested
    current = st.session_state.get(widget)
    is_empty = is_missing and current not in names
    if not is_empty and current not in names:
        st.session_state[widget] = default if default in names else next(iter(names))
    chosen: str | None = st.selectbox(
        label,
        list(names),
        index=None if is_empty else 0,
        key=widget,
        placeholder="Choose one",
        format_func=lambda value: one_line(names.get(value, value), 2 * OPTION_LIMIT),
    )
    if chosen is None:
        what = f"{markdown_text(label.lower())} {markdown_text(requested, NAME_LIMIT)}"
        show_empty_state(f"There is no {what} in this snapshot.", "Choose one above.")
        return None
    st.query_params[key] = st.session_state[written] = chosen
    return chosen


def customer_attributes(reading: Reading) -> ir.Table:
    """One row per customer, with the attributes that lists are searched and filtered by."""
    about = reading.table("customer_360")
    return about.select("customer_id", "company_name", "segment", "plan", "country", "churn_risk_band")


def add_customer_columns(reading: Reading, table: ir.Table) -> ir.Table:
    """The rows with the name, segment, plan, country and risk band of their customer; no row is lost.

    A column that the table already has is not added.
    """
    attributes = customer_attributes(reading)
    added = [name for name in attributes.columns if name not in table.columns]
    return table.left_join(attributes.select("customer_id", *added), "customer_id").select(*table.columns, *added)
