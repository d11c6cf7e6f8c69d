"""A handful of rows of each dataset, as tables: what a test does not say has a plain default."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping

import ibis
import ibis.expr.operations as ops
import ibis.expr.types as ir
import pyarrow as pa
from ibis.backends.duckdb import Backend

from asset_checks.contracts import CONTRACTS, table_schema
from productpulse_assets.facts.calendar import SCHEMA as CALENDAR
from productpulse_assets.facts.calendar import months
from productpulse_assets.sources.inventory import SCHEMA as INVENTORY
from resources.tables import rows_of, table_of

DEFAULTS = {
    "customers": {"signup_date": "2026-01-01", "segment": "SMB", "country": "DE", "acquisition_channel": "Organic"},
    "subscriptions": {
        "plan": "Growth",
        "status": "Active",
        "start_date": "2026-01-01",
        "monthly_price": 100,
        "billing_cycle": "Monthly",
    },
    "transactions": {"amount": 100, "currency": "USD", "status": "Success"},
    "product_usage": {"logins": 1, "key_actions": 1, "active_users": 1, "features_used": 1},
    "support_tickets": {"status": "Open", "priority": "Low"},
    "nps_scores": {},
    "acquisition_channels": {},
    "targets": {},
    "exchange_rates": {},
    "acquisition_spend": {"channel_name": "Organic", "month": "2026-01-01", "amount": 100},
    "annotations": {"date": "2026-01-01", "text": "New prices"},
}


def day(text: str | dt.date | None) -> dt.date | None:
    return dt.date.fromisoformat(text) if isinstance(text, str) else text


def dataset(name: str, *rows: dict[str, object]) -> ir.Table:
    """Rows of a dataset; its key is numbered and every subscription belongs to C1 unless said."""
    schema = table_schema(CONTRACTS[name])
    key = CONTRACTS[name].metadata["key"][0]
    complete = []
    for number, row in enumerate(rows, start=1):
        full = dict.fromkeys(schema) | DEFAULTS[name]
        if key.endswith("_id"):
            full[key] = f"{key[0].upper()}{number}"
        if "customer_id" in schema and key != "customer_id":
            full["customer_id"] = "C1"
        full |= row
        complete.append({c: _value(full[c], kind) for c, kind in schema.items()})
    return table_of(complete, schema)


def _value(value: object, kind) -> object:
    from decimal import Decimal

    if kind.is_date():
        return day(value)
    return Decimal(str(value)) if kind.is_decimal() and value is not None else value


def calendar(first: str, as_of: str, *, is_current: bool = True) -> ir.Table:
    """The months from that of `first` to that of `as_of`; `is_current` unless the data is newer."""
    return table_of(months(day(first), day(as_of), is_current=is_current), CALENDAR)


def inventory(*absent: str) -> ir.Table:
    """source_inventory of a source of subscriptions that lacks the columns `absent`."""
    row = dict.fromkeys(INVENTORY) | {"dataset": "subscriptions", "columns_absent": ", ".join(absent)}
    return table_of([row], INVENTORY)


def rows(table: ir.Table, *columns: str, by: tuple[str, ...] = ()) -> list[tuple]:
    """The chosen columns of a table, in the order of `by` (or of the columns), as plain tuples."""
    ordered = table.select(*dict.fromkeys((*columns, *by))).order_by(list(by or columns))
    return [tuple(_plain(row[column]) for column in columns) for row in rows_of(ordered)]


def _plain(value: object) -> object:
    from decimal import Decimal

    if isinstance(value, Decimal):
        return float(value)
    return value.isoformat() if isinstance(value, dt.date) else value


def store(tables: Mapping[str, ir.Table]) -> Backend:
    """A DuckDB of its own with these tables; one thread, because several need longer for a few rows."""
    backend = ibis.duckdb.connect(threads=1)
    for name, table in tables.items():
        backend.con.register("given", arrow_of(table))
        backend.con.execute(f'CREATE TABLE "{name}" AS FROM given')
    backend.con.unregister("given")
    return backend


def arrow_of(table: ir.Table) -> pa.Table:
    """The rows of a table; those that a test gives are not sent through a database first."""
    node = table.op()
    return node.data.to_pyarrow(node.schema) if isinstance(node, ops.InMemoryTable) else table.to_pyarrow()


def stored(sql: str, **tables: ir.Table) -> ir.Table:
    """What a compiled query gives over these tables, in a DuckDB of its own."""
    backend = store(tables)
    backend.raw_sql(f"CREATE TABLE result AS {sql}")
    return backend.table("result")
