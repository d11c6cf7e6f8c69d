"""The graph compiled ahead of its runs: the SQL, columns and lineage of every table that is a query."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from importlib import metadata

import dagster as dg
import ibis
import ibis.expr.types as ir

from asset_checks.contracts import DATASETS, PERSONAL, REJECTS_SCHEMA, contracts_with, unbound
from productpulse_assets.decisions.triggers import about_customers, churn_trigger, leakage_trigger
from productpulse_assets.metrics.health import check_areas
from productpulse_assets.orchestration.dimensions import check_dimensions, own_dimensions_named
from productpulse_assets.orchestration.graph import MODELS, all_declarations
from productpulse_assets.reports.business_questions import LISTABLE
from productpulse_assets.sources.inventory import SCHEMA as INVENTORY_SCHEMA
from productpulse_assets.sources.location import check_sources
from productpulse_assets.sources.run_inputs import program_digest
from productpulse_assets.tables import Declaration
from resources.compiled_plan import CompiledTable, Plan, load_plan, write_plan
from resources.digests import digest_of
from resources.home import Home
from resources.lineage import column_sources, origins, reached_columns
from resources.warehouse import write_select
from rules.churn_rules import check_churn_rules
from rules.metrics.catalog import check_models
from rules.metrics.compile import metric_columns
from rules.questions import check_listings
from rules.recommendation_rules import check_recommendation_rules
from rules.rule_set import Rules
from rules.scenarios import check_scenarios

COMPILERS = ("ibis-framework", "sqlglot")
"""Libraries that write the SQL: another version may write other SQL."""


def plan_for(rules: Rules, home: Home) -> Plan:
    """The compiled plan of the home if its fingerprint is that of program, libraries and rules, else a new one.

    Writes nothing. Raises RulesError for a name in the rules that does not exist.
    """
    return load_plan(home.compiled, fingerprint(rules)) or compile_graph(rules)


def compiled_plan(plan: Plan, home: Home) -> dg.ResourceDefinition:
    """The plan for the steps of a run; the first run with it writes it into the home for later runs."""

    # Needs the warehouse, so that it is written while the run holds the lock: loading the graph writes nothing.
    @dg.resource(required_resource_keys={"warehouse"}, config_schema={})
    def plan_of_run(context: dg.InitResourceContext) -> Plan:
        if load_plan(home.compiled, plan.fingerprint) is None:
            try:
                write_plan(plan, home.compiled)
            except OSError as error:
                assert context.log  # Dagster gives every run one
                context.log.warning(f"The compiled graph cannot be kept in {home.compiled} ({error}).")
        return plan

    return plan_of_run


def fingerprint(rules: Rules) -> str:
    """SHA-256 over the program, the libraries that compile for it and the rules."""
    versions = [f"{name} {metadata.version(name)}" for name in COMPILERS]
    return digest_of([program_digest(), *versions, *(f"{name} {text}" for name, text in sorted(rules.hashes.items()))])


def compile_graph(rules: Rules) -> Plan:
    """Every query of the graph, compiled without data, and every name in the rules validated against its columns.

    Raises RulesError for a name in the rules that does not exist.
    """
    check_sources(rules)
    with own_dimensions_named(rules):
        queries, stored = build_queries(rules)
    check_dimensions(rules, queries)
    check_rules(rules, stored)
    return Plan(
        fingerprint(rules),
        dict(compiled_tables(queries)),
        metric_sources(rules, queries, stored),
        {name: tuple(sorted(columns)) for name, columns in reached_columns(PERSONAL, queries).items()},
    )


def build_queries(rules: Rules) -> tuple[dict[str, ir.Table], dict[str, ir.Table]]:
    """Every query as an expression, and every table of the graph without data."""
    stored = source_tables(rules)
    queries: dict[str, ir.Table] = {}
    for declaration in all_declarations():
        if declaration.io_manager == "warehouse":
            check_before(declaration.name, rules, stored)
            if declaration.is_query:
                queries[declaration.name] = declaration.call(stored.__getitem__, rules=rules)
            stored[declaration.name] = as_stored(declaration, queries)
    return queries, stored


def source_tables(rules: Rules) -> dict[str, ir.Table]:
    """The tables of the group sources, without data."""
    contracts = contracts_with(rules.dimensions)
    rejects = {f"{name}_rejects": ibis.table(REJECTS_SCHEMA, name=f"{name}_rejects") for name in contracts}
    inventory = ibis.table(INVENTORY_SCHEMA, name="source_inventory")
    return {name: unbound(schema) for name, schema in contracts.items()} | rejects | {"source_inventory": inventory}


def as_stored(declaration: Declaration, queries: Mapping[str, ir.Table]) -> ir.Table:
    """The table as later queries read it, without its expression; every column may be NULL."""
    schema = declaration.schema or queries[declaration.name].schema()
    return ibis.table({name: kind.copy(nullable=True) for name, kind in schema.items()}, name=declaration.name)


def check_before(name: str, rules: Rules, stored: Mapping[str, ir.Table]) -> None:
    """Validate the rules that become part of a table's query, before it is built."""
    if name == "churn_evidence":
        check_churn_rules(rules.churn_rules, stored["customer_signals"], rules.path("churn_rules"))
    if name == "kpi_history":
        models = {model: stored[model] for model in MODELS}
        check_models(rules.metric_catalog, models, rules.path("metric_catalog"))
    if name == "recommendations":
        about = about_customers(stored["customers"], stored["customer_signals"], stored["churn_risk_profiles"])
        triggers = {"churn_risk": churn_trigger(about), "leakage": leakage_trigger(about, stored["revenue_leakage"])}
        check_recommendation_rules(rules.recommendation_rules, triggers, rules.path("recommendation_rules"))


def check_rules(rules: Rules, stored: Mapping[str, ir.Table]) -> None:
    """Validate the rules that name metrics or finished tables."""
    check_areas(rules.health_scores, rules.metric_catalog, rules.path("health_scores"))
    check_scenarios(rules.scenarios, rules.metric_catalog, rules.path("scenarios"))
    listable = {name: stored[name].columns for name in LISTABLE}
    check_listings(rules.business_questions, listable, rules.path("business_questions"))


def compiled_tables(queries: Mapping[str, ir.Table]) -> Iterator[tuple[str, CompiledTable]]:
    """Each query as SQL, with its columns and their lineage."""
    keys = {declaration.name: declaration.metadata.get("key", ()) for declaration in all_declarations()}
    for name, query in queries.items():
        columns = {column: str(kind) for column, kind in query.schema().items()}
        lineage = {column: tuple(sorted(found)) for column, found in column_sources(query).items()}
        yield name, CompiledTable(name, stable_aliases(write_select(query, keys[name])), columns, lineage)


def stable_aliases(sql: str) -> str:
    """The statement with numbers in place of the random names that Ibis gives unnested columns."""
    names = dict.fromkeys(re.findall(r"\bibis_table_unnest_(?:column_)?[a-z0-9]{26}\b", sql))
    for number, name in enumerate(names):
        sql = sql.replace(name, f"unnested_{number}")
    return sql


def metric_sources(
    rules: Rules, queries: Mapping[str, ir.Table], stored: Mapping[str, ir.Table]
) -> dict[str, tuple[tuple[str, str], ...]]:
    """By metric: the columns of datasets that its value is computed from."""
    models = {name: stored[name] for name in MODELS}
    found = column_sources(metric_columns(rules.metric_catalog, models, stored["calendar"]))
    return {
        name: tuple(sorted(source for source in origins(columns, queries) if source[0] in DATASETS))
        for name, columns in found.items()
    }
