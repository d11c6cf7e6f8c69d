"""Small companies to look for leakage in: subscriptions of 100 a month, seen on 30 June 2026."""

from __future__ import annotations

import functools

import ibis
import ibis.expr.types as ir

from productpulse_assets.risk.leakage.assets import leakage_summary, revenue_leakage
from rules.loading.files import file_hash
from tests.builders import calendar, dataset, rows

AS_OF = "2026-06-30"
START = "2026-01-05"


def sub(subscription_id: str = "S1", start: str = START, **given: object) -> dict[str, object]:
    """A monthly subscription of C1 at 100."""
    return {"subscription_id": subscription_id, "start_date": start} | given


def pay(day: str, amount: float = 100, status: str = "Success", subscription_id: str = "S1") -> dict[str, object]:
    """A transaction of S1; T1, T2 and so on in the order they are given."""
    return {"transaction_date": day, "amount": amount, "status": status, "subscription_id": subscription_id}


def fail(day: str, amount: float = 100) -> dict[str, object]:
    """A failed attempt for S1."""
    return pay(day, amount, "Failed")


def give_back(day: str, amount: float = 100) -> dict[str, object]:
    """A refund to S1."""
    return pay(day, amount, "Refunded")


def login(day: str, logins: int = 1) -> dict[str, object]:
    """Use of the product by C1."""
    return {"date": day, "logins": logins}


def inputs(
    subscriptions=(), transactions=(), usage=(), *, as_of: str = AS_OF, is_current: bool = True
) -> dict[str, ir.Table]:
    """The tables that the assets are given, of these rows."""
    return {
        "subscriptions": dataset("subscriptions", *subscriptions),
        "transactions": dataset("transactions", *transactions),
        "product_usage": dataset("product_usage", *usage),
        "calendar": calendar("2026-01-01", as_of, is_current=is_current),
    }


@functools.lru_cache
def query(rules: str) -> str:
    """revenue_leakage as SQL, by the hash of its rules: compiling takes longer than finding."""
    unbound = {name: ibis.table(table.schema(), name=name) for name, table in inputs().items()}
    return ibis.to_sql(revenue_leakage(**unbound), dialect="duckdb")


def leakage(*given, **when) -> ir.Table:
    """revenue_leakage of the company of `inputs`."""
    backend = ibis.duckdb.connect()
    for name, table in inputs(*given, **when).items():
        backend.create_table(name, table.to_pyarrow())
    return ibis.memtable(backend.raw_sql(query(file_hash("leakage_rules"))).to_arrow_table())


def summary(*given, **when) -> ir.Table:
    """leakage_summary of the company of `inputs`."""
    tables = inputs(*given, **when)
    tables.pop("subscriptions")
    return leakage_summary(revenue_leakage=leakage(*given, **when), **tables)


def losses(table: ir.Table, kind: str) -> list[tuple]:
    """(period_start, loss) of the cases of one kind."""
    return rows(table.filter(table.leakage_type == kind), "period_start", "estimated_revenue_loss")


def kinds(table: ir.Table) -> list[tuple]:
    """(kind, period_start, loss) of all cases."""
    return rows(table, "leakage_type", "period_start", "estimated_revenue_loss")
