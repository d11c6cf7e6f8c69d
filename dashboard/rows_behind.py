"""The customers behind a metric: its value in a month and slice, and the rows that add up to it."""

from __future__ import annotations

from collections.abc import Mapping

import ibis
import ibis.expr.types as ir
import streamlit as st
from ibis import _

from dashboard.escape import markdown_text
from dashboard.filters import add_customer_columns, select_value
from dashboard.reading import Reading
from dashboard.tables import Column, Order, show_table
from resources.published_snapshot import Row
from rules.metrics.parts import (
    DENOMINATOR,
    NUMERATOR,
    VALUE,
    is_present_only,
    metric_parts,
    sides_that_add_up,
)
from rules.metrics.rows import metric_rows
from rules.metrics.slices import PRESENT, in_slice, members_of, sliced_models, slices_of
from rules.metrics.time_range import TimeRange, parse_time_range
from rules.metrics.values import metric_values
from rules.text.formats import value_text

WHOLE = "All customers"
TITLES = {VALUE: "Value", NUMERATOR: "Numerator", DENOMINATOR: "Denominator"}
LARGEST: Order = {"Largest": (_.amount.abs().desc(), _.customer_id, _.part, _.month, _.source_row)}


def show_rows_behind(reading: Reading, metric: Row) -> None:
    """The value of the metric in the month and slice that the user chooses, and its rows by side."""
    catalog, name = reading.rules.metric_catalog, metric["metric_name"]
    if name not in catalog.metrics:
        return
    st.subheader("Customers behind it", divider="gray")
    models = sliced_models(catalog, reading.table, [*reading.rules.dimensions, *PRESENT])
    slices = slices_of(catalog, name, models, reading.rules.dimensions)
    boxes = st.columns(3)
    with boxes[0]:
        time_range = choose_month(reading, metric)
    with boxes[1]:
        column = select_value("Slice", [WHOLE, *slices], key="slice")
    members = [] if column == WHOLE else reading.values(members_of(catalog, name, models, column), "member")
    where = {}
    if members:
        with boxes[2]:
            where = {column: select_value("Member", members, key="member")}
    chosen = in_slice(sliced_models(catalog, reading.table, list(where)), where)
    (found,) = reading.rows(metric_values(catalog, name, chosen, reading.table("calendar"), [time_range])) or [{}]
    text = value_text(found.get(VALUE), metric["unit"], reading.currency, exact=True)
    member = "".join(f", {markdown_text(each)}" for each in where.values())
    st.markdown(f"**{markdown_text(metric['label'])}**, {time_range.label}{member}: **{text}**")
    sides = list(dict.fromkeys(part.side for part in metric_parts(catalog, name)))
    side = VALUE
    if sides != [VALUE]:
        titles = {TITLES[each]: each for each in sides}
        side = titles[select_value("Side", list(titles), key="side")]
    adds_up = side in sides_that_add_up(catalog, name)
    note = (
        f"The amounts add up to the {side}." if adds_up else "The rows that it is computed from; it is no sum of them."
    )
    st.caption(note)
    show_side(reading, metric, chosen, time_range, side)


def choose_month(reading: Reading, metric: Row) -> TimeRange:
    """The month; by default that of the metric's current value. A metric of the present has one month."""
    calendar = reading.rows(reading.table("calendar").order_by(_.month))
    months, complete = [row["month"] for row in calendar], [row["month"] for row in calendar if row["is_complete"]]
    known = months[-1:] if is_present_only(reading.rules.metric_catalog, metric["metric_name"]) else months[::-1]
    current = f"{metric['period_end']:%Y-%m}" if metric["period_end"] else None
    chosen = select_value("Month", [f"{month:%Y-%m}" for month in known], key="month", default=current)
    return parse_time_range(chosen, months, complete)


def show_side(reading: Reading, metric: Row, models: Mapping[str, ir.Table], time_range: TimeRange, side: str) -> None:
    """The rows of the value, the numerator or the denominator."""
    rows = metric_rows(reading.rules.metric_catalog, metric["metric_name"], models, time_range).filter(_.side == side)
    rows = rows.mutate(part_amount=_.contribution.coalesce(_.amount))
    (about,) = reading.rows(
        rows.aggregate(
            unit=ibis.ifelse(rows.unit.nunique() == 1, rows.unit.min(), "number"),
            parts=rows.part.nunique(),
            others=rows.customer_id.isnull().sum().fill_null(0),
            moved=rows.mrr_start.count(),
        )
    )
    is_of_customers = about["others"] == 0
    who = (Column("company_name", "Company"), Column("customer_id", "Customer", width="small"))
    moved = (Column("mrr_start", "MRR at the start", "money"), Column("mrr_end", "MRR at the end", "money"))
    columns = (
        *(who if is_of_customers else (Column("source_row", "Row"),)),
        Column("month", "Month", "date", width="small"),
        Column("part_amount", "Amount", about["unit"] or "number"),
        *(moved if about["moved"] else ()),
        *((Column("part", "Part"),) if about["parts"] > 1 else ()),
    )
    show_table(
        reading,
        rows,
        columns,
        LARGEST,
        key="rows",
        noun="rows",
        customer_column="customer_id" if is_of_customers else None,
        add_columns=lambda page: add_customer_columns(reading, page),
    )
