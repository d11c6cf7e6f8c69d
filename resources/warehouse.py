"""The DuckDB store of the graph: the query of an asset becomes a table."""

from __future__ import annotations

import time
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import replace
from functools import cached_property
from pathlib import Path
from typing import Any

import dagster as dg
import duckdb
import ibis.expr.operations as ops
import ibis.expr.types as ir
import sqlglot as sg
import sqlglot.expressions as sge
import yaml
from dagster_duckdb import DuckDBResource
from ibis.backends.duckdb import Backend
from ibis.common.exceptions import TableNotFound

from resources.compiled_plan import CompiledTable, Source
from resources.duckdb_connection import FileAccess, set_up
from resources.failures import step_failures
from resources.home import Home
from resources.kept_statements import describe_expression, kept_statement, kept_statements
from resources.lineage import carrying_columns, column_sources
from resources.retries import retried_io
from resources.run_lock import mark_at_work, run_lock
from resources.settings import LONGEST_WAIT
from resources.snapshot_manifest import remove_manifest
from resources.store_file import opening_problem, set_aside
from resources.tables import markdown_rows
from rules.text.errors import ProductPulseError

PREVIEW_ROWS = 10
DIALECT = "duckdb"
MASKED = "(personal)"
"""In previews, the text in place of a name or of what a person wrote."""


class TableNotComputed(ProductPulseError):
    """An asset needs a table that no run has computed yet; the message names it and says what to run."""


class Warehouse(dg.IOManager):
    """Stores the query of each asset with one CREATE TABLE AS, and gives later assets the stored tables.

    One connection serves the whole run, and one run at a time works in a home, because DuckDB takes one writing
    process per file. Rows are stored in the order of the asset's `key` metadata, so that equal input gives equal files.
    `access` is called when the run begins, and returns the files that the run reads besides the home.
    `fingerprint` is that of the compiled plan, beside which the statements of other queries are kept.
    `personal` are the columns, by table, that no preview shows; nor does it show columns of other tables that are
    computed from them. An asset that reads personal data from elsewhere names its columns in the metadata `personal`.
    """

    def __init__(
        self,
        duckdb: DuckDBResource,
        glossary: str,
        time_zone: str = "UTC",
        wait_seconds: float = LONGEST_WAIT,
        access: Callable[[], FileAccess] = FileAccess,
        personal: Mapping[str, Collection[str]] | None = None,
        fingerprint: str = "",
    ):
        self.duckdb = duckdb
        self.glossary = glossary
        self.time_zone = time_zone
        self.wait_seconds = wait_seconds
        self.access = access
        self.personal = personal or {}
        self.fingerprint = fingerprint
        self._backend: Backend
        self._known: dict[str, ir.Table] = {}
        self._personal: dict[str, set[str]] = {}

    @contextmanager
    def open_for_run(self, context: dg.InitResourceContext) -> Iterator[Warehouse]:
        """The warehouse with its file open, for a run that holds the lock of the home."""
        path = Path(self.duckdb.database)
        home = Home(path.parent)
        assert context.log  # Dagster gives every run one
        with run_lock(home, self.wait_seconds, context.log.warning):
            mark_at_work(context)
            remove_manifest(home)
            if damage := opening_problem(path):
                context.log.warning(set_aside(path, damage))
            access = self.access()
            access = replace(access, folders=(home.root, *access.folders))
            with self._connection() as connection, kept_statements(home.compiled, self.fingerprint):
                self._backend = set_up(connection, self.time_zone, access)
                self._known = {}
                self._personal = {name: set(columns) for name, columns in self.personal.items()}
                yield self

    @contextmanager
    def _connection(self) -> Iterator[duckdb.DuckDBPyConnection]:
        connecting = self.duckdb.get_connection()
        connection = connecting.__enter__()
        try:
            yield connection
        finally:
            connection.close()

    @property
    def backend(self) -> Backend:
        """The run's connection, with which source files are read and the snapshot is published."""
        return self._backend

    @cached_property
    def descriptions(self) -> dict[str, str]:
        """The description of each column, by its name or `table.name`."""
        descriptions: dict[str, str] = yaml.safe_load(Path(self.glossary).read_text(encoding="utf-8"))
        return descriptions

    @step_failures()
    def load_input(self, context: dg.InputContext) -> ir.Table:
        """The stored table of an upstream asset."""
        return self.table(context.asset_key.path[-1])

    def table(self, name: str) -> ir.Table:
        """A stored table; DuckDB is asked for its columns once. Raises TableNotComputed if it does not exist."""
        try:
            if name not in self._known:
                self._known[name] = self._backend.table(name)
            return self._known[name]
        except TableNotFound as error:
            raise TableNotComputed(
                "warehouse.table_not_computed",
                f"The table {name} has not been computed in {self.duckdb.database}. Run the whole graph first, "
                f"or select what comes before as well, as in '+{name}'.",
                table=name,
            ) from error

    def require(self, names: Iterable[str]) -> None:
        """Raise TableNotComputed unless every one of these tables is stored."""
        for name in names:
            self.table(name)

    @retried_io()
    def handle_output(self, context: dg.OutputContext, obj: ir.Table | CompiledTable) -> None:
        """Store the rows of a query as a table, and record its metadata."""
        name = context.asset_key.path[-1]
        key = list((context.definition_metadata or {}).get("key", ()))
        started = time.perf_counter()
        self._known.pop(name, None)
        lineage: Mapping[str, Collection[Source]]
        if isinstance(obj, CompiledTable):
            kinds, lineage = obj.columns, obj.lineage
        else:
            kinds, lineage = {column: str(kind) for column, kind in obj.schema().items()}, column_sources(obj)
        described = (context.definition_metadata or {}).get("columns", {})
        columns = [
            dg.TableColumn(column, kind, described.get(column) or describe(self.descriptions, name, column))
            for column, kind in kinds.items()
        ]
        with registered_rows(self._backend, obj), transaction(self._backend):
            sql = store(self._backend, name, obj, key)
            comment(self._backend, name, {column.name: column.description for column in columns})
        stored = self._backend.con.table(name)
        hidden = self._hidden(context, obj)
        first = [mask_row(row, hidden) for row in stored.limit(PREVIEW_ROWS).to_arrow_table().to_pylist()]
        context.add_output_metadata(
            {
                "seconds": round(time.perf_counter() - started, 3),
                "dagster/row_count": stored.count("*").fetchone()[0],
                "dagster/column_schema": dg.TableSchema(columns=columns),
                "sql": dg.MetadataValue.md(f"```sql\n{sql}\n```"),
                **lineage_metadata(lineage),
                "preview": dg.MetadataValue.md(markdown_rows(stored.columns, first)),
            }
        )

    def _hidden(self, context: dg.OutputContext, obj: ir.Table | CompiledTable) -> set[str]:
        """The personal columns of an asset's table; remembered for later tables of the run."""
        found = self._personal.setdefault(context.asset_key.path[-1], set())
        found |= set((context.definition_metadata or {}).get("personal", ()))
        if isinstance(obj, ir.Table):  # the plan has those of a compiled query
            found |= carrying_columns(obj, self._personal)
        return found


