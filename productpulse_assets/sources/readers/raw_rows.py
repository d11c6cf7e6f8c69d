"""Source files, or a query of sources.yaml, as rows in DuckDB: every line is a row or a malformed line."""

import re
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path

import duckdb
import ibis
import ibis.expr.types as ir
import sqlglot.expressions as sge

from productpulse_assets.sources.errors import SourceProblem
from productpulse_assets.sources.readers.blanks import plain_name
from productpulse_assets.sources.readers.column_names import OURS, checked_names
from productpulse_assets.sources.readers.csv_file import CsvFile
from productpulse_assets.sources.readers.csv_table import load_csv
from productpulse_assets.sources.readers.json_table import json_columns, load_json
from productpulse_assets.sources.readers.parquet_columns import as_text, parquet_columns, unreadable_parquet
from productpulse_assets.sources.readers.text_file import ending_of
from productpulse_assets.sources.readers.xlsx_table import load_xlsx, xlsx_columns
from rules.text.formats import without_credentials

READABLE = ".csv, .csv.gz, .tsv, .tsv.gz, .xlsx, .parquet, .json, .jsonl or .jsonl.gz"
FORMATS = {
    ".csv": "csv",
    ".tsv": "csv",
    ".json": "json",
    ".jsonl": "json",
    ".xlsx": "xlsx",
    ".parquet": "parquet",
}
PACKED_BY_ITSELF = ("parquet", "xlsx")
"""Formats that are never compressed once more."""
NOT_LOCAL = re.compile(
    r"^(File|IO Error: No files found that match the pattern) \"?(?P<scheme>(?!file:)\w+://)"
    r"|is not in the catalog, but it exists in the (?P<extension>\w+) extension",
    re.IGNORECASE,
)
"""DuckDB's messages for a query that needs a file on another machine, or an extension."""
LOCAL = (
    "Nothing is downloaded: a query reads files of this machine, in the formats that DuckDB includes "
    "(CSV, JSON, Parquet). Put the file into the data folder in one of these formats, and change the query."
)
MALFORMED_COLUMNS = (
    "source_file VARCHAR, row_number BIGINT, check_name VARCHAR, column_name VARCHAR, value VARCHAR, line VARCHAR"
)


@dataclass(frozen=True)
class RawRows:
    """The rows of a source, before they are typed.

    columns: the source's own columns. rows: one row per row that could be split into fields:
    source_file (the file's name), row_number (in that file, the first data row is 1, blank
    lines do not count), then the columns: text for CSV, TSV, workbooks and JSON, native types for Parquet
    and queries. malformed: one row per line that could not be split: source_file, row_number,
    check_name ('malformed_line'), column_name (NULL), value (the reason and the start of the
    line, at most 200 characters), line (all of it).
    """

    columns: tuple[str, ...]
    rows: ir.Table
    malformed: ir.Table


def columns_of(
    backend: ibis.BaseBackend,
    files: Sequence[Path],
    encoding: str = "utf-8",
    *,
    scratch: Path,
    sheet: str | None = None,
) -> tuple[str, ...]:
    """The columns of the files, in order of first appearance, without reading their rows
    (JSON has its names in the rows, and is read). Leaves nothing in `scratch`. Raises SourceProblem."""
    by_format = _in_order(files, sheet)
    names: dict[str, str] = {}
    scratch.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=scratch) as folder:
        for path, layout in by_format:
            if layout == "parquet":
                found = parquet_columns(backend.con, path)
            elif layout == "json":
                found = json_columns(backend.con, path, encoding, Path(folder))
            elif layout == "xlsx":
                found = xlsx_columns(path, sheet)
            else:
                found = CsvFile.open(path, encoding).columns
            for name in found:
                names.setdefault(plain_name(name), name)
    return tuple(names.values())


