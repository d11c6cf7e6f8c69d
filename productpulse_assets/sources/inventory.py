"""The inventory of the sources: what each dataset comes from, before anything is read."""

from collections.abc import Iterator
from pathlib import Path
from typing import TypedDict

import dagster as dg
import ibis
import ibis.expr.types as ir
import pandera.ibis as pa

from asset_checks.contracts import DATASETS, contracts_with, is_computed, is_row_id, required_columns
from productpulse_assets.sources.crosswalk import crosswalk_columns
from productpulse_assets.sources.errors import SourceProblem, listed, unknown_header
from productpulse_assets.sources.location import Location, locate
from productpulse_assets.sources.query_files import query_tables
from productpulse_assets.sources.readers.blanks import plain_name
from productpulse_assets.sources.readers.column_names import no_header, values_in
from productpulse_assets.sources.readers.raw_rows import columns_of, columns_of_query
from productpulse_assets.sources.shapes.readings import CORE
from productpulse_assets.sources.shapes.wide import check_months
from productpulse_assets.sources.staging import price_headers
from productpulse_assets.sources.status import STATUS_OF_DATE
from resources.retries import retried_io
from resources.settings import Settings
from resources.tables import table_of
from resources.warehouse import Warehouse
from rules.models import DatasetSource, Sources
from rules.rule_set import Rules
from rules.shapes import Shape, WideMonths

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


class InventoryRow(TypedDict):
    """One row of source_inventory: a dataset, where it comes from and what is absent."""

    dataset: str
    is_required: bool
    is_available: bool
    source: str
    bytes: int | None
    sha256: str | None
    columns_found: str
    columns_missing: str
    columns_absent: str
    problem: str | None


def source_inventory(rules: Rules, settings: Settings) -> dg.AssetsDefinition:
    """The asset that lists every source before anything is read."""

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
                description="Required datasets and columns exist, and every file opens as its format.",
            )
        ],
    )
    def inventory(context: dg.AssetExecutionContext) -> Iterator[dg.Output[ir.Table] | dg.AssetCheckResult]:
        """One row per dataset: where it comes from in this run, which columns it has, which are absent.

        bytes and sha256 are of the files without unpacking; columns_missing are required ones that
        the source lacks, columns_absent optional ones. `problem` says why the dataset cannot be used.
        """
        warehouse: Warehouse = context.resources.warehouse
        found = [inspect_source(name, warehouse, settings, rules) for name in DATASETS]
        rows = [row for row, _problem in found]
        problems = [problem for _row, problem in found if problem]
        yield dg.Output(table_of(rows, SCHEMA))
        yield dg.AssetCheckResult(
            passed=not problems,
            description="\n".join(rules.with_folder(str(each)) for each in problems) or "Every source can be used.",
            metadata={
                "available": [row["dataset"] for row in rows if row["is_available"]],
                "codes": [problem.code for problem in problems],
            },
        )

    return inventory


@retried_io()
def inspect_source(
    name: str, warehouse: Warehouse, settings: Settings, rules: Rules
) -> tuple[InventoryRow, SourceProblem | None]:
    """The inventory row of one dataset, and why it cannot be used."""
    schema = contracts_with(rules.dimensions)[name]
    row: InventoryRow = {
        "dataset": name,
        "is_required": schema.metadata["is_required"],
        "is_available": False,
        "source": "",
        "bytes": None,
        "sha256": None,
        "columns_found": "",
        "columns_missing": "",
        "columns_absent": "",
        "problem": None,
    }
    try:
        location = locate(name, settings, rules)
        problem = _inspect_location(row, location, schema, warehouse, settings.home.scratch, rules.sources)
    except SourceProblem as error:
        problem = error
    row["problem"] = str(problem) if problem else None
    return row, problem


def _inspect_location(
    row: InventoryRow,
    location: Location,
    schema: pa.DataFrameSchema,
    warehouse: Warehouse,
    scratch: Path,
    sources: Sources,
) -> SourceProblem | None:
    """Fill the row with what the location has; the problem is a dataset or a column that is missing."""
    if not location.is_available:
        return _missing_dataset(location) if row["is_required"] else None
    found = _columns(location, warehouse, scratch)
    if location.source.shape:
        absent, missing = _absent_in_shape(found, schema, location, location.source.shape, sources)
    else:
        absent = _absent(found, schema, location.source)
        missing = [column for column in needed_columns(schema, location.source) if column in absent]
    row["is_available"] = not missing
    row["source"] = location.label
    row["bytes"] = sum(file.stat().st_size for file in location.files) if location.files else None
    row["sha256"] = location.digest
    row["columns_found"] = "" if missing and values_in(found) else ", ".join(found)
    row["columns_missing"] = ", ".join(missing)
    row["columns_absent"] = ", ".join(
        column for column in absent if column not in missing and not is_row_id(schema, column)
    )
    if location.crosswalk:
        crosswalk_columns(location, columns_of(warehouse.backend, location.crosswalk, scratch=scratch))
    return _missing_columns(location, missing, found) if missing else _unknown_headers(location, found)


