"""The receivables ledger of a few rows: every table of it, computed as a run does."""

from __future__ import annotations

import datetime as dt

import ibis
import ibis.expr.types as ir

from productpulse_assets.facts.billing_schedules import billing_schedules
from productpulse_assets.facts.bills import bills
from productpulse_assets.facts.contract_lines import contract_lines
from productpulse_assets.facts.contract_terms import contract_terms
from productpulse_assets.facts.payment_applications import account_transactions, payment_applications
from productpulse_assets.facts.receivables import bill_balances, receivables
from productpulse_assets.tables import declaration_of
from rules.rule_set import Rules
from tests.builders import calendar, dataset, inventory, rows, store
from tests.graph import RULES, plan, unbound

AS_OF = "2026-06-30"
LEDGER = (
    contract_lines,
    billing_schedules,
    bills,
    account_transactions,
    payment_applications,
    bill_balances,
    receivables,
)
QUERIES: dict[tuple[str, str], str] = {}


def sub(subscription_id: str = "S1", start: str = "2026-01-05", **given: object) -> dict[str, object]:
    """A monthly subscription of C1 at 100."""
    return {"subscription_id": subscription_id, "start_date": start} | given


def pay(
    day: str, amount: float = 100, status: str = "Success", subscription_id: str = "S1", **given: object
) -> dict[str, object]:
    """A transaction of S1; T1, T2 and so on in the order they are given."""
    return {"transaction_date": day, "amount": amount, "status": status, "subscription_id": subscription_id} | given


def fail(day: str, amount: float = 100, subscription_id: str = "S1") -> dict[str, object]:
    """A failed attempt for S1."""
    return pay(day, amount, "Failed", subscription_id)


def give_back(day: str, amount: float = 100) -> dict[str, object]:
    """A refund to S1."""
    return pay(day, amount, "Refunded")


def query(function, rules: Rules) -> str:
    """A table's function as SQL, once for the same rules: compiling takes longer than computing."""
    if rules is RULES:
        return plan().tables[function.__name__].sql
    key = (function.__name__, rules.leakage_rules.model_dump_json())
    if key not in QUERIES:
        declaration = declaration_of(function)
        expression = declaration.call(unbound, rules=rules)
        QUERIES[key] = ibis.to_sql(expression, dialect="duckdb")
    return QUERIES[key]


def computed(backend: ibis.BaseBackend, functions, rules: Rules = RULES) -> dict[str, ir.Table]:
    """The tables of these functions, each stored in `backend`, which has their inputs."""
    for function in functions:
        backend.raw_sql(f'CREATE TABLE "{function.__name__}" AS {query(function, rules)}')
    return {function.__name__: backend.table(function.__name__) for function in functions}


def ledger(subscriptions=(), transactions=(), *, as_of: str = AS_OF, rules: Rules = RULES) -> dict[str, ir.Table]:
    """Every table of the ledger, for the customers of these rows."""
    customers = sorted({str(row.get("customer_id", "C1")) for row in subscriptions})
    first = min([str(row["start_date"]) for row in subscriptions] or [as_of])
    backend = store(
        {
            "customers": dataset("customers", *({"customer_id": each} for each in customers)),
            "subscriptions": dataset("subscriptions", *subscriptions),
            "transactions": dataset("transactions", *transactions),
            "calendar": calendar(min(first, as_of), as_of),
        }
    )
    return computed(backend, LEDGER, rules)


def months(first: str, count: int, amount: float = 100, **given: object) -> list[dict[str, object]]:
    """A payment on the same day of each of `count` months."""
    start = dt.date.fromisoformat(first)
    days = [(start.year * 12 + start.month - 1 + later, start.day) for later in range(count)]
    return [pay(dt.date(month // 12, month % 12 + 1, day).isoformat(), amount, **given) for month, day in days]


def account(tables: dict[str, ir.Table], *columns: str) -> list[tuple]:
    """Columns of receivables."""
    return rows(tables["receivables"], *columns)


def terms(customers: ir.Table, subscriptions: ir.Table, transactions: ir.Table, days: ir.Table) -> ir.Table:
    """contract_terms of whole tables."""
    given = {"customers": customers, "subscriptions": subscriptions, "transactions": transactions, "calendar": days}
    backend = store(given | {"source_inventory": inventory()})
    return ibis.memtable(computed(backend, (contract_lines, contract_terms))["contract_terms"].to_pyarrow())


def balances(customers: ir.Table, subscriptions: ir.Table, transactions: ir.Table, days: ir.Table) -> ir.Table:
    """bill_balances of whole tables."""
    backend = store(
        {"customers": customers, "subscriptions": subscriptions, "transactions": transactions, "calendar": days}
    )
    return ibis.memtable(computed(backend, LEDGER)["bill_balances"].to_pyarrow())
