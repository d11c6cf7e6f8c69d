"""One CSV file as a table: DuckDB's reader, a check that it lost nothing, and the repair."""

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import islice
from pathlib import Path

import duckdb
import ibis
import ibis.expr.types as ir
import pyarrow as pa

from productpulse_assets.sources.readers.csv_header import Header, header_of
from productpulse_assets.sources.readers.csv_lines import MAX_ROW_BYTES, BadLine, grammar_of, separate
from productpulse_assets.sources.readers.csv_text import HEAD_BYTES, UnreadableSource, as_utf8_file

VALUE_CHARACTERS = 200
DUCKDB_LINE_BYTES = MAX_ROW_BYTES + (1 << 20)

READ_CSV = """
    FROM read_csv($path, columns = $columns, header = $header, delim = $delimiter,
        new_line = $new_line, quote = '"', escape = '"', auto_detect = false,
        parallel = false, max_line_size = $line_bytes, buffer_size = $buffer_bytes)
"""


@dataclass(frozen=True)
class Marks:
    """How often the characters that structure a CSV text occur outside of its values.

    rows: line ends. fields: delimiters. returns: carriage returns.
    """

    rows: int
    fields: int
    returns: int


def load_csv(
    backend: ibis.BaseBackend,
    table: str,
    malformed: str,
    path: Path,
    encoding: str,
    scratch: Path,
) -> None:
    """Creates the temp table `table` from a CSV or TSV file, and adds its bad lines to the
    table `malformed`. Raises UnreadableSource."""
    header = header_of(path, encoding)
    text = as_utf8_file(path, encoding, scratch)
    # A blank line in a file of one column would be a row to DuckDB.
    is_regular = header.starts_file and len(header.columns) > 1
    if is_regular and _loads_whole(backend, table, text, path.name, header):
        return
    clean = scratch / "clean_copy.csv"
    grammar = grammar_of(header.delimiter, len(header.columns))
    insert_malformed(backend.con, malformed, path.name, separate(text, clean, header.data_offset, grammar))
    try:
        _read_clean(backend.con, table, clean, path.name, header)
    except duckdb.Error as error:
        raise _unsplittable(path) from error
    if not _nothing_lost(backend.table(table), clean, 0, header, is_clean=True):
        raise _unsplittable(path)


def _unsplittable(path: Path) -> UnreadableSource:
    return UnreadableSource(
        f"{path.name} could not be split into rows with certainty, even line by line. Export "
        f"it again with quotes around every text, or as Parquet."
    )


def _loads_whole(backend: ibis.BaseBackend, table: str, text: Path, source_file: str, header: Header) -> bool:
    """Whether DuckDB reads the file without an error and without a loss."""
    if _has_blanks_by_quotes(text, header.data_offset, header.delimiter):
        return False
    try:
        backend.con.execute(
            f"CREATE OR REPLACE TEMP TABLE {table} AS "
            f"SELECT $source_file::VARCHAR AS source_file, row_number() OVER () AS row_number, *"
            f"{READ_CSV}",
            _options(text, header, source_file) | {"header": True},
        )
    except duckdb.Error:
        return False
    return _nothing_lost(backend.table(table), text, header.data_offset, header, is_clean=False)


def _read_clean(con: duckdb.DuckDBPyConnection, table: str, clean: Path, source_file: str, header: Header) -> None:
    options = _options(clean, header, source_file) | {"header": False, "new_line": "\\n"}
    options["columns"] = {"row_number": "BIGINT"} | options["columns"]
    con.execute(
        f"CREATE OR REPLACE TEMP TABLE {table} AS SELECT $source_file::VARCHAR AS source_file, *{READ_CSV}",
        options,
    )


def _options(path: Path, header: Header, source_file: str) -> dict[str, object]:
    return {
        "path": str(path),
        "source_file": source_file,
        "columns": dict.fromkeys(header.columns, "VARCHAR"),
        "delimiter": header.delimiter,
        "new_line": "\\r\\n" if header.is_crlf else "\\n",
        "line_bytes": DUCKDB_LINE_BYTES,
        "buffer_bytes": 4 * DUCKDB_LINE_BYTES,
    }


def _nothing_lost(table: ir.Table, text: Path, offset: int, header: Header, *, is_clean: bool) -> bool:
    """Whether the structure of the text is that of the rows read from it.

    DuckDB drops an unclosed quote at the end of a file, empty fields too many at the end of
    a line, and carriage returns, all without an error; so the characters are counted.
    """
    is_crlf = header.is_crlf and not is_clean
    in_text = _marks_in_text(text, offset, header.delimiter, is_crlf)
    row_count, in_values = _marks_in_values(table, header)
    line_ends = in_text.rows - in_values.rows
    return (
        line_ends == row_count
        and in_text.fields - in_values.fields == row_count * (len(header.columns) - 1 + is_clean)
        and in_text.returns - in_values.returns == row_count * is_crlf
    )


def _has_blanks_by_quotes(text: Path, offset: int, delimiter: str) -> bool:
    """Whether blanks stand between a delimiter and a quoted value, or between two quotes.

    DuckDB reads these in more than one way ('"a" "b"' becomes 'a b'), the repair in one. Pairs
    of quotes inside a value are no reason; a few harmless texts are taken along.
    """
    d = re.escape(delimiter.encode())
    # It starts with a literal, which Python finds many times faster than an alternative.
    blank_and_quote = re.compile(rb' "(?<=[\n"' + d + rb'] "|  ")(?:(?:"")*(?!")|"(?:"")* *(?=[\r\n' + d + rb"]|\Z))")
    return any(blank_and_quote.search(b"\n" + chunk) for chunk in _chunks(text, offset))


def _chunks(text: Path, offset: int) -> Iterator[bytes]:
    """The text in pieces of about a megabyte that end with a line."""
    with open(text, "rb") as stream:
        stream.seek(offset)
        while chunk := stream.read(HEAD_BYTES) + stream.readline(MAX_ROW_BYTES):
            yield chunk


def _marks_in_text(text: Path, offset: int, delimiter: str, is_crlf: bool) -> Marks:
    rows = fields = returns = 0
    last = b"\n"
    for chunk in _chunks(text, offset):
        rows += chunk.count(b"\n")
        fields += chunk.count(delimiter.encode())
        returns += chunk.count(b"\r")
        last = chunk[-1:]
    # The last row needs no line end.
    missing = last != b"\n"
    return Marks(rows + missing, fields, returns + (missing and is_crlf))


def _marks_in_values(table: ir.Table, header: Header) -> tuple[int, Marks]:
    marks = {"rows": "\n", "fields": header.delimiter, "returns": "\r"}
    # A number per column and mark, added up here: one sum of them all would nest as deep as the file is wide.
    counts = {
        f"{name} {number}": _occurrences(table[column], mark)
        for name, mark in marks.items()
        for number, column in enumerate(header.columns)
    }
    (found,) = table.aggregate(row_count=table.count(), **counts).to_pyarrow().to_pylist()
    width = range(len(header.columns))
    return int(found["row_count"]), Marks(**{name: sum(int(found[f"{name} {n}"]) for n in width) for name in marks})


def _occurrences(value: ir.StringColumn, mark: str) -> ir.IntegerScalar:
    count = value.length() - value.replace(mark, "").length()
    return ibis.ifelse(value.contains(mark), count, 0).sum().coalesce(0)


def insert_malformed(
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
