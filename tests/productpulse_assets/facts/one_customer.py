"""The signals of a customer, C1, who pays for one subscription unless a test says otherwise."""

import datetime as dt
import functools

import duckdb
import ibis

from productpulse_assets.facts.customer_signals import customer_signals
from tests.builders import calendar, dataset, rows
from tests.graph import RULES, unbound

AS_OF = dt.date(2026, 6, 30)
INPUTS = ("customers", "subscriptions", "transactions", "product_usage", "support_tickets", "nps_scores")


def ago(days):
    return AS_OF - dt.timedelta(days=days)


@functools.cache
def query():
    """The asset's SQL: compiled once, run on the rows of every test."""
    tables = {name: unbound(name) for name in (*INPUTS, "calendar")}
    return ibis.to_sql(customer_signals(**tables, rules=RULES), dialect="duckdb")


def signals(*columns, as_of=AS_OF, is_current=True, customers=({},), subscriptions=({},), **given):
    """The chosen signals of every customer paying at `as_of`."""
    given |= {"customers": customers, "subscriptions": subscriptions}
    tables = {name: dataset(name, *given.get(name, ())) for name in INPUTS}
    days = calendar("2024-01-01", str(as_of), is_current=is_current)
    with duckdb.connect() as connection:
        for name, table in (tables | {"calendar": days}).items():
            connection.register(name, table.to_pyarrow())
        return rows(ibis.memtable(connection.execute(query()).to_arrow_table()), *columns)