def read_files(
    backend: ibis.BaseBackend,
    name: str,
    files: Sequence[Path],
    encoding: str = "utf-8",
    *,
    scratch: Path,
    sheet: str | None = None,
    decimal_sign: str = ".",
) -> RawRows:
    """The rows of all files, in the order of their names, united by column name.

    sheet: of a workbook; without a name, the first one. decimal_sign: of the numbers in texts: the cells of a workbook
    and the values of JSON that are numbers become texts with it.
    Creates raw_<name> (a temp table; for Parquet a temp view) and the temp table
    malformed_<name>, and leaves nothing in `scratch`. Raises SourceProblem.
    """
    in_order = _in_order(files, sheet)
    malformed = _fresh_tables(backend.con, name)
    if in_order[0][1] == "parquet":
        _view_parquet(backend.con, f"raw_{name}", [path for path, _ in in_order])
        return _raw_rows(backend, name)
    scratch.mkdir(parents=True, exist_ok=True)
    parts = [f"raw_{name}_{number}" for number in range(len(in_order))]
    try:
        for part, (path, layout) in zip(parts, in_order, strict=True):
            with tempfile.TemporaryDirectory(dir=scratch) as folder:
                if layout == "json":
                    load_json(backend.con, part, malformed, path, encoding, Path(folder), decimal_sign)
                elif layout == "xlsx":
                    load_xlsx(backend.con, part, path, sheet, decimal_sign)
                else:
                    load_csv(backend, part, malformed, path, encoding, Path(folder))
        _unite(backend, f"raw_{name}", parts)
    finally:
        for part in parts:
            backend.con.execute(f"DROP TABLE IF EXISTS temp.{part}")
    return _raw_rows(backend, name)


def columns_of_query(backend: ibis.BaseBackend, name: str, query: str) -> tuple[str, ...]:
    """The columns that a query of sources.yaml gives, without running it. Raises SourceProblem."""
    return tuple(_relation(backend, name, query).columns)


def read_query(backend: ibis.BaseBackend, name: str, query: str) -> RawRows:
    """The rows of one SELECT that the owner of the rules folder wrote, kept as raw_<name>;
    source_file is 'query'. Raises SourceProblem when it is not one SELECT or fails."""
    relation = _relation(backend, name, query)
    _fresh_tables(backend.con, name)
    try:
        relation.query(
            "answer",
            f"CREATE TEMP TABLE raw_{name} AS "  # names of ours  # nosec B608
            f"SELECT 'query' AS source_file, row_number() OVER () AS row_number, "
            f"*{as_text(relation.columns, relation.types)} FROM answer",
        )
    except duckdb.Error as error:
        raise _failed_query(name, error) from None  # its message contains the query and values of the data
    return _raw_rows(backend, name)


def release(backend: ibis.BaseBackend, name: str) -> None:
    """Free the memory of a dataset's raw rows."""
    _fresh_tables(backend.con, name)


def _relation(backend: ibis.BaseBackend, name: str, query: str) -> duckdb.DuckDBPyRelation:
    try:
        statements = backend.con.extract_statements(query)
        if any(each.type == duckdb.StatementType.LOAD for each in statements):
            raise SourceProblem(
                "query.not_local",
                f"The query for {name} in sources.yaml installs or loads an extension. {LOCAL}",
                dataset=name,
            )
        if [each.type for each in statements] != [duckdb.StatementType.SELECT]:
            raise SourceProblem(
                "query.not_one_select",
                f"The query for {name} in sources.yaml is not one SELECT statement: it "
                f"{_statement_types(statements)}. Write one SELECT.",
                dataset=name,
            )
        relation: duckdb.DuckDBPyRelation = backend.con.sql(query)
    except duckdb.Error as error:
        # DuckDB's message quotes the query, which may contain a password, and Dagster's event log would store it.
        raise _failed_query(name, error) from None
    checked_names(Path(f"The query for {name}"), relation.columns)
    return relation


def _statement_types(statements: list[duckdb.Statement]) -> str:
    names = ", ".join(each.type.name for each in statements)
    return f"has {names}" if names else "is empty"


def _failed_query(name: str, error: duckdb.Error) -> SourceProblem:
    if found := NOT_LOCAL.search(" ".join(str(error).split())):
        # Without the address, which may contain a password.
        needed = f"reads {found['scheme']}" if found["scheme"] else f"needs DuckDB's extension {found['extension']}"
        return SourceProblem("query.not_local", f"The query for {name} in sources.yaml {needed}. {LOCAL}", dataset=name)
    return SourceProblem(
        "query.failed",
        f"The query for {name} in sources.yaml does not work: "
        f"{without_credentials(' '.join(without_values(error).split()))[:500]} Fix the query.",
        dataset=name,
    )


QUOTED = re.compile(r"""(["'])(?:.*\1|.*$)""")
"""From the first quote of a line to the last one of the same sort, or to the end of the line."""


