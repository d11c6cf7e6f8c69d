"""One JSON file as a table: an array of objects, or an object on each line."""

import json
import re
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import BinaryIO

import duckdb
import pyarrow as pa
import sqlglot.expressions as sge

from productpulse_assets.sources.errors import SourceProblem
from productpulse_assets.sources.readers.column_names import checked_names
from productpulse_assets.sources.readers.text_file import (
    BOM,
    HEAD_BYTES,
    INVALID_BYTES,
    MAX_ROW_BYTES,
    TextFile,
    decodes,
    ending_of,
)

OBJECT_BYTES = 2 * MAX_ROW_BYTES
BATCH_LINES = 10_000

MALFORMED_OBJECTS = """
    SELECT $source_file, row_number, 'malformed_line', NULL,
        left(coalesce(problem, 'not a JSON object') || ': ' || document, 200), document
    FROM {documents} WHERE NOT is_object ORDER BY row_number
"""
KEYS = """
    SELECT key FROM (
        SELECT row_number, unnest(json_keys(document)) AS key,
            unnest(range(len(json_keys(document)))) AS position
        FROM {documents} WHERE is_object
    ) GROUP BY key ORDER BY min(row(row_number, position))
"""


def load_json(
    con: duckdb.DuckDBPyConnection,
    table: str,
    malformed: str,
    path: Path,
    encoding: str,
    scratch: Path,
    decimal_sign: str = ".",
) -> None:
    """Creates the temp table `table` from a JSON file, with every value as text, and adds values that
    are not objects to the table `malformed`. Numbers get `decimal_sign`. Raises SourceProblem."""
    documents = f"{table}_documents"
    _load_documents(con, documents, path, encoding, scratch)
    names = _keys(con, documents, path)
    con.execute(
        f"INSERT INTO {malformed} {MALFORMED_OBJECTS.format(documents=documents)}",
        {"source_file": path.name},
    )
    fields = ", unnest(json_transform(document, $structure))" if names else ""
    kind = "VARCHAR" if decimal_sign == "." else "JSON"  # JSON has quotes around texts, and none around numbers
    structure = {"structure": json.dumps(dict.fromkeys(names, kind))} if names else {}
    con.execute(
        f"CREATE OR REPLACE TEMP TABLE {table} AS "  # names of ours  # nosec B608
        f"SELECT $source_file::VARCHAR AS source_file, row_number{fields} "
        f"FROM {documents} WHERE is_object",
        {"source_file": path.name} | structure,
    )
    con.execute(f"DROP TABLE {documents}")
    if decimal_sign != "." and names:
        _change_decimal_sign(con, table, names, decimal_sign)


def json_columns(con: duckdb.DuckDBPyConnection, path: Path, encoding: str, scratch: Path) -> tuple[str, ...]:
    """The keys of all objects in the file, in order of first appearance. JSON has no header, so the
    whole file is read. Raises SourceProblem."""
    documents = "json_columns_documents"
    _load_documents(con, documents, path, encoding, scratch)
    names = _keys(con, documents, path)
    con.execute(f"DROP TABLE {documents}")
    return names


def _change_decimal_sign(con: duckdb.DuckDBPyConnection, table: str, names: Sequence[str], decimal_sign: str) -> None:
    """The JSON values of the table as texts, with the decimal sign in those that are numbers."""
    columns = [sge.to_identifier(name, quoted=True).sql("duckdb") for name in names]
    texts = [
        f"CASE json_type({name}) WHEN 'DOUBLE' THEN replace({name}::VARCHAR, '.', $sign) "
        f"ELSE {name} ->> '$' END AS {name}"
        for name in columns
    ]
    con.execute(
        f"CREATE OR REPLACE TEMP TABLE {table} AS "  # names quoted  # nosec B608
        f"SELECT source_file, row_number, {', '.join(texts)} FROM {table}",
        {"sign": decimal_sign},
    )


def _keys(con: duckdb.DuckDBPyConnection, documents: str, path: Path) -> tuple[str, ...]:
    found = con.execute(KEYS.format(documents=documents)).fetchall()
    return checked_names(path, (name for (name,) in found))


def _load_documents(con: duckdb.DuckDBPyConnection, documents: str, path: Path, encoding: str, scratch: Path) -> None:
    """The temp table `documents`: row_number, document (its text), problem, is_object."""
    file = TextFile.open(path, encoding)
    start = file.head.removeprefix(BOM).lstrip()[:1]
    text = file.utf8_path(scratch)
    is_json = ending_of(path) == ".json"
    if is_json and start not in (b"[", b"{"):
        raise SourceProblem(
            "json.no_rows",
            f"{path.name} is not JSON that holds rows: it starts with "
            f"{start.decode(errors='replace')!r}, where an array of objects or one object per "
            f"line was expected. Export it as one of the two.",
            file=path.name,
        )
    is_array = is_json and start == b"["
    try:
        if is_array:
            _refuse_cut_array(path, text)
        _read_objects(con, documents, text, "array" if is_array else "newline_delimited")
    except duckdb.Error as error:
        if is_array:
            raise SourceProblem(
                "json.invalid_array",
                f"{path.name} is not a valid JSON array: {_where(error)}. Export it "
                f"again, or as one object per line (.jsonl), where a bad line does not affect the others.",
                file=path.name,
            ) from error
        _read_lines(con, documents, text)
    if not is_array and _count(con, documents) < _line_count(text):
        # With several threads DuckDB loses a file of one byte. The difference may also be blank lines: the
        # slower way reads both correctly.
        _read_lines(con, documents, text)
    if is_json and not is_array:
        _refuse_no_objects(con, documents, path)


