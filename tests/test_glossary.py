"""Every column that people can see says what it means."""

from __future__ import annotations

import functools

import ibis
import pydantic
import pytest

from asset_checks.contracts import CONTRACTS, REJECTS_SCHEMA, table_schema
from productpulse_assets.decisions.changes import OPEN_DECISION
from productpulse_assets.decisions.scenarios import SCHEMA as SCENARIOS
from productpulse_assets.definitions import COHORTS, DECISIONS, FACTS, RISK, defs, draw, metrics
from productpulse_assets.facts.calendar import SCHEMA as CALENDAR
from productpulse_assets.metrics.health import SCHEMA as HEALTH
from productpulse_assets.metrics.kpis import LINEAGE_SCHEMA
from productpulse_assets.metrics.summary import SUMMARY_SCHEMA
from productpulse_assets.sources.inventory import SCHEMA as INVENTORY
from resources.warehouse import describe
from rules.loading.files import load

LONGEST = 140
MARKUP = set("`*<>[]{}|#\n")

MADE_IN_PYTHON = {
    "source_inventory": INVENTORY,
    "calendar": CALENDAR,
    "kpi_summary": SUMMARY_SCHEMA,
    "health_scores": HEALTH,
    "previous_decisions": OPEN_DECISION,
    "scenario_analysis": SCENARIOS,
}
"""Tables whose assets read data before they can say what their rows are."""


class Glossary(pydantic.RootModel[dict[str, str]]):
    """glossary.yaml; a key that is there twice is an error."""


@functools.cache
def glossary() -> dict[str, str]:
    return load("glossary", Glossary).root


@functools.cache
def stored() -> dict[str, tuple[str, ...]]:
    """The columns of every table that the graph keeps in the warehouse."""
    kept = {
        key.path[-1]: asset
        for asset in defs.assets
        for key in asset.keys
        if asset.get_io_manager_key_for_asset_key(key) == "warehouse"
    }
    single = (*FACTS, *RISK, *COHORTS, *DECISIONS, *metrics(draw()))
    kept |= {asset.key.path[-1]: asset for asset in single}  # as functions, where a step makes several
    schemas: dict[str, ibis.Schema] = {}
    return {name: schema(name, kept, schemas).names for name in kept}


def schema(name: str, assets: dict, known: dict[str, ibis.Schema]) -> ibis.Schema:
    """A stored table's columns: assets are functions of tables without data."""
    if name not in known:
        known[name] = _schema(name, assets, known)
    return known[name]


def _schema(name: str, assets: dict, known: dict[str, ibis.Schema]) -> ibis.Schema:
    if name in CONTRACTS:
        return table_schema(CONTRACTS[name])
    if name.removesuffix("_rejects") in CONTRACTS:
        return REJECTS_SCHEMA
    if name in MADE_IN_PYTHON:
        return MADE_IN_PYTHON[name]
    if name == "metric_lineage":
        return LINEAGE_SCHEMA
    given = {each: ibis.table(schema(each, assets, known), name=each) for each in assets[name].keys_by_input_name}
    return assets[name](**given).schema()


def meaning(name: str, column: str) -> str | None:
    """A dataset's columns are described by its contract and nowhere else."""
    if name in CONTRACTS:
        return CONTRACTS[name].columns[column].description
    return describe(glossary(), name, column)


def test_the_graph_stores_the_tables_that_this_file_speaks_of():
    assert {"customers", "customers_rejects", "customer_months", "kpi_history", *MADE_IN_PYTHON} <= set(stored())


@pytest.mark.parametrize("name", sorted(stored()))
def test_every_column_has_a_description(name: str):
    columns = stored()[name]
    assert [column for column in columns if not meaning(name, column)] == []


def test_every_table_column_that_the_glossary_names_exists():
    columns = {f"{name}.{column}" for name, columns in stored().items() for column in columns}
    assert [key for key in glossary() if "." in key and key not in columns] == []


def test_every_entry_is_the_description_of_some_column():
    """An entry that no column falls back on describes nothing that people can see."""
    derived = {name: columns for name, columns in stored().items() if name not in CONTRACTS}
    used = {column for name, columns in derived.items() for column in columns if f"{name}.{column}" not in glossary()}
    assert [key for key in glossary() if "." not in key and key not in used] == []


def test_the_contracts_are_the_only_description_of_the_datasets():
    assert [key for key in glossary() if key.split(".")[0] in CONTRACTS] == []


def descriptions() -> dict[str, str]:
    contracts = {f"{name}.{column}": meaning(name, column) for name in CONTRACTS for column in CONTRACTS[name].columns}
    return glossary() | contracts


def test_descriptions_are_short_and_plain():
    flawed = {
        key: text
        for key, text in descriptions().items()
        if text != " ".join(text.split()) or not text.endswith(".") or len(text) > LONGEST or MARKUP & set(text)
    }
    assert flawed == {}