def mask_row(row: Mapping[str, object], hidden: Collection[str]) -> dict[str, object]:
    """A row with MASKED in its `hidden` columns; NULL stays NULL."""
    return {name: MASKED if name in hidden and value is not None else value for name, value in row.items()}


@contextmanager
def transaction(backend: Backend) -> Iterator[None]:
    """All statements of this block take effect together, or none if it raises.

    DuckDB writes to its log and flushes it at the end of each transaction: several times for every table otherwise, and
    once for every comment.
    """
    backend.con.begin()
    try:
        yield
        backend.con.commit()
    except BaseException:
        with suppress(duckdb.Error):  # after some errors DuckDB has ended the transaction itself
            backend.con.rollback()
        raise


@contextmanager
def registered_rows(backend: Backend, content: ir.Table | CompiledTable) -> Iterator[None]:
    """In this block DuckDB knows the rows in memory that `content` reads."""
    in_memory = content.op().find(ops.InMemoryTable) if isinstance(content, ir.Table) else ()
    for small in in_memory:
        backend.con.register(small.name, small.data.to_pyarrow(small.schema))
    try:
        yield
    finally:
        for small in in_memory:
            backend.con.unregister(small.name)


def store(backend: Backend, name: str, content: ir.Table | CompiledTable, key: Sequence[str]) -> str:
    """Replace table `name` with `content`; return the statement.

    Needs a transaction, in a block of `registered_rows`.
    """
    if isinstance(content, CompiledTable):
        return create_table(backend, name, content.sql)
    node = content.op()
    if isinstance(node, ops.DatabaseTable) and node.name == staging_name(name):
        return rename_staged(backend, name)
    return create_table(backend, name, select_statement(content, key))


def fill(backend: Backend, name: str, content: ir.Table, key: Sequence[str] = (), *, temporary: bool = False) -> str:
    """Replace table `name` with `content`, in the order of `key`, in one statement; return the statement.

    A killed run leaves either the old table or the new one.
    """
    with registered_rows(backend, content):
        return create_table(backend, name, select_statement(content, key), temporary=temporary)


