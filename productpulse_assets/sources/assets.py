"""The datasets, each typed by its contract, and the rejects of each."""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import cast

import dagster as dg
import duckdb
import ibis
import ibis.expr.types as ir
import pandera.ibis as pa
from ibis import _
from ibis.backends.duckdb import Backend

from asset_checks.contracts import CONTRACTS, REJECTS_SCHEMA, contracts_with, table_schema
from asset_checks.row_rules import key_value
from asset_checks.shapes import shape_result, shape_spec
from asset_checks.validation_gate import gate_results, gate_specs, unknown_result
from productpulse_assets.sources.casting import trimmed_text
from productpulse_assets.sources.crosswalk import crosswalk_advice, crosswalk_name, read_crosswalk
from productpulse_assets.sources.errors import SourceProblem
from productpulse_assets.sources.first_rows import first_rows
from productpulse_assets.sources.ids import detect_id_forms, match_parent_form
from productpulse_assets.sources.left_out import split_left_out
from productpulse_assets.sources.location import Location, locate
from productpulse_assets.sources.mapping import complete_rows, map_rows
from productpulse_assets.sources.numbers import FORMATS, has_long_fractions, point_forms
from productpulse_assets.sources.price import price_rules
from productpulse_assets.sources.query_files import read_query_with_files
from productpulse_assets.sources.readers.raw_rows import RawRows, read_files, release, without_values
from productpulse_assets.sources.rejects import (
    as_rejects,
    rejected_duplicates,
    rejected_lines,
    rejected_readings,
    rejected_rows,
    unknown_values,
)
from productpulse_assets.sources.repeated_ids import refer_to_periods
from productpulse_assets.sources.shapes.readings import typed_periods
from productpulse_assets.sources.shapes.reshape import cells_of, reshape, spans_of
from productpulse_assets.sources.shapes.spans import periods
from productpulse_assets.sources.staging import (
    MARKS,
    PLACE,
    Parent,
    RowCounts,
    amount_texts,
    count_rows,
    find_duplicates,
    mark_broken_references,
    mark_broken_rules,
    rules_of_contract,
    rules_of_unknown_values,
    source_columns,
)
from resources.failures import step_failures
from resources.retries import retried_io
from resources.settings import Settings
from resources.tables import rows_of, table_of
from resources.warehouse import fill, staging_name
from rules.models import Sources
from rules.rule_set import Rules
from rules.shapes import Shape

Split = tuple[ir.Table, ir.Table, int]
"""(kept rows, rejects, rows in)"""

Result = dg.Output[ir.Table] | dg.AssetCheckResult

VALIDATION = "validate_sources"
"""The job in which a dataset that fails the gate does not stop the others, so that every dataset is read."""

STOPS_A_RUN = "stops_a_run"
"""The metadata of a warning of that job which is an error in a run."""


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
            name: _table_output(
                schema.description,
                list(schema.metadata["key"]),
                {column: about.description for column, about in schema.columns.items()},
            ),
            rejects: _table_output(
                f"One row per rule that a row of {name} broke: its file and row number, the rule, the value found "
                "and the whole row. These rows are in no other table.",
                ["source_file", "row_number", "check_name", "column_name"],
            ),
        },
        check_specs=[*gate_specs(schema), *([shape_spec()] if rules.sources.of(name).shape else [])],
    )
    def dataset(
        context: dg.AssetExecutionContext, **tables: ir.Table
    ) -> Iterator[dg.Output[ir.Table] | dg.AssetCheckResult]:
        backend: Backend = context.resources.warehouse.backend
        with step_failures():
            location = locate(name, settings, rules)
            known = [_parent(column, parent, tables) for column, parent in parents.items()]
            kept, rejected, rows_in = split(backend, schema, location, settings, rules, known)
        unknown = unknown_result(schema, read_unknown_values(backend, name))
        yield dg.Output(kept, name)
        yield dg.Output(rejected, rejects)
        if location.source.shape and location.is_available:
            tables_of_shape = backend.table(spans_name(name)), backend.table(periods_name(name))
            yield shape_result(location.source.shape, *tables_of_shape)
        _drop_intermediate(backend, name)
        if location.crosswalk:
            release(backend, crosswalk_name(name))
        stored = backend.table(name), backend.table(rejects)
        gate = gate_results(schema, *stored, rows_in, rules.sources.of(name).max_reject_share)
        for result in (*gate, unknown):
            advice = "" if result.passed else crosswalk_advice(location, stored[1], result.check_name)
            described = result._replace(description=rules.with_folder(f"{result.description or ''}{advice}"))
            yield _without_stopping(described) if context.job_name == VALIDATION else described

    return dataset


