"""Every column that people can see says what it means."""

from __future__ import annotations

import functools

import pydantic
import pytest

from asset_checks.contracts import CONTRACTS
from productpulse_assets.definitions import GLOSSARY
from resources.warehouse import describe
from rules.loading.files import load
from tests.graph import definitions, names, stored

LONGEST = 140
MARKUP = set("`*<>[]{}|#\n")


class Glossary(pydantic.RootModel[dict[str, str]]):
    """glossary.yaml; a key that is there twice is an error."""


@functools.cache
def glossary() -> dict[str, str]:
    return load(GLOSSARY, Glossary).root


def meaning(name: str, column: str) -> str | None:
    """A dataset's columns are described by its contract and nowhere else."""
    if name in CONTRACTS:
        return CONTRACTS[name].columns[column].description
    return describe(glossary(), name, column)


def test_the_graph_stores_the_tables_that_this_file_looks_at(tmp_path):
    kept = {
        key.path[-1]
        for asset in definitions(tmp_path).assets
        for key in asset.keys
        if asset.get_io_manager_key_for_asset_key(key) == "warehouse"
    }
    assert kept == set(stored())
    assert {"customers", "customers_rejects", "source_inventory", "customer_months", "kpi_summary"} <= kept


@pytest.mark.parametrize("name", sorted(names()))
def test_every_column_has_a_description(name: str):
    columns = stored()[name].columns
    assert [column for column in columns if not meaning(name, column)] == []


def test_every_table_column_that_the_glossary_names_exists():
    columns = {f"{name}.{column}" for name, table in stored().items() for column in table.columns}
    assert [key for key in glossary() if "." in key and key not in columns] == []


def test_every_entry_is_the_description_of_some_column():
    """An entry that no column falls back on describes nothing that people can see."""
    derived = {name: table.columns for name, table in stored().items() if name not in CONTRACTS}
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
