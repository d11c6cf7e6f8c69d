"""Search boxes and filters, each in the page's address, each a condition that DuckDB looks for."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

import ibis.expr.types as ir
import streamlit as st
from ibis import or_

from dashboard.escape import plain
from dashboard.reading import Reading
from dashboard.states import nothing
from rules.text.formats import NAME_LIMIT, one_line

OPTION_LIMIT = 60


def search(table: ir.Table, columns: Sequence[str], *, key: str = "q", label: str = "Search", hint: str) -> ir.Table:
    """The rows in which one of the columns holds every word that is typed, whatever its case."""
    for word in words(key, label, hint):
        table = table.filter(holds(table, columns, word))
    return table


def search_with_customers(
    reading: Reading, table: ir.Table, columns: Sequence[str], *, key: str, label: str = "Search", hint: str
) -> ir.Table:
    """As `search`, in the name of the row's customer too: looked for among customers, not beside every row."""
    names = customer_names(reading)
    for word in words(key, label, hint):
        called_so = names.filter(holds(names, ["company_name"], word)).customer_id
        table = table.filter(holds(table, columns, word) | table.customer_id.isin(called_so).fill_null(False))
    return table


def words(key: str, label: str, hint: str) -> list[str]:
    """What is typed into a search box, in lower case."""
    typed = st.text_input(label, key=key, bind="query-params", placeholder=hint, icon=":material/search:")
    return (typed or "").lower().split()


def holds(table: ir.Table, columns: Sequence[str], word: str) -> ir.BooleanColumn:
    """Whether a word stands in one of the columns."""
    return or_(*(table[column].lower().contains(word).fill_null(False) for column in columns))


def choose(reading: Reading, table: ir.Table, source: str, column: str, *, key: str, label: str) -> ir.Table:
    """The rows whose column is one of the values chosen among those of `source`; without a choice, all."""
    return choose_of(reading, table, reading.table(source), column, key=key, label=label)


def choose_of(reading: Reading, table: ir.Table, every: ir.Table, column: str, *, key: str, label: str) -> ir.Table:
    """As `choose`, among the values of the table `every`."""
    return among(table, column, [str(value) for value in reading.values(every, column)], key=key, label=label)


def among(table: ir.Table, column: str, values: Sequence[str], *, key: str, label: str) -> ir.Table:
    """As `choose`, among values whose order means something."""
    absent = _absent(values, key)
    chosen = st.multiselect(
        label,
        values,
        key=key,
        bind="query-params",
        placeholder="All",
        format_func=lambda value: one_line(value, OPTION_LIMIT),
    )
    _report(absent, label)
    return table.filter(table[column].isin(chosen)) if chosen else table


def pick(label: str, values: Sequence[str], *, key: str, default: str | None = None) -> str:
    """One of a few values, in the page's address."""
    absent = _absent(values, key)
    first = default if default in values else values[0]
    chosen = st.selectbox(
        label,
        values,
        index=list(values).index(first),
        key=key,
        bind="query-params",
        format_func=lambda value: one_line(value, OPTION_LIMIT),
    )
    _report(absent, label)
    return chosen


def _absent(values: Sequence[str], key: str) -> list[str]:
    """What the address asks for and the snapshot does not have; Streamlit drops it when it makes the widget."""
    return [value for value in st.query_params.get_all(key) if value not in values]


def _report(absent: Sequence[str], label: str) -> None:
    if absent:
        names = ", ".join(one_line(value, NAME_LIMIT) for value in absent)
        nothing(f"There is no {plain(label.lower())} {plain(names)} in this snapshot.", "It is left out.")


def linked(key: str) -> str | None:
    """What a link or an address typed by hand asks for; None where the address is what `pick_named` wrote."""
    asked = st.query_params.get(key)
    return asked if asked != st.session_state.get(f"{key}_told") else None


def pick_named(
    label: str,
    names: Mapping[str, str],
    *,
    key: str,
    default: str | None = None,
    is_known: Callable[[str], bool] = lambda _: False,
) -> str | None:
    """One of many things by its name, of which the address holds the key.

    An address that asks for something that is not among the names and is not known otherwise is reported,
    and stays as it is; nothing is chosen until somebody chooses. `is_known` is for names that are only a part.
    Streamlit's own binding would put the name there, which can be long, and need not be unique.
    """
    widget, told = f"{key}_choice", f"{key}_told"
    asked, is_new = st.query_params.get(key), linked(key) is not None
    is_missing = asked is not None and asked not in names and not is_known(asked)
    if is_new and asked in names:
        st.session_state[widget] = asked  # a link led here, or somebody changed the address
    elif is_missing and (is_new or st.session_state.get(widget) == asked):
        st.session_state[widget], st.session_state[told] = None, asked
    current = st.session_state.get(widget)
    is_open = is_missing and current not in names
    if not is_open and current not in names:
        st.session_state[widget] = default if default in names else next(iter(names))
    chosen = st.selectbox(
        label,
        list(names),
        index=None if is_open else 0,
        key=widget,
        placeholder="Choose one",
        format_func=lambda value: one_line(names.get(value, value), 2 * OPTION_LIMIT),
    )
    if chosen is None:
        nothing(f"There is no {plain(label.lower())} {plain(asked, NAME_LIMIT)} in this snapshot.", "Choose one above.")
        return None
    st.query_params[key] = st.session_state[told] = chosen
    return chosen


def customer_names(reading: Reading) -> ir.Table:
    """What a list of a customer's things is searched and filtered by: one row per customer."""
    about = reading.table("customer_360")
    return about.select("customer_id", "company_name", "segment", "plan", "country", "churn_risk_band")


def with_customers(reading: Reading, table: ir.Table) -> ir.Table:
    """Each row beside its customer's name, segment, plan and band; rows without a customer stay."""
    names = customer_names(reading)
    own = [name for name in names.columns if name not in table.columns]
    return table.left_join(names.select("customer_id", *own), "customer_id").select(*table.columns, *own)
