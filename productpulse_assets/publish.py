"""The end of a good run: the snapshot that readers open, and the same tables as files."""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path

import dagster as dg
import ibis
import ibis.expr.types as ir
import sqlglot as sg
import sqlglot.expressions as sge
from ibis.backends.duckdb import Backend

from resources.outputs import replacing
from resources.settings import RunSettings
from resources.warehouse import Warehouse, describe

SPREADSHEET_ROWS = 1_048_575
"""What a spreadsheet opens besides the header; larger tables are exported as Parquet alone."""

SNAPSHOT = "snapshot"


def published_snapshot_asset(tables: Mapping[str, str], after: Sequence[dg.AssetKey]) -> dg.AssetsDefinition:
    """`tables` maps each table to publish to its description; `after` are further things to wait for."""

    @dg.asset(
        name="published_snapshot",
        group_name="published",
        owners=["team:data"],
        kinds={"duckdb", "file"},
        deps=[*tables, *after],
        required_resource_keys={"warehouse", "settings"},
    )
    def published_snapshot(context: dg.AssetExecutionContext) -> dg.MaterializeResult:
        """One DuckDB file with every table of the run, for the dashboard, BI tools and plain SQL.

        Replaced in one step when everything before it passed; until then readers see the last one.
        """
        warehouse: Warehouse = context.resources.warehouse
        settings: RunSettings = context.resources.settings
        target = settings.home.published
        with replacing(target) as part, attached(warehouse.backend, part):
            for table, description in tables.items():
                copy_table(warehouse, table, description)
        return dg.MaterializeResult(
            metadata={
                "path": dg.MetadataValue.path(str(target)),
                "tables": len(tables),
                "bytes": target.stat().st_size,
            }
        )

    return published_snapshot


@contextmanager
def attached(backend: Backend, path: Path) -> Iterator[None]:
    """A second database file under the name SNAPSHOT; detaching writes all of it to disk."""
    backend.attach(path, SNAPSHOT)
    try:
        yield
    finally:
        backend.detach(SNAPSHOT)


def copy_table(warehouse: Warehouse, name: str, description: str) -> None:
    """Copy a table into the snapshot, with what its rows and columns mean as comments."""
    backend = warehouse.backend
    table = backend.table(name)
    backend.create_table(name, table, database=(SNAPSHOT, "main"))
    place = sg.table(name, db="main", catalog=SNAPSHOT, quoted=True)
    _comment(backend, "TABLE", place, description)
    for column in table.columns:
        if meaning := describe(warehouse.descriptions, name, column):
            _comment(backend, "COLUMN", sg.column(column, name, "main", SNAPSHOT, quoted=True), meaning)


def _comment(backend: Backend, kind: str, place: sge.Expression, text: str) -> None:
    comment = sge.Comment(this=place, kind=kind, expression=sge.Literal.string(" ".join(text.split())))
    backend.raw_sql(comment.sql("duckdb"))


def exports_asset(tables: Sequence[str]) -> dg.AssetsDefinition:
    @dg.asset(
        name="exports",
        group_name="published",
        owners=["team:data"],
        kinds={"csv", "parquet"},
        deps=["published_snapshot"],
        required_resource_keys={"warehouse", "settings"},
    )
    def exports(context: dg.AssetExecutionContext) -> dg.MaterializeResult:
        """Every published table as `exports/<table>.parquet` and `exports/<table>.csv`.

        CSV cells that a spreadsheet would run as a formula get a leading apostrophe. Tables of
        more rows than a spreadsheet opens are Parquet only.
        """
        settings: RunSettings = context.resources.settings
        backend: Backend = context.resources.warehouse.backend
        parquet_only = [name for name in tables if not export(backend.table(name), settings.home.exports, name)]
        return dg.MaterializeResult(
            metadata={
                "path": dg.MetadataValue.path(str(settings.home.exports)),
                "tables": len(tables),
                "parquet_only": parquet_only,
            }
        )

    return exports


def export(table: ir.Table, folder: Path, name: str) -> bool:
    """Write a table's files; whether there is a CSV among them."""
    with replacing(folder / f"{name}.parquet") as part:
        table.to_parquet(part)
    csv = folder / f"{name}.csv"
    if table.count().execute() > SPREADSHEET_ROWS:
        csv.unlink(missing_ok=True)
        return False
    with replacing(csv) as part:
        harmless(table).to_csv(part)
    return True


def harmless(table: ir.Table) -> ir.Table:
    """Text that a spreadsheet would run, made plain text by a leading apostrophe."""
    texts = [name for name, kind in table.schema().items() if kind.is_string()]
    runs = "^[=+\\-@\t\r]"
    return table.mutate(
        **{name: ibis.ifelse(table[name].re_search(runs), "'" + table[name], table[name]) for name in texts}
    )
