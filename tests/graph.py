"""The rules that come with the program and the graph compiled from them, once for all tests of a process."""

from __future__ import annotations

from functools import cache
from pathlib import Path

import dagster as dg
import ibis.expr.types as ir

from productpulse_assets.definitions import build
from productpulse_assets.orchestration.compile_graph import as_stored, compile_graph, fingerprint, source_tables
from productpulse_assets.orchestration.graph import all_declarations
from resources.compiled_plan import Plan, write_plan
from resources.settings import Settings
from rules.rule_set import Rules, read_rules

RULES = read_rules()


PLANS: dict[str, Plan] = {}


def compiled(rules: Rules) -> Plan:
    """What `compile_graph` gives; the same rules are compiled once in a process, whatever the home."""
    key = fingerprint(rules)
    if key not in PLANS:
        PLANS[key] = compile_graph(rules)
    return PLANS[key]


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


@cache
def stored() -> dict[str, ir.Table]:
    """Every table that a run stores, without data."""
    computed = (each for each in all_declarations() if each.io_manager == "warehouse")
    return source_tables(RULES) | {each.name: as_stored(each, queries()) for each in computed}


def definitions(home: Path) -> dg.Definitions:
    """The Definitions of a home in which the graph is compiled already."""
    settings = Settings(home=str(home))
    write_plan(plan(), settings.home.compiled)
    return build(settings)


def unbound(name: str) -> ir.Table:
    """A table of the graph without data: a source, or one that the graph computes."""
    known = source_tables(RULES)
    if name in known:
        return known[name]
    (declaration,) = (each for each in all_declarations() if each.name == name)
    return as_stored(declaration, queries() if declaration.is_query else {})