def needed_columns(schema: pa.DataFrameSchema, source: DatasetSource) -> tuple[str, ...]:
    """The columns that the source must have: those that the contract requires, and those that a setting reads."""
    needed = list(required_columns(schema))
    if "status" in source.from_dates:
        needed.append(STATUS_OF_DATE[schema.name][0])
    if source.price and source.price.per == "billing_cycle":
        needed.append("billing_cycle")
    return tuple(needed)


def _unknown_headers(location: Location, found: tuple[str, ...]) -> SourceProblem | None:
    """The problem of a setting, besides `columns`, that names a column which the file does not have."""
    there = {plain_name(column) for column in found}
    for name, header in price_headers(location.source).items():
        if found and plain_name(header) not in there:
            return unknown_header(location.dataset, f"price > {name}", header, location.label, found)
    return None


def _columns(location: Location, warehouse: Warehouse, scratch: Path) -> tuple[str, ...]:
    if location.query:
        with query_tables(warehouse.backend, location, scratch, with_rows=False):
            return columns_of_query(warehouse.backend, location.dataset, location.query)
    about = location.source
    return columns_of(warehouse.backend, location.files, about.encoding, scratch=scratch, sheet=about.sheet)


def _absent(found: tuple[str, ...], schema: pa.DataFrameSchema, source: DatasetSource) -> list[str]:
    if not found:  # JSON names its columns in its rows: where there is no row, none is missing
        return []
    there, made = {plain_name(column) for column in found}, (*source.constants, *source.from_dates)
    return [
        column
        for column in schema.columns
        if column not in made
        and not is_computed(schema, column)
        and plain_name(source.headers.get(column, column)) not in there
    ]


def _absent_in_shape(
    found: tuple[str, ...], schema: pa.DataFrameSchema, location: Location, shape: Shape, sources: Sources
) -> tuple[list[str], list[str]]:
    """The absent columns that a period could have, and the missing ones that the shape needs.

    Raises SourceProblem for a wide table whose months cannot be found.
    """
    if isinstance(shape, WideMonths) and found:
        check_months(location.label, found, sources)
    absent = _absent(found, schema, location.source)
    there = {plain_name(column) for column in found}
    headers = [key for key, header in shape.headers.items() if found and plain_name(header) not in there]
    needed = ["customer_id"] if isinstance(shape, WideMonths) else ["customer_id", "monthly_price"]
    optional = [column for column in absent if column not in CORE]
    missing = [column for column in needed if column in absent]
    return [*optional, *missing], [*missing, *(f"shape > {key}" for key in headers)]


def _missing_dataset(location: Location) -> SourceProblem:
    if other := location.source.rows_from:
        return SourceProblem(
            "source.missing_dataset",
            f"{location.dataset}: rows_from in sources.yaml takes the rows from {other}, and there is no {other}.csv "
            f"(or .parquet, .json, …) in {location.folder}. Put it there, or name its file in sources.yaml.",
            dataset=location.dataset,
        )
    return SourceProblem(
        "source.missing_dataset",
        f"{location.dataset}: the dataset is required and there is no {location.dataset}.csv (or .parquet, "
        f".json, …) in {location.folder}. Put it there, or name its file in sources.yaml.",
        dataset=location.dataset,
    )


def _missing_columns(location: Location, missing: list[str], found: tuple[str, ...]) -> SourceProblem:
    headers = location.source.shape.headers if location.source.shape else {}
    renames = location.source.headers | {f"shape > {key}": header for key, header in headers.items()}
    named = " and ".join(
        f"'{renames[column]}' (for {column}, as sources.yaml says)" if column in renames else f"'{column}'"
        for column in missing
    )
    if values := values_in(found):
        return SourceProblem(
            "source.no_header",
            f"{location.dataset}: {location.label} has no column {named}; {no_header(values)}",
            dataset=location.dataset,
        )
    place = location.source.rows_from or location.dataset
    are, add = ("which is", "it") if len(missing) == 1 else ("which are", "them")
    return SourceProblem(
        "source.missing_columns",
        f"{location.dataset}: {location.label} has no column {named}, {are} required; it has "
        f"{listed(found)}. Add {add}, or set under datasets > {place} > columns in "
        f"sources.yaml which columns of the file to read instead.",
        dataset=location.dataset,
        columns=missing,
    )
