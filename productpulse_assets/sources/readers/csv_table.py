"""One CSV file as a table: DuckDB reads it, a count shows whether a row was lost, and then the file is repaired."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import islice
from pathlib import Path

import duckdb
import ibis
import ibis.expr.types as ir
import pyarrow as pa
from ibis.backends.duckdb import Backend

from productpulse_assets.sources.errors import SourceProblem
from productpulse_assets.sources.readers.csv_file import CsvFile
from productpulse_assets.sources.readers.csv_lines import BadLine, separate
from productpulse_assets.sources.readers.text_file import HEAD_BYTES, MAX_ROW_BYTES
from resources.tables import rows_of

VALUE_CHARACTERS = 200
DUCKDB_LINE_BYTES = MAX_ROW_BYTES + (1 << 20)

READ_CSV = """
    FROM read_csv($path, columns = $columns, header = $header, delim = $delimiter,
        new_line = $new_line, quote = '"', escape = '"', auto_detect = false,
        parallel = false, max_line_size = $line_bytes, buffer_size = $buffer_bytes)
"""


@dataclass(frozen=True)
class Marks:
    """The number of structural characters in a CSV text, or in its values.

    rows: line ends. fields: delimiters. returns: carriage returns.
    """

    rows: int
    fields: int
    returns: int


def load_csv(
    backend: Backend,
    table: str,
    malformed: str,
    path: Path,
    encoding: str,
    scratch: Path,
) -> None:
    """Creates the temp table `table` from a CSV or TSV file, and adds its bad lines to the
    table `malformed`. Raises SourceProblem."""
    file = CsvFile.open(path, encoding).as_utf8(scratch)
    if _loads_whole(backend, table, file):
        return
    repaired = file.repaired(scratch / "clean_copy.csv")
    _insert_malformed(backend.con, malformed, file.name, separate(file, repaired.utf8))
    try:
        _create_table(backend.con, table, repaired)
    except duckdb.Error as error:
        raise _unsplittable(file) from error
    if not _nothing_lost(backend.table(table), repaired):
        raise _unsplittable(file)


def _unsplittable(file: CsvFile) -> SourceProblem:
    return SourceProblem(
        "csv.ambiguous_rows",
        f"{file.name} could not be split into rows with certainty, even line by line. Export "
        f"it again with quotes around every text, or as Parquet.",
        file=file.name,
    )


def _loads_whole(backend: Backend, table: str, file: CsvFile) -> bool:
    """Whether DuckDB reads the file without an error and without a loss."""
    # A blank line in a file of one column would be a row to DuckDB.
    if not file.is_header_first or len(file.columns) == 1 or _has_blanks_by_quotes(file):
        return False
    try:
        _create_table(backend.con, table, file)
    except duckdb.Error:
        return False
    return _nothing_lost(backend.table(table), file)


def _create_table(con: duckdb.DuckDBPyConnection, table: str, file: CsvFile) -> None:
    row_number = "" if file.is_repaired else "row_number() OVER () AS row_number, "
    numbered = {"row_number": "BIGINT"} if file.is_repaired else {}
    con.execute(
        f"CREATE OR REPLACE TEMP TABLE {table} AS SELECT $source_file::VARCHAR AS source_file, {row_number}*{READ_CSV}",
        {
            "path": str(file.utf8),
            "source_file": file.name,
            "columns": numbered | dict.fromkeys(file.columns, "VARCHAR"),
            "header": not file.is_repaired,
            "delimiter": file.delimiter,
            "new_line": "\\r\\n" if file.is_crlf else "\\n",
            "line_bytes": DUCKDB_LINE_BYTES,
            "buffer_bytes": 4 * DUCKDB_LINE_BYTES,
        },
    )


def _nothing_lost(table: ir.Table, file: CsvFile) -> bool:
    """Whether the structure of the text is that of the rows read from it.

    DuckDB drops an unclosed quote at the end of a file, empty fields too many at the end of
    a line, and carriage returns, all without an error; so the characters are counted.
    """
    in_text = _marks_in_text(file)
    row_count, in_values = _marks_in_values(table, file)
    return (
        in_text.rows - in_values.rows == row_count
        and in_text.fields - in_values.fields == row_count * (len(file.columns) - 1 + file.is_repaired)
        and in_text.returns - in_values.returns == row_count * file.is_crlf
    )


def _has_blanks_by_quotes(file: CsvFile) -> bool:
    """Whether blanks stand between a delimiter and a quoted value, or between two quotes.

    DuckDB reads these in more than one way ('"a" "b"' becomes 'a b'), the repair in one. Pairs
    of quotes inside a value are no reason for a repair; a few harmless texts are repaired too.
    """
    d = re.escape(file.delimiter.encode())
    # It starts with a literal, which Python finds many times faster than an alternative.
    blank_and_quote = re.compile(rb' "(?<=[\n"' + d + rb'] "|  ")(?:(?:"")*(?!")|"(?:"")* *(?=[\r\n' + d + rb"]|\Z))")
    return any(blank_and_quote.search(b"\n" + chunk) for chunk in _chunks(file))


def _chunks(file: CsvFile) -> Iterator[bytes]:
    """The rows' text in pieces of about a megabyte that end with a line."""
    with file.utf8.open("rb") as stream:
        stream.seek(file.data_offset)
        while chunk := stream.read(HEAD_BYTES) + stream.readline(MAX_ROW_BYTES):
            yield chunk


