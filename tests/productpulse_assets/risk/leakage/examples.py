"""Small companies to look for leakage in: subscriptions of 100 a month, seen on 30 June 2026."""

from __future__ import annotations

import ibis
import ibis.expr.types as ir

from productpulse_assets.risk.leakage.assets import leakage_summary, revenue_leakage
from rules.rule_set import Rules
from tests.builders import calendar, dataset, rows
from tests.graph import RULES, unbound

AS_OF = "2026-06-30"
START = "2026-01-05"
QUERIES: dict[str, str] = {}


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


def query(rules: Rules) -> str:
    """revenue_leakage as SQL, once for the same rules: compiling takes longer than finding."""
    key = rules.leakage_rules.model_dump_json()
    if key not in QUERIES:
        tables = {name: unbound(name) for name in inputs()}
        QUERIES[key] = ibis.to_sql(revenue_leakage(**tables, rules=rules), dialect="duckdb")
    return QUERIES[key]


def leakage(*given, rules: Rules = RULES, **when) -> ir.Table:
    """revenue_leakage of the company of `inputs`."""
    backend = ibis.duckdb.connect()
    for name, table in inputs(*given, **when).items():
        backend.create_table(name, table.to_pyarrow())
    return ibis.memtable(backend.raw_sql(query(rules)).to_arrow_table())


def summary(*given, rules: Rules = RULES, **when) -> ir.Table:
    """leakage_summary of the company of `inputs`."""
    tables = inputs(*given, **when)
    tables.pop("subscriptions")
    return leakage_summary(revenue_leakage=leakage(*given, rules=rules, **when), rules=rules, **tables)


def losses(table: ir.Table, kind: str) -> list[tuple]:
    """(period_start, loss) of the cases of one kind."""
    return rows(table.filter(table.leakage_type == kind), "period_start", "estimated_revenue_loss")


def kinds(table: ir.Table) -> list[tuple]:
    """(kind, period_start, loss) of all cases."""
    return rows(table, "leakage_type", "period_start", "estimated_revenue_loss")