def create_table(backend: Backend, name: str, select: str, *, temporary: bool = False) -> str:
    """Replace table `name` with the rows of a SELECT of ours, in one statement; return the statement."""
    kind = "TEMPORARY TABLE" if temporary else "TABLE"
    sql = f"CREATE OR REPLACE {kind} {sg.to_identifier(name, quoted=True).sql(DIALECT)} AS\n{select}"
    backend.con.execute(sql)
    return sql


def select_statement(content: ir.Table, key: Sequence[str] = ()) -> str:
    """The SQL of `content`, with the types of the expression, in the order of `key`."""
    return kept_statement(lambda: write_select(content, key), describe_expression(content), "stored", *key)


def write_select(content: ir.Table, key: Sequence[str] = ()) -> str:
    """The SQL of `content` as Ibis writes it now."""
    query = Backend.compiler.to_sqlglot(content).subquery("filled", copy=False)
    for star in query.find_all(sge.Star):
        # Ibis keeps the columns of a drop in a set, whose order differs from process to process.
        if excluded := star.args.get("except_"):
            star.set("except_", sorted(excluded, key=lambda column: column.name))
    ordered = sg.select(*_stored_columns(content)).from_(query, copy=False)
    if key:
        ordered = ordered.order_by(*(sg.column(column, quoted=True) for column in key), copy=False)
    return ordered.sql(DIALECT, pretty=True, copy=False, unsupported_level=sg.ErrorLevel.RAISE)


def staging_name(name: str) -> str:
    """The name of a table that an asset stores itself, in the order of its key, for `rename_staged`."""
    return f"staged_{name}"


def rename_staged(backend: Backend, name: str) -> str:
    """Give the staged table of an asset its final name, without writing rows again; return the statements.

    Needs a transaction.
    """
    old, staged = sge.table_(name, quoted=True), sge.table_(staging_name(name), quoted=True)
    statements = [
        sge.Drop(this=old, kind="TABLE", exists=True),
        sge.Alter(this=staged, kind="TABLE", actions=[sge.AlterRename(this=old)]),
    ]
    sql = ";\n".join(statement.sql(backend.dialect) for statement in statements)
    backend.con.execute(sql)
    return sql


def _stored_columns(content: ir.Table) -> Iterator[sge.Expr]:
    """The columns, cast to the types of the expression.

    DuckDB makes a sum of integers a 128-bit integer, which Parquet stores as a float, and gives a product of decimals
    more digits than its factors have.
    """
    for name, kind in content.schema().items():
        column = sg.column(name, quoted=True)
        stored = (
            "BIGINT" if kind.is_int64() else f"DECIMAL({kind.precision}, {kind.scale})" if kind.is_decimal() else None
        )
        yield sge.cast(column, stored).as_(name, quoted=True) if stored else column


def comment(backend: Backend, table: str, columns: Mapping[str, str | None], text: str | None = None) -> None:
    """Write the descriptions of a table and its columns into the store, for readers with other tools."""
    comments: list[tuple[str, sge.Expr, str | None]] = [
        ("COLUMN", sg.column(name, table, quoted=True), about) for name, about in columns.items()
    ]
    comments.append(("TABLE", sge.table_(table, quoted=True), text))
    statements = [
        sge.Comment(this=place, kind=kind, expression=sge.Literal.string(" ".join(about.split())))
        for kind, place, about in comments
        if about
    ]
    if statements:
        backend.con.execute(";\n".join(statement.sql("duckdb", copy=False) for statement in statements))


def describe(descriptions: Mapping[str, str], table: str, column: str) -> str | None:
    """The description of a column: that of its table, else the one for all tables."""
    return descriptions.get(f"{table}.{column}", descriptions.get(column))


def lineage_metadata(
    sources: Mapping[str, Collection[Source]],
) -> dict[str, dg.MetadataValue[Any] | dg.TableColumnLineage]:
    """The sources of each column in Dagster's form, and as a Markdown table.

    Only Dagster+ draws the former; the open-source UI shows the table.
    """
    known = {column: sorted(found) for column, found in sources.items() if found}
    lines = [f"| {column} | {', '.join(f'{table}.{name}' for table, name in known[column])} |" for column in known]
    return {
        "dagster/column_lineage": dg.TableColumnLineage(
            {
                column: [dg.TableColumnDep(dg.AssetKey(table), name) for table, name in found]
                for column, found in known.items()
            }
        ),
        "column_lineage": dg.MetadataValue.md("\n".join(["| Column | Computed from |", "| --- | --- |", *lines])),
    }