def _where(error: duckdb.Error) -> str:
    """DuckDB's message without the path of the file, which may be a copy."""
    first = str(error).splitlines()[0].strip().rstrip(".")
    return re.sub(r"^.*? in file \".*?\", ", "", first)


def _refuse_cut_array(path: Path, text: Path) -> None:
    # DuckDB reads an array that ends after a comma as complete.
    with open(text, "rb") as stream:
        stream.seek(max(0, text.stat().st_size - HEAD_BYTES))
        end = stream.read().rstrip()
    if not end.endswith(b"]"):
        raise SourceProblem(
            "json.array_cut_short",
            f"{path.name} is not a valid JSON array: it does not end with ']', so it may have "
            f"been cut short. Export or copy it again.",
            file=path.name,
        )


def _refuse_no_objects(con: duckdb.DuckDBPyConnection, documents: str, path: Path) -> None:
    if not con.table(documents).filter("is_object").limit(1).fetchall():
        raise SourceProblem(
            "json.no_objects",
            f"{path.name} is not JSON that holds rows: no line of it is an object, and it is "
            f"not an array. Export it as an array of objects or as one object per line.",
            file=path.name,
        )


def _read_objects(con: duckdb.DuckDBPyConnection, documents: str, text: Path, layout: str) -> None:
    con.execute(
        f"CREATE OR REPLACE TEMP TABLE {documents} AS "  # names of ours  # nosec B608
        f"SELECT row_number() OVER () AS row_number, json AS document, NULL::VARCHAR AS problem, "
        f"json_type(json) = 'OBJECT' AS is_object "
        f"FROM read_json_objects($path, format = $layout, maximum_object_size = $bytes)",
        {"path": str(text), "layout": layout, "bytes": OBJECT_BYTES},
    )


def _count(con: duckdb.DuckDBPyConnection, documents: str) -> int:
    return len(con.table(documents))


def _line_count(text: Path) -> int:
    count, last = 0, b"\n"
    with open(text, "rb") as stream:
        while chunk := stream.read(HEAD_BYTES):
            count += chunk.count(b"\n")
            last = chunk[-1:]
    return count + (last != b"\n")


def _read_lines(con: duckdb.DuckDBPyConnection, documents: str, text: Path) -> None:
    con.execute(
        f"CREATE OR REPLACE TEMP TABLE {documents} "
        f"(row_number BIGINT, document VARCHAR, problem VARCHAR, is_object BOOLEAN)"
    )
    with open(text, "rb") as stream:
        for batch in _line_batches(stream):
            con.from_arrow(batch).insert_into(documents)
    con.execute(
        f"UPDATE {documents} SET is_object = problem IS NULL "  # names of ours  # nosec B608
        f"AND CASE WHEN json_valid(document) THEN json_type(document) = 'OBJECT' ELSE false END"
    )


def _line_batches(stream: BinaryIO) -> Iterator[pa.Table]:
    if stream.read(len(BOM)) != BOM:
        stream.seek(0)
    number, numbers, texts, problems, size = 0, [], [], [], 0
    while line := stream.readline(OBJECT_BYTES):
        problem = _skip_rest(line, stream)
        if not (line := line.strip()):
            continue
        number += 1
        problem = problem or (None if decodes(line) else INVALID_BYTES)
        texts.append(line.decode("utf-8", "replace"))
        numbers.append(number)
        problems.append(problem)
        size += len(line)
        if len(texts) == BATCH_LINES or size > OBJECT_BYTES:
            yield _documents(numbers, texts, problems)
            numbers, texts, problems, size = [], [], [], 0
    yield _documents(numbers, texts, problems)


def _skip_rest(line: bytes, stream: BinaryIO) -> str | None:
    if len(line) < OBJECT_BYTES or line.endswith(b"\n"):
        return None
    while (rest := stream.readline(OBJECT_BYTES)) and not rest.endswith(b"\n"):
        pass
    return f"longer than {OBJECT_BYTES >> 20} MB"


def _documents(numbers: list[int], texts: list[str], problems: list[str | None]) -> pa.Table:
    return pa.table(
        {
            "row_number": pa.array(numbers, pa.int64()),
            "document": pa.array(texts, pa.string()),
            "problem": pa.array(problems, pa.string()),
            "is_object": pa.nulls(len(numbers), pa.bool_()),
        }
    )
