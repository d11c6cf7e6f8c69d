"""The rules that come with the program and the graph compiled from them, once for all tests of a session."""

from __future__ import annotations

from dataclasses import replace
from functools import cache
from pathlib import Path

import dagster as dg
import ibis
import ibis.expr.types as ir
from filelock import FileLock

from productpulse_assets.definitions import build
from productpulse_assets.facts.mrr_periods import mrr_periods
from productpulse_assets.orchestration.compile_graph import as_stored, compile_graph, fingerprint, source_tables
from productpulse_assets.orchestration.graph import all_declarations
from resources.compiled_plan import Plan, load_plan, write_plan
from resources.settings import Settings
from resources.tables import table_of
from rules.mrr_policy import MrrPolicy
from rules.rule_set import Rules, read_rules
from tests.builders import store

RULES = read_rules()


PLANS: dict[str, Plan] = {}
SHARED: list[Path] = []
"""The folder in which the processes of one test session keep what they compile; none before the first test."""


def compiled(rules: Rules) -> Plan:
    """What `compile_graph` gives; the same rules are compiled once in a test session, whatever the home."""
    key = fingerprint(rules)
    if key not in PLANS:
        PLANS[key] = shared_plan(rules, key, SHARED[0] / key) if SHARED else compile_graph(rules)
    return PLANS[key]


def shared_plan(rules: Rules, key: str, folder: Path) -> Plan:
    """The plan that another process of the session compiled, or else a new one, which is written for the others."""
    with FileLock(f"{folder}.lock"):
        known = load_plan(folder, key)
        if known is None:
            known = compile_graph(rules)
            write_plan(known, folder)
        return known


def plan() -> Plan:
    """The graph compiled from the rules that come with the program."""
    return compiled(RULES)


@cache
def queries() -> dict[str, ir.Table]:
    """Every query of the graph as an expression over tables without data."""
    stored, found = source_tables(RULES), {}
    for declaration in all_declarations():
        if declaration.io_manager == "warehouse":
            if declaration.is_query:
                found[declaration.name] = declaration.call(stored.__getitem__, rules=RULES)
            stored[declaration.name] = as_stored(declaration, found)
    return found


def names() -> list[str]:
    """The names of all tables that a run stores."""
    return [*source_tables(RULES), *(each.name for each in all_declarations() if each.io_manager == "warehouse")]


def empty(name: str) -> ir.Table:
    """A stored table of the graph without a row."""
    return table_of([], unbound(name).schema())


@cache
def stored() -> dict[str, ir.Table]:
    """Every table that a run stores, without data."""
    return {name: unbound(name) for name in names()}


def definitions(home: Path) -> dg.Definitions:
    """The Definitions of a home in which the graph is compiled already."""
    settings = Settings(home=str(home))
    write_plan(plan(), settings.home.compiled)
    return build(settings)


def with_mrr(rules: Rules = RULES, **tables: ir.Table) -> dict[str, ir.Table]:
    """The tables with mrr_periods and mrr_changes, computed from their subscriptions under the policy of the rules."""
    absent = {name: unbound(name) for name in ("bill_balances", "exchange_rates") if name not in tables}
    empty = {name: table_of([], table.schema()) for name, table in absent.items()}
    wanted = ("subscriptions", "calendar", "bill_balances", "exchange_rates")
    backend = store({name: table for name, table in (tables | empty).items() if name in wanted})
    for name, sql in (
        ("mrr_periods", periods_query(rules.mrr_policy)),
        ("mrr_changes", plan().tables["mrr_changes"].sql),
    ):
        backend.con.execute(f"CREATE TABLE {name} AS {sql}")
    return tables | {name: ibis.memtable(backend.table(name).to_pyarrow()) for name in ("mrr_periods", "mrr_changes")}


@cache
def months_query(fx: str) -> str:
    """The SQL of customer_months, which no other setting of the MRR policy changes."""
    if fx == RULES.mrr_policy.fx:
        return plan().tables["customer_months"].sql
    (declaration,) = (each for each in all_declarations() if each.name == "customer_months")
    rules = replace(RULES, mrr_policy=RULES.mrr_policy.model_copy(update={"fx": fx}))
    return ibis.to_sql(declaration.call(unbound, rules=rules), dialect="duckdb")


@cache
def periods_query(policy: MrrPolicy) -> str:
    """The SQL of mrr_periods under a policy."""
    if policy == RULES.mrr_policy:
        return plan().tables["mrr_periods"].sql
    read = {name: unbound(name) for name in ("subscriptions", "bill_balances", "exchange_rates", "calendar")}
    return ibis.to_sql(mrr_periods(**read, rules=replace(RULES, mrr_policy=policy)), dialect="duckdb")


@cache
def unbound(name: str) -> ir.Table:
    """A table of the graph without data: a source, or one that the graph computes."""
    known = source_tables(RULES)
    if name in known:
        return known[name]
    (declaration,) = (each for each in all_declarations() if each.name == name)
    return as_stored(declaration, {name: ibis.table(plan().tables[name].columns)} if declaration.is_query else {})
