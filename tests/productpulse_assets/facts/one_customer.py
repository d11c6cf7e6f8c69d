"""The signals of a customer, C1, who pays for one subscription unless a test says otherwise."""

import datetime as dt

import ibis

from productpulse_assets.facts.contract_lines import contract_lines
from productpulse_assets.facts.contract_terms import contract_terms
from productpulse_assets.facts.customer_signals import customer_signals
from productpulse_assets.facts.mrr_periods import mrr_periods
from tests.builders import calendar, dataset, inventory, rows, store
from tests.graph import empty
from tests.productpulse_assets.facts.ledger import LEDGER, computed

AS_OF = dt.date(2026, 6, 30)
INPUTS = ("customers", "subscriptions", "transactions", "product_usage", "support_tickets", "nps_scores")


def ago(days):
    return AS_OF - dt.timedelta(days=days)


def signals(
    *columns, as_of=AS_OF, is_current=True, with_bills=True, absent=(), customers=({},), subscriptions=({},), **given
):
    """The chosen signals of every customer paying at `as_of`.

    Signals that no bill changes need no ledger: without `with_bills` there is not one bill. The source of
    subscriptions lacks the columns `absent`.
    """
    given |= {"customers": customers, "subscriptions": subscriptions}
    tables = {name: dataset(name, *given.get(name, ())) for name in INPUTS}
    tables["exchange_rates"] = dataset("exchange_rates")
    tables["calendar"] = calendar("2024-01-01", str(as_of), is_current=is_current)
    tables["source_inventory"] = inventory(*absent)
    if not with_bills:
        tables["bill_balances"] = empty("bill_balances")
    ledger = LEDGER if with_bills else (contract_lines,)
    functions = (*ledger, contract_terms, mrr_periods, customer_signals)
    found = computed(store(tables), functions)["customer_signals"]
    return rows(ibis.memtable(found.to_pyarrow()), *columns)


def signals_without_bills(*columns, **given):
    """The same for signals that no bill changes."""
    return signals(*columns, with_bills=False, **given)