def without_values(error: duckdb.Error) -> str:
    """DuckDB's message without the value that it failed at: it may be personal, and Dagster stores errors."""
    if not isinstance(error, duckdb.ConversionException | duckdb.InvalidInputException):
        return str(error)
    problem, *query = str(error).split("\n\nLINE ", 1)
    return "\n\nLINE ".join([QUOTED.sub("(a value)", problem.splitlines()[0]), *query])


def _raw_rows(backend: ibis.BaseBackend, name: str) -> RawRows:
    rows = backend.table(f"raw_{name}")
    columns = tuple(column for column in rows.columns if column not in OURS)
    return RawRows(columns, rows, backend.table(f"malformed_{name}"))


def _fresh_tables(con: duckdb.DuckDBPyConnection, name: str) -> str:
    if not re.fullmatch(r"[A-Za-z_][A-Za-z0-9_]*", name):
        raise ValueError(f"{name!r} cannot be part of a table's name: letters, digits and _ can")
    is_view = con.execute(
        "SELECT 1 FROM duckdb_views() WHERE temporary AND view_name = $view",
        {"view": f"raw_{name}"},
    ).fetchone()
    con.execute(f"DROP {'VIEW' if is_view else 'TABLE'} IF EXISTS temp.raw_{name}")
    con.execute(f"CREATE OR REPLACE TEMP TABLE malformed_{name} ({MALFORMED_COLUMNS})")
    return f"malformed_{name}"


def _in_order(files: Sequence[Path], sheet: str | None = None) -> list[tuple[Path, str]]:
    """The files by name, each with its format. Only workbooks have a `sheet`."""
    if not files:
        raise SourceProblem(
            "source.no_file", "No file was found for the dataset. Check its path or pattern in sources.yaml."
        )
    formats = [(path, _format(path)) for path in sorted(files, key=lambda path: (path.name, str(path)))]
    for (path, _), (other, _) in pairwise(formats):
        if path.name == other.name:
            raise SourceProblem(
                "source.same_file_name",
                f"{path} and {other} have the same name, so the origin of a row would not be "
                f"clear. Rename one, or give the dataset a pattern in sources.yaml that finds one.",
                file=path.name,
            )
    for path, layout in formats:
        if sheet and layout != "xlsx":
            raise SourceProblem(
                "source.no_sheets",
                f"{path.name} has no sheets, so sheet: in sources.yaml cannot be used for it. Remove the setting, or "
                "give a file that ends in .xlsx.",
                file=path.name,
            )
    if len({layout == "parquet" for _, layout in formats}) > 1:
        names = ", ".join(path.name for path, _ in formats)
        raise SourceProblem(
            "source.mixed_formats",
            f"{names}: Parquet files and text files cannot be read as one dataset. Give the "
            f"dataset a pattern in sources.yaml that finds one kind.",
            files=names,
        )
    return formats


def _format(path: Path) -> str:
    layout = FORMATS.get(ending_of(path))
    if layout is None or (layout in PACKED_BY_ITSELF and path.suffix.lower() == ".gz"):
        raise SourceProblem(
            "source.unknown_ending",
            f"{path.name} has an ending that is not known. Files that can be read end in {READABLE}.",
            file=path.name,
        )
    return layout


def _unite(backend: ibis.BaseBackend, table: str, parts: list[str]) -> None:
    con = backend.con
    if len(parts) == 1:
        con.execute(f"ALTER TABLE temp.{parts[0]} RENAME TO {table}")
        return
    union = " UNION ALL BY NAME ".join(f"FROM temp.{part}" for part in parts)
    con.execute(f"CREATE TEMP TABLE {table} AS {union}")


def _view_parquet(con: duckdb.DuckDBPyConnection, view: str, files: list[Path]) -> None:
    for path in files:
        parquet_columns(con, path)
    paths = sge.Array(expressions=[sge.Literal.string(str(path.resolve())) for path in files])
    rows = f"FROM read_parquet({paths.sql('duckdb')}, union_by_name = true"
    try:
        names, types, *_about = zip(*con.execute(f"DESCRIBE {rows})").fetchall(), strict=True)
        con.execute(
            f"CREATE TEMP VIEW {view} AS SELECT parse_filename(productpulse_path) AS source_file, "  # names of ours  # nosec B608
            f"file_row_number + 1 AS row_number, "
            f"* EXCLUDE (productpulse_path, file_row_number){as_text(names, types)} "
            f"{rows}, file_row_number = true, filename = 'productpulse_path')"
        )
    except duckdb.Error as error:
        raise unreadable_parquet(files, error) from error
