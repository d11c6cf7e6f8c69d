"""The eight datasets, each typed by its contract, with its rejects beside it."""

from collections.abc import Iterator

import dagster as dg
import duckdb
import ibis
import ibis.expr.types as ir
import pandera.ibis as pa
from ibis import _
from ibis.backends.duckdb import Backend

from asset_checks.contracts import CONTRACTS, REJECTS_SCHEMA, contracts_with, table_schema
from asset_checks.row_rules import key_value
from asset_checks.validation_gate import gate_results, gate_specs
from productpulse_assets.sources.errors import SourceProblem
from productpulse_assets.sources.ids import id_forms, in_form_of_parents
from productpulse_assets.sources.location import Location, locate
from productpulse_assets.sources.readers.raw_rows import RawRows, read_files, read_query, release, without_values
from productpulse_assets.sources.rejects import (
    as_rejects,
    rejected_duplicates,
    rejected_lines,
    rejected_rows,
)
from productpulse_assets.sources.staging import (
    PLACE,
    Parent,
    broken_rules,
    census,
    in_reporting_currency,
    judged,
    judged_by_parents,
    later_duplicates,
    source_columns,
    type_columns,
)
from resources.failures import step_failures
from resources.retries import retried_io
from resources.settings import Settings
from resources.tables import rows_of, table_of
from resources.warehouse import fill, staging_name
from rules.models import Sources
from rules.rule_set import Rules

Split = tuple[ir.Table, ir.Table, int]
"""(kept rows, rejects, rows in)"""

VALIDATION = "validate_sources"
"""The job in which a dataset that fails the gate stops nothing, so that every one is read."""


def source_asset(schema: pa.DataFrameSchema, rules: Rules, settings: Settings) -> dg.AssetsDefinition:
    """The dataset and its rejects table as one step of the graph."""
    name, rejects = schema.name, f"{schema.name}_rejects"
    parents: dict[str, str] = schema.metadata["parents"]
    ins = {table: dg.AssetIn() for parent in parents.values() for table in (parent, f"{parent}_rejects")}

    @dg.multi_asset(
        name=f"{name}_source",
        group_name="sources",
        required_resource_keys={"warehouse"},
        ins=ins,
        deps=["source_inventory"],
        outs={
            name: _out(
                schema.description,
                list(schema.metadata["key"]),
                {column: about.description for column, about in schema.columns.items()},
            ),
            rejects: _out(
                f"One row per rule that a row of {name} broke: where it stood, the rule, the value found "
                "and the whole row. These rows are in no other table.",
                ["source_file", "row_number", "check_name", "column_name"],
            ),
        },
        check_specs=gate_specs(schema),
    )
    def dataset(context: dg.AssetExecutionContext, **tables: ir.Table) -> Iterator[dg.Output | dg.AssetCheckResult]:
        backend: Backend = context.resources.warehouse.backend
        sources = rules.sources
        with step_failures():
            location = locate(name, settings, rules)
            known = [_parent(column, parent, tables) for column, parent in parents.items()]
            kept, rejected, rows_in = split(backend, schema, location, settings, sources, known)
        yield dg.Output(kept, name)
        yield dg.Output(rejected, rejects)
        _forget(backend, name)
        stored = backend.table(name), backend.table(rejects)
        for result in gate_results(schema, *stored, rows_in, sources.of(name).max_reject_share):
            severity = dg.AssetCheckSeverity.WARN if context.job_name == VALIDATION else result.severity
            yield result._replace(severity=severity, description=rules.with_folder(result.description))

    return dataset


def _out(description: str, key: list[str], columns: dict[str, str] | None = None) -> dg.AssetOut:
    return dg.AssetOut(
        io_manager_key="warehouse",
        owners=["team:data"],
        kinds={"duckdb"},
        description=description,
        metadata={"key": key, "columns": columns or {}},
    )


def _parent(column: str, dataset: str, tables: dict[str, ir.Table]) -> Parent:
    (key,) = CONTRACTS[dataset].metadata["key"]
    return Parent(column, dataset, tables[dataset][key], tables[f"{dataset}_rejects"].row_key)