def _without_stopping(result: dg.AssetCheckResult) -> dg.AssetCheckResult:
    """The result as a warning, which does not stop the job; marked if it would stop a run."""
    if result.severity == dg.AssetCheckSeverity.WARN:
        return result
    metadata = {**(result.metadata or {}), STOPS_A_RUN: dg.MetadataValue.bool(True)}
    return result._replace(severity=dg.AssetCheckSeverity.WARN, metadata=metadata)


def _table_output(description: str, key: list[str], columns: dict[str, str] | None = None) -> dg.AssetOut:
    return dg.AssetOut(
        io_manager_key="warehouse",
        owners=["team:data"],
        kinds={"duckdb"},
        description=description,
        metadata={"key": key, "columns": columns or {}},
    )


def _parent(column: str, dataset: str, tables: dict[str, ir.Table]) -> Parent:
    (key,) = CONTRACTS[dataset].metadata["key"]
    return Parent(column, dataset, tables[dataset][key], tables[f"{dataset}_rejects"].row_key, tables[dataset])


@retried_io()
def split(
    backend: Backend,
    schema: pa.DataFrameSchema,
    location: Location,
    settings: Settings,
    rules: Rules,
    parents: list[Parent],
) -> Split:
    """Read a dataset and split its rows into those that satisfy the contract and the rejects.

    Raises SourceProblem for a source that cannot be read.
    """
    backend.drop_table(_unknown_name(schema.name), force=True)  # of an attempt that failed
    if not location.is_available:
        return table_of([], table_schema(schema)), table_of([], REJECTS_SCHEMA), 0
    raw = _read(backend, location, settings, rules.sources)
    crosswalk = read_crosswalk(backend, location, settings)
    try:
        return _split(backend, schema, location, raw, rules.sources, parents, crosswalk)
    except duckdb.Error as error:
        raise SourceProblem(
            "source.damaged",
            f"{schema.name}: {location.label} can be opened but not read to its end "
            f"({without_values(error).splitlines()[0][:200]}). Export it again.",
            dataset=schema.name,
            file=location.label,
        ) from None  # the message of the cause contains values of the data


