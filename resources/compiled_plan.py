"""The compiled graph in the home: a readable SQL file for each table, and plan.json."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TypedDict

from resources.outputs import atomic_file

INDEX = "plan.json"

Source = tuple[str, str]
"""(table, column)"""


@dataclass(frozen=True)
class CompiledTable:
    """One table of the graph: the query that computes it, and what is known of the table without data.

    columns: the type of each column, in order. lineage: the columns of other tables that each column is computed from.
    """

    name: str
    sql: str
    columns: Mapping[str, str]
    lineage: Mapping[str, tuple[Source, ...]]


@dataclass(frozen=True)
class Plan:
    """Every query of the graph, compiled for one version of program and libraries and one set of rules.

    fingerprint: SHA-256 over those. metric_sources: the columns of datasets that each metric is computed from.
    personal: by table, the columns that hold personal data.
    """

    fingerprint: str
    tables: Mapping[str, CompiledTable]
    metric_sources: Mapping[str, tuple[Source, ...]]
    personal: Mapping[str, tuple[str, ...]]


def write_plan(plan: Plan, folder: Path) -> None:
    """Write `<table>.sql` for each table and, last, plan.json; remove files of tables that the plan no longer has."""
    stale = _table_names(folder) - set(plan.tables)
    for name, table in plan.tables.items():
        with atomic_file(folder / f"{name}.sql") as part:
            part.write_bytes(f"{table.sql}\n".encode())
    for name in stale:
        (folder / f"{name}.sql").unlink(missing_ok=True)
    content = {
        "fingerprint": plan.fingerprint,
        "tables": {
            name: {"sha256": _digest(table.sql), "columns": table.columns, "lineage": table.lineage}
            for name, table in plan.tables.items()
        },
        "metric_sources": plan.metric_sources,
        "personal": plan.personal,
    }
    content["sha256"] = _digest(json.dumps(content))
    with atomic_file(folder / INDEX) as part:
        part.write_text(json.dumps(content, indent=1) + "\n", encoding="utf-8")


def load_plan(folder: Path, fingerprint: str) -> Plan | None:
    """The plan in `folder`; None if it has another fingerprint, or if a file of it is missing or damaged."""
    try:
        content = json.loads((folder / INDEX).read_text(encoding="utf-8"))
        is_whole = content.pop("sha256") == _digest(json.dumps(content))
        if not is_whole or content["fingerprint"] != fingerprint:
            return None
        tables = {name: _read_table(folder, name, about) for name, about in content["tables"].items()}
        sources = {name: _pairs(found) for name, found in content["metric_sources"].items()}
        personal = {name: tuple(columns) for name, columns in content["personal"].items()}
        return Plan(fingerprint, tables, sources, personal)
    except (OSError, ValueError, LookupError, TypeError, AttributeError):
        return None


def _table_names(folder: Path) -> set[str]:
    """The tables of the plan in a folder: only their files are ever removed."""
    try:
        named = json.loads((folder / INDEX).read_text(encoding="utf-8"))["tables"]
        return {name for name in named if name.isidentifier()}
    except (OSError, ValueError, LookupError, TypeError):
        return set()


class TableEntry(TypedDict):
    """A table in plan.json; its SQL is in a file of its own, whose digest is here."""

    sha256: str
    columns: dict[str, str]
    lineage: dict[str, list[list[str]]]


def _read_table(folder: Path, name: str, about: TableEntry) -> CompiledTable:
    sql = (folder / f"{name}.sql").read_bytes().decode("utf-8").removesuffix("\n")
    if _digest(sql) != about["sha256"]:
        raise ValueError(f"{name}.sql is not the file that was written")
    lineage = {column: _pairs(found) for column, found in about["lineage"].items()}
    return CompiledTable(name, sql, about["columns"], lineage)


def _pairs(found: list[list[str]]) -> tuple[Source, ...]:
    return tuple((table, column) for table, column in found)


def _digest(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()
