"""Small companies to look for leakage in: subscriptions of 100 a month, seen on 30 June 2026."""

from __future__ import annotations

import datetime as dt

import ibis
import ibis.expr.types as ir

from productpulse_assets.risk.leakage.assets import leakage_summary, revenue_leakage
from rules.rule_set import Rules
from tests.builders import calendar, dataset, rows, store
from tests.graph import RULES
from tests.productpulse_assets.facts.ledger import AS_OF, LEDGER, computed, fail, give_back, pay, sub

__all__ = ["company", "fail", "give_back", "kinds", "leakage", "login", "losses", "pay", "sub", "summary"]


def login(day: str, logins: int = 1) -> dict[str, object]:
    """Use of the product by C1."""
    return {"date": day, "logins": logins}


def company(
    subscriptions=(), transactions=(), usage=(), *, as_of: str = AS_OF, is_current: bool = True, rules: Rules = RULES
) -> dict[str, ir.Table]:
    """The ledger, revenue_leakage and leakage_summary of these rows."""
    first = min([str(row["start_date"]) for row in subscriptions] + [as_of, "2026-01-01"])
    first = str(min(dt.date.fromisoformat(first), dt.date.fromisoformat(as_of)))
    customers = sorted({str(row.get("customer_id") or "C1") for row in subscriptions})
    backend = store(
        {
            "customers": dataset("customers", *({"customer_id": each} for each in customers)),
            "subscriptions": dataset("subscriptions", *subscriptions),
            "transactions": dataset("transactions", *transactions),
            "product_usage": dataset("product_usage", *usage),
            "calendar": calendar(first, as_of, is_current=is_current),
        }
    )
    return computed(backend, (*LEDGER, revenue_leakage, leakage_summary), rules)


def leakage(*given, **when) -> ir.Table:
    """revenue_leakage of the company."""
    return ibis.memtable(company(*given, **when)["revenue_leakage"].to_pyarrow())


def summary(*given, **when) -> ir.Table:
    """leakage_summary of the company."""
    return ibis.memtable(company(*given, **when)["leakage_summary"].to_pyarrow())


def losses(table: ir.Table, kind: str) -> list[tuple]:
    """(period_start, loss) of the cases of one kind."""
    return rows(table.filter(table.leakage_type == kind), "period_start", "estimated_revenue_loss")


def kinds(table: ir.Table) -> list[tuple]:
    """(kind, period_start, loss) of all cases."""
    return rows(table, "leakage_type", "period_start", "estimated_revenue_loss")
