"""What the panel "Customers behind it" is asked for: part of the page's address, so that a link opens it too."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

import streamlit as st

ROWS, ROWS_PERIOD, ROWS_WHERE = "rows", "rows_period", "rows_where"


@dataclass(frozen=True)
class Asked:
    """The customers behind one number.

    name: a metric, or a list of dashboard/lists_behind.py. period: empty for that of the page. where: what the number
    is about besides the filters of the page, by column.
    """

    name: str
    period: str = ""
    where: Mapping[str, str] = field(default_factory=dict)


def asked_rows() -> Asked | None:
    """What the address asks for; None if it asks for no rows."""
    name = st.query_params.get(ROWS)
    pairs = [text.partition(":") for text in st.query_params.get_all(ROWS_WHERE)]
    where = {column: member for column, colon, member in pairs if colon}
    return Asked(name, st.query_params.get(ROWS_PERIOD, ""), where) if name else None


def open_rows(asked: Asked) -> None:
    """Write into the address that the panel is open; a callback, so that the same run shows it."""
    close_rows()
    st.query_params[ROWS] = asked.name
    if asked.period:
        st.query_params[ROWS_PERIOD] = asked.period
    if asked.where:
        st.query_params[ROWS_WHERE] = [f"{column}:{member}" for column, member in asked.where.items()]


def close_rows() -> None:
    """Remove the panel and what was chosen in it from the address."""
    for name in list(st.query_params):
        if name == ROWS or name.startswith(f"{ROWS}_"):
            del st.query_params[name]


def show_opening_button(asked: Asked, key: str, label: str = "Customers") -> None:
    """A button that opens the rows behind a number."""
    st.button(
        label, key=f"open_{key}", type="tertiary", icon=":material/group:", on_click=open_rows, args=(asked,)
    )  # fmt: skip
