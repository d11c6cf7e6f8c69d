"""What was found of each dataset before anything is read."""

from collections.abc import Iterator
from pathlib import Path

import dagster as dg
import ibis
import pandera.ibis as pa

from asset_checks.contracts import DATASETS, contracts_with, required_columns
from productpulse_assets.sources.location import Location, SourceProblem, locate
from productpulse_assets.sources.readers.blanks import plain_name
from productpulse_assets.sources.readers.column_names import no_header, values_in
from productpulse_assets.sources.readers.raw_rows import UnreadableSource, columns_of, columns_of_query
from resources.retries import retried_io
from resources.settings import Settings
from resources.tables import table_of
from resources.warehouse import Warehouse
from rules.rule_set import Rules
from rules.text.formats import printable_line

SCHEMA = ibis.schema(
    {
        "dataset": "string",
        "is_required": "boolean",
        "is_available": "boolean",
        "source": "string",
        "bytes": "int64",
        "sha256": "string",
        "columns_found": "string",
        "columns_missing": "string",
        "columns_absent": "string",
        "problem": "string",
    }
)


def source_inventory(rules: Rules, settings: Settings) -> dg.AssetsDefinition:
    """The asset that looks at every source before anything is read."""

    @dg.asset(
        name="source_inventory",
        group_name="sources",
        owners=["team:data"],
        kinds={"python", "duckdb"},
        io_manager_key="warehouse",
        required_resource_keys={"warehouse"},
        config_schema={},
        metadata={"key": ["dataset"]},
        deps=["demo_company"],
        check_specs=[
            dg.AssetCheckSpec(
                "sources_usable",
                asset="source_inventory",
                blocking=True,
                description="Required datasets and columns are there, and every file opens as its format.",
            )
        ],
    )
    def inventory(context: dg.AssetExecutionContext) -> Iterator[dg.Output | dg.AssetCheckResult]:
        """One row per dataset: where it comes from in this run, what it has, what is absent.

        bytes and sha256 are of the files as they are; columns_missing are required ones that the
        source lacks, columns_absent optional ones. `problem` says why the dataset cannot be used.
        """
        warehouse: Warehouse = context.resources.warehouse
        rows = [take_stock(name, warehouse, settings, rules) for name in DATASETS]
        problems = [rules.with_folder(row["problem"]) for row in rows if row["problem"]]
        yield dg.Output(table_of(rows, SCHEMA))
        yield dg.AssetCheckResult(
            passed=not problems,
            description="\n".join(problems) or "Every source can be used.",
            metadata={"available": [row["dataset"] for row in rows if row["is_available"]]},
        )

    return inventory


@retried_io()
def take_stock(name: str, warehouse: Warehouse, settings: Settings, rules: Rules) -> dict[str, object]:
    """The inventory row of one dataset."""
    schema = contracts_with(rules.dimensions)[name]
    row: dict[str, object] = dict.fromkeys(SCHEMA) | {
        "dataset": name,
        "is_required": schema.metadata["is_required"],
        "is_available": False,
        "columns_found": "",
        "columns_missing": "",
        "columns_absent": "",
        "source": "",
    }
    try:
        location = locate(name, settings, rules)
        if not location.is_available:
            row["problem"] = _absence(location) if row["is_required"] else None
            return row
        found = _columns(location, warehouse, settings.home.scratch)
    except (SourceProblem, UnreadableSource) as problem:
        return row | {"problem": str(problem)}
    absent = _absent(found, schema, location.source.columns)
    missing = [column for column in required_columns(schema) if column in absent]
    return row | {
        "is_available": not missing,
        "source": location.shown,
        "bytes": sum(file.stat().st_size for file in location.files) if location.files else None,
        "sha256": location.digest,
        "columns_found": "" if missing and values_in(found) else ", ".join(found),
        "columns_missing": ", ".join(missing),
        "columns_absent": ", ".join(column for column in absent if column not in missing),
        "problem": _missing_columns(location, missing, found) if missing else None,
    }


def _columns(location: Location, warehouse: Warehouse, scratch: Path) -> tuple[str, ...]:
    if location.query:
        return columns_of_query(warehouse.backend, location.dataset, location.query)
    return columns_of(warehouse.backend, location.files, location.source.encoding, scratch=scratch)


def _absent(found: tuple[str, ...], schema: pa.DataFrameSchema, renames: dict[str, str]) -> list[str]:
    if not found:  # JSON names its columns in its rows: where there is no row, none is missing
        return []
    there = {plain_name(column) for column in found}
    return [column for column in schema.columns if plain_name(renames.get(column, column)) not in there]


def _absence(location: Location) -> str:
    return (
        f"{location.dataset}: the dataset is required and there is no {location.dataset}.csv (or .parquet, "
        f".json, …) in {location.folder}. Put it there, or name its file in sources.yaml."
    )


def _missing_columns(location: Location, missing: list[str], found: tuple[str, ...]) -> str:
    renames = location.source.columns
    named = " and ".join(
        f"'{renames[column]}' (for {column}, as sources.yaml says)" if column in renames else f"'{column}'"
        for column in missing
    )
    if values := values_in(found):
        return f"{location.dataset}: {location.shown} has no column {named}; {no_header(values)}"
    are, add, they_are = ("which is", "it", "it is") if len(missing) == 1 else ("which are", "them", "they are")
    return (
        f"{location.dataset}: {location.shown} has no column {named}, {are} required; it has "
        f"{_listed(found)}. Add {add}, or say under datasets > {location.dataset} > columns in "
        f"sources.yaml what {they_are} called there."
    )


def _listed(found: tuple[str, ...], limit: int = 30) -> str:
    names = [printable_line(name, 60) for name in found[:limit]]
    more = f" and {len(found) - limit:,} more" if len(found) > limit else ""
    return f"{', '.join(names)}{more}"