@retried_io()
def split(
    backend: Backend,
    schema: pa.DataFrameSchema,
    location: Location,
    settings: Settings,
    sources: Sources,
    parents: list[Parent],
) -> Split:
    """Read a dataset and part its rows into those that satisfy the contract and the rejects."""
    if not location.is_available:
        return table_of([], table_schema(schema)), table_of([], REJECTS_SCHEMA), 0
    raw = _read(backend, location, settings)
    try:
        return _split(backend, schema, location, raw, sources, parents)
    except duckdb.Error as error:
        raise SourceProblem(
            "source.damaged",
            f"{schema.name}: {location.shown} can be opened but not read to its end "
            f"({without_values(error).splitlines()[0][:200]}). Export it again.",
            dataset=schema.name,
            file=location.shown,
        ) from None  # the message of the cause has values of the data


def _split(
    backend: Backend,
    schema: pa.DataFrameSchema,
    location: Location,
    raw: RawRows,
    sources: Sources,
    parents: list[Parent],
) -> Split:
    # Counted before anything is made of the rows, so that a row lost on the way shows.
    counts = rows_of(raw.rows.aggregate(rows=_.count()).cross_join(raw.malformed.aggregate(malformed=_.count())))[0]
    key, renames = schema.metadata["key"], location.source.columns
    found = source_columns(raw.rows, schema, renames)
    table = in_reporting_currency(type_columns(raw.rows, schema, sources, renames), schema, sources)
    if parents:
        table = in_form_of_parents(table, parents, rows_of(id_forms(table, parents))[0])
    rules = broken_rules(table, schema)
    # Stored once: counts, rows kept, rejects and duplicates are all read from it.
    fill(backend, staging_name(schema.name), judged(table, schema, rules))
    staged = backend.table(staging_name(schema.name))
    rows, rules = judged_by_parents(staged, schema, rules, parents)
    judgement = rows_of(census(staged, rows, key))[0]
    kept, rejects = rows.filter(rows.broken == 0), []
    if judgement["sound"] < judgement["rows"]:
        rejects.append(rejected_rows(rows, raw.rows, rules, found, key))
    if not judgement["in_key_order"] and different(kept, key) < judgement["sound"]:
        fill(backend, f"duplicates_{schema.name}", later_duplicates(rows, key), temporary=True)
        duplicates = backend.table(f"duplicates_{schema.name}")
        rejects.append(rejected_duplicates(duplicates, raw.rows, found, key))
        kept = kept.anti_join(duplicates, list(PLACE))
    is_whole = judgement["in_key_order"] and not rejects
    kept = as_staged(backend, schema) if is_whole else kept.select(*schema.columns)
    if counts["malformed"]:
        rejects.append(rejected_lines(raw.malformed))
    rejected = [as_rejects(schema.name, rows) for rows in rejects] or [table_of([], REJECTS_SCHEMA)]
    rejected = ibis.union(*rejected) if len(rejected) > 1 else rejected[0]
    return kept, rejected, counts["rows"] + counts["malformed"]


def as_staged(backend: Backend, schema: pa.DataFrameSchema) -> ir.Table:
    """The staged rows, all sound and in order, without what was only there to judge them."""
    name = staging_name(schema.name)
    backend.con.execute(";".join(f"ALTER TABLE {name} DROP COLUMN {column}" for column in (*PLACE, "broken")))
    return backend.table(name)


def different(rows: ir.Table, key: tuple[str, ...]) -> int:
    """How many different keys there are."""
    return rows_of(rows.aggregate(keys=key_value(rows, key).nunique()))[0]["keys"]


def _read(backend: Backend, location: Location, settings: Settings) -> RawRows:
    if location.query:
        return read_query(backend, location.dataset, location.query)
    return read_files(
        backend, location.dataset, location.files, location.source.encoding, scratch=settings.home.scratch
    )


def _forget(backend: Backend, name: str) -> None:
    """Give the memory of a dataset's intermediate tables back."""
    for table in (staging_name(name), f"duplicates_{name}"):
        backend.drop_table(table, force=True)
    release(backend, name)


def source_assets(rules: Rules, settings: Settings) -> list[dg.AssetsDefinition]:
    """Every dataset with its rejects, in the order in which children find their parents."""
    return [source_asset(schema, rules, settings) for schema in contracts_with(rules.dimensions).values()]
