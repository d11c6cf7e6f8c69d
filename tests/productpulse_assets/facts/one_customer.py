"""The signals of a customer, C1, who pays for one subscription unless a test says otherwise."""

import datetime as dt

import ibis

from productpulse_assets.facts.customer_signals import customer_signals
from tests.builders import calendar, dataset, rows
from tests.productpulse_assets.facts.ledger import LEDGER, computed, store

AS_OF = dt.date(2026, 6, 30)
INPUTS = ("customers", "subscriptions", "transactions", "product_usage", "support_tickets", "nps_scores")


def ago(days):
    return AS_OF - dt.timedelta(days=days)


def signals(*columns, as_of=AS_OF, is_current=True, customers=({},), subscriptions=({},), **given):
    """The chosen signals of every customer paying at `as_of`."""
    given |= {"customers": customers, "subscriptions": subscriptions}
    tables = {name: dataset(name, *given.get(name, ())) for name in INPUTS}
    days = calendar("2024-01-01", str(as_of), is_current=is_current)
    found = computed(store(tables | {"calendar": days}), (*LEDGER, customer_signals))["customer_signals"]
    return rows(ibis.memtable(found.to_pyarrow()), *columns)