def _split(
    backend: Backend,
    schema: pa.DataFrameSchema,
    location: Location,
    raw: RawRows,
    sources: Sources,
    parents: list[Parent],
    crosswalk: ir.Table | None = None,
) -> Split:
    key, source = schema.metadata["key"], location.source
    found = source_columns(raw.rows, schema, source)
    if source.rows_from:
        # Rows that a query leaves out are rejects of the other dataset.
        rows = split_left_out(raw, found, key, source.rows_from)[0] if location.query else raw.rows
        raw = first_rows(replace(raw, rows=rows), found, sources)
    # Counted before any transformation, so that the totals show a row that is lost later.
    row_count, malformed_count = _count_raw_rows(raw)
    rejects: list[ir.Table] = []
    rows_of_source = raw.rows
    if location.query:
        rows_of_source, left_out = split_left_out(raw, found, key, schema.name)
        rejects += [] if left_out is None else [left_out]
    if source.shape:
        left_out_count = row_count - _count_rows(rows_of_source)
        shaped = _shape(backend, schema, rows_of_source, sources, source.shape)
        rows_of_source, found, typed = shaped.raw, shaped.columns, shaped.typed
        rejects.append(shaped.rejects)
        row_count = shaped.row_count + left_out_count
        table = complete_rows(typed, schema, sources, source, crosswalk)
    else:
        thousands = unclear_files(rows_of_source, schema, sources, found)
        table = map_rows(rows_of_source, schema, sources, source, found, thousands, crosswalk)
    if parents:
        forms = cast("dict[str, bool]", rows_of(detect_id_forms(table, parents))[0])
        table = match_parent_form(table, parents, forms)
        for parent in (each for each in parents if each.dataset == "subscriptions"):
            table = refer_to_periods(table, parent.rows, sources.of("subscriptions"))
    contract_rules, unknown_rules = rules_of_contract(table, schema), rules_of_unknown_values(table, schema)
    contract_rules += price_rules(table, source.price)
    # Stored once: counts, rows kept, rejects and duplicates are all read from it.
    fill(backend, staging_name(schema.name), mark_broken_rules(table, schema, contract_rules, unknown_rules))
    staged = backend.table(staging_name(schema.name))
    rows, contract_rules = mark_broken_references(staged, schema, contract_rules, parents)
    counts = cast("RowCounts", rows_of(count_rows(staged, rows, key))[0])
    kept = rows.filter(rows.broken == 0)
    if counts["valid"] < counts["rows"]:
        rejects.append(rejected_rows(rows, rows_of_source, contract_rules, found, key))
    if not counts["is_in_key_order"] and _count_keys(kept, key) < counts["valid"]:
        fill(backend, f"duplicates_{schema.name}", find_duplicates(rows, key), temporary=True)
        duplicates = backend.table(f"duplicates_{schema.name}")
        rejects.append(rejected_duplicates(duplicates, rows_of_source, found, key))
        kept = kept.anti_join(duplicates, [*PLACE, *key])  # two periods of a shape may have one place
    if unknown_rules and counts["unknown"]:
        unknown = unknown_values(kept, rows_of_source, unknown_rules, found, key)
        fill(backend, _unknown_name(schema.name), as_rejects(schema.name, unknown), temporary=True)
    is_complete = counts["is_in_key_order"] and not rejects
    kept = _drop_helper_columns(backend, schema) if is_complete else kept.select(*schema.columns)
    if malformed_count:
        rejects.append(rejected_lines(raw.malformed))
    return kept, _union_rejects(schema.name, rejects), row_count + malformed_count


@dataclass(frozen=True)
class _Shaped:
    """The periods of an export in another shape: typed, and the rows that cannot be part of a period.

    row_count: periods and rejected rows, as the dataset's rows in.
    """

    raw: ir.Table
    columns: dict[str, str]
    typed: ir.Table
    rejects: ir.Table
    row_count: int


def _shape(backend: Backend, schema: pa.DataFrameSchema, raw: ir.Table, sources: Sources, shape: Shape) -> _Shaped:
    """Spans and periods are stored: counts, rejects and warnings are read from them too."""
    rows = cells_of(raw, schema, sources, shape)
    found = source_columns(rows, schema, sources.of(schema.name))
    thousands = unclear_files(rows, schema, sources, found)
    reshaped = reshape(rows, schema, sources, shape, thousands)
    fill(backend, readings_name(schema.name), reshaped.readings, temporary=True)
    readings = backend.table(readings_name(schema.name))
    fill(backend, spans_name(schema.name), spans_of(readings, reshaped.attributes, shape), temporary=True)
    spans = backend.table(spans_name(schema.name))
    fill(backend, periods_name(schema.name), periods(spans, reshaped.attributes), temporary=True)
    stored = backend.table(periods_name(schema.name))
    counts = stored.aggregate(periods=_.count()).cross_join(spans.aggregate(rejected=_.problem_check.count()))
    row = cast("dict[str, int]", rows_of(counts)[0])
    rejects = rejected_readings(spans, reshaped.raw)
    typed = typed_periods(stored, schema)
    return _Shaped(reshaped.raw, reshaped.columns, typed, rejects, row["periods"] + row["rejected"])