def _marks_in_text(file: CsvFile) -> Marks:
    rows = fields = returns = 0
    last = b"\n"
    for chunk in _chunks(file):
        rows += chunk.count(b"\n")
        fields += chunk.count(file.delimiter.encode())
        returns += chunk.count(b"\r")
        last = chunk[-1:]
    # The last row needs no line end.
    missing = last != b"\n"
    return Marks(rows + missing, fields, returns + (missing and file.is_crlf))


def _marks_in_values(table: ir.Table, file: CsvFile) -> tuple[int, Marks]:
    marks = {"rows": "\n", "fields": file.delimiter, "returns": "\r"}
    # A number per column and mark, added up here: one sum of them all would nest as deep as the file is wide.
    counts = {
        f"{name} {number}": _occurrences(table[column], mark)
        for name, mark in marks.items()
        for number, column in enumerate(file.columns)
    }
    (found,) = rows_of(table.aggregate(row_count=table.count(), **counts))
    width = range(len(file.columns))
    return int(found["row_count"]), Marks(**{name: sum(int(found[f"{name} {n}"]) for n in width) for name in marks})


def _occurrences(value: ir.StringColumn, mark: str) -> ir.IntegerScalar:
    count = value.length() - value.replace(mark, "").length()
    return ibis.ifelse(value.contains(mark), count, 0).sum().coalesce(0)


def _insert_malformed(
    con: duckdb.DuckDBPyConnection, malformed: str, source_file: str, lines: Iterable[BadLine]
) -> None:
    """Adds the lines to the table `malformed`, a batch at a time."""
    for batch in _batches(source_file, lines):
        con.from_arrow(batch).insert_into(malformed)


def _batches(source_file: str, lines: Iterable[BadLine]) -> Iterator[pa.Table]:
    remaining = iter(lines)
    while batch := list(islice(remaining, 1_000)):
        texts = [each.line.decode("utf-8", "replace") for each in batch]
        values = [f"{each.reason}: {text}" for each, text in zip(batch, texts, strict=True)]
        yield pa.table(
            {
                "source_file": pa.repeat(source_file, len(batch)),
                "row_number": pa.array([each.row_number for each in batch], pa.int64()),
                "check_name": pa.repeat("malformed_line", len(batch)),
                "column_name": pa.nulls(len(batch), pa.string()),
                "value": [value[:VALUE_CHARACTERS] for value in values],
                "line": texts,
            }
        )
