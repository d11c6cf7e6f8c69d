"""Customers of a company without a file of customers: the first row of each one in another dataset."""

from __future__ import annotations

from dataclasses import replace

import ibis
import ibis.expr.types as ir
from ibis import _

from productpulse_assets.sources.casting import cast_column, trimmed_text
from productpulse_assets.sources.readers.raw_rows import RawRows
from rules.models import DatasetSource, Sources

DAY_OF = {"subscriptions": "start_date", "transactions": "transaction_date", "product_usage": "date"}
"""The datasets that customers can be taken from, and the column with the day of a row."""

OF_OTHERS = ("price", "minor_units", "negative_amounts", "inclusive_ends", "ends_of_active_rows", "repeated_ids", "ids")
"""Settings that change columns which customers do not have."""


def source_of_customers(customers: DatasetSource, other: DatasetSource) -> DatasetSource:
    """The source of `other` with the columns of customers: the id, the day as signup_date, and what customers name."""
    assert customers.rows_from
    day = DAY_OF[customers.rows_from]
    columns = {
        "customer_id": other.columns.get("customer_id", "customer_id"),
        "signup_date": other.columns.get(day, day),
    }
    own = {"columns": columns | customers.columns, "rows_from": customers.rows_from}
    defaults = {name: DatasetSource.model_fields[name].default for name in OF_OTHERS}
    return other.model_copy(update=defaults | own | {"max_reject_share": customers.max_reject_share})


def first_rows(raw: RawRows, found: dict[str, str], sources: Sources) -> RawRows:
    """The row of each customer's first day; of several of that day the first in the files.

    A row without a date comes after those that have one. Rows without a customer, and lines that could not be split
    into fields, are rejects of the other dataset.
    """
    named = raw.rows.mutate(customer=trimmed_text(raw.rows[found["customer_id"]], sources.null_values))
    rows = named.filter(named.customer.notnull())
    order: list[ir.Value] = [rows.source_file, rows.row_number]
    if "signup_date" in found:
        day = cast_column(rows[found["signup_date"]], ibis.dtype("date"), sources, {})
        order.insert(0, day.fill_null(ibis.date("9999-12-31")))
    window = ibis.window(group_by=rows.customer, order_by=order)
    numbered = rows.mutate(place=ibis.row_number().over(window))
    return replace(raw, rows=numbered.filter(_.place == 0).select(*raw.rows.columns), malformed=raw.malformed.limit(0))