def readings_name(name: str) -> str:
    """The table with the rows of an export in another shape, typed."""
    return f"readings_{name}"


def spans_name(name: str) -> str:
    """The table with the rows of an export in another shape, as spans."""
    return f"spans_{name}"


def periods_name(name: str) -> str:
    """The table with the periods that the spans become."""
    return f"periods_{name}"


def read_unknown_values(backend: Backend, name: str) -> ir.Table:
    """One row per value of a kept row that `split` left empty, with the columns of a rejects table."""
    unknown = _unknown_name(name)
    return backend.table(unknown) if unknown in backend.list_tables() else table_of([], REJECTS_SCHEMA)


def _unknown_name(name: str) -> str:
    return f"unknown_{name}"


def _count_rows(rows: ir.Table) -> int:
    return cast("dict[str, int]", rows_of(rows.aggregate(rows=_.count()))[0])["rows"]


def _count_raw_rows(raw: RawRows) -> tuple[int, int]:
    """The rows that could be split into fields, and the malformed lines."""
    counts = raw.rows.aggregate(rows=_.count()).cross_join(raw.malformed.aggregate(malformed=_.count()))
    row = cast("dict[str, int]", rows_of(counts)[0])
    return row["rows"], row["malformed"]


def unclear_files(
    raw: ir.Table, schema: pa.DataFrameSchema, sources: Sources, found: dict[str, str]
) -> dict[str, list[str]]:
    """By column, the files in which 1.234 may be 1234."""
    texts = amount_texts(raw, schema, sources, found)
    if not texts or not any(rows_of(has_long_fractions(raw, texts))[0][name] for name in texts):
        return {}
    rows = rows_of(point_forms(raw, {name: trimmed_text(text) for name, text in texts.items()}))
    return {name: [row["source_file"] for row in rows if row[name]] for name in texts}


def _count_keys(rows: ir.Table, key: tuple[str, ...]) -> int:
    return cast("dict[str, int]", rows_of(rows.aggregate(keys=key_value(rows, key).nunique()))[0])["keys"]


def _drop_helper_columns(backend: Backend, schema: pa.DataFrameSchema) -> ir.Table:
    """The staged table itself, where all its rows are kept and in order, with the contract's columns alone."""
    name = staging_name(schema.name)
    backend.con.execute(";".join(f"ALTER TABLE {name} DROP COLUMN {column}" for column in (*PLACE, *MARKS)))
    return backend.table(name)


def _union_rejects(dataset: str, rejects: list[ir.Table]) -> ir.Table:
    tables = [as_rejects(dataset, rows) for rows in rejects] or [table_of([], REJECTS_SCHEMA)]
    return ibis.union(*tables) if len(tables) > 1 else tables[0]


def _read(backend: Backend, location: Location, settings: Settings, sources: Sources) -> RawRows:
    number_format = sources.number_format_of(location.dataset)
    decimal_sign = FORMATS[number_format].decimal if number_format else "."
    if location.query:
        return read_query_with_files(backend, location, settings.home.scratch, decimal_sign)
    return read_files(
        backend,
        location.dataset,
        location.files,
        location.source.encoding,
        scratch=settings.home.scratch,
        sheet=location.source.sheet,
        decimal_sign=decimal_sign,
    )


def _drop_intermediate(backend: Backend, name: str) -> None:
    """Drop a dataset's intermediate tables, which frees their memory."""
    shaped = (readings_name(name), spans_name(name), periods_name(name))
    for table in (staging_name(name), f"duplicates_{name}", _unknown_name(name), *shaped):
        backend.drop_table(table, force=True)
    release(backend, name)


def source_assets(rules: Rules, settings: Settings) -> list[dg.AssetsDefinition]:
    """Every dataset with its rejects, in the order in which children find their parents."""
    return [source_asset(schema, rules, settings) for schema in contracts_with(rules.dimensions).values()]
