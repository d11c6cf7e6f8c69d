"""JSON and Parquet files, queries and patterns that are broken."""

from __future__ import annotations

import datetime as dt
import io
import json
import struct
from decimal import Decimal

import pyarrow as pa
import pyarrow.parquet as pq

from tests.broken_inputs.judging import Input

ONE, TWO = ('{"customer_id": "C%d", "signup_date": "2026-01-0%d"}' % (n, n) for n in (1, 2))  # noqa: UP031
KEPT = ("C1", "C2")
PARQUET = "Export or copy it again, or correct its ending if it is another format."


def lines(how: str, content: bytes | str, **expected) -> Input:
    """A customers.jsonl of this content."""
    return Input(how, "customers.jsonl", content, **expected)


def document(how: str, content: bytes | str, **expected) -> Input:
    """A customers.json of this content."""
    return Input(how, "customers.json", content, **expected)


def parquet(**columns) -> bytes:
    """The bytes of a Parquet file."""
    target = io.BytesIO()
    pq.write_table(pa.table(columns), target)
    return target.getvalue()


def parquet_of(names: list[str], columns: list[list], about: dict[str, str] | None = None) -> bytes:
    """The bytes of a Parquet file whose names may be equal; `about` is its metadata."""
    target = io.BytesIO()
    arrays = [pa.array(column) for column in columns]
    pq.write_table(pa.Table.from_arrays(arrays, names).replace_schema_metadata(about), target)
    return target.getvalue()


PLACE = struct.pack("<BIdd", 1, 1, 1.0, 2.0)
GEO = {"geo": json.dumps({"version": "1.0.0", "primary_column": "place", "columns": {"place": {"encoding": "WKB", "geometry_types": ["Point"]}}})}  # fmt: skip
LAST = (1 << 63) - 1
SOUND = parquet(customer_id=["C1", "C2"], signup_date=["2026-01-01", "2026-01-02"])
WIDE_DAYS = pa.array([dt.date(2026, 1, 1).toordinal() - 719163, 4_000_000, -800_000], pa.int32()).cast(pa.date32())

JSON = (
    lines("one bad line of three", f"{ONE}\n{{oops\n{TWO}\n", rows=3, kept=KEPT, rejects=((2, None, "malformed_line", "not a JSON object: {oops"),)),
    lines("values that are not objects", f"{ONE}\n5\nnull\n[1, 2]\n\n{TWO}", rows=5, kept=KEPT, rejects=((2, None, "malformed_line", "not a JSON object: 5"), (3, None, "malformed_line", "not a JSON object: null"), (4, None, "malformed_line", "not a JSON object: [1, 2]"))),
    lines("bytes that are not UTF-8", f"{ONE}\n".encode() + b'{"customer_id": "\xe9"}\n', rows=2, kept=("C1",), rejects=((2, None, "malformed_line", 'bytes not in its encoding (set encoding: in sources.yaml): {"customer_id": "\ufffd"}'),)),
    lines("half of a surrogate pair", f'{ONE}\n{{"customer_id": "\\ud800", "signup_date": "2026-01-01"}}\n', rows=2, kept=("C1",), rejects=((2, None, "malformed_line", 'not a JSON object: {"customer_id": "\\ud800", "signup_date": "2026-01-01"}'),)),
    lines("nested 100,000 deep", f'{ONE}\n{{"customer_id": "C2", "signup_date": {"[" * 100_000}{"]" * 100_000}}}\n', rows=2, kept=("C1",), rejects=((2, "signup_date", "parses_as_date", "[" * 200),)),
    document("nested 100,000 deep, in an array", f'[{ONE}, {{"customer_id": "C2", "signup_date": {"[" * 100_000}{"]" * 100_000}}}]', rows=2, kept=("C1",), rejects=((2, "signup_date", "parses_as_date", "[" * 200),)),
    document("an object around the rows", f'{{"data": [{ONE}, {TWO}]}}', code="source.missing_columns"),
    document("an object over many lines", '{\n"customer_id": "C1"\n}', code="json.no_objects"),
    document("an array of arrays", "[[1, 2], [3, 4]]", rows=2, rejects=((1, None, "malformed_line", "not a JSON object: [1, 2]"), (2, None, "malformed_line", "not a JSON object: [3, 4]"))),
    Input("an empty array, in an optional dataset", "nps_scores.json", "[]"),
    document("an array cut short", f"[{ONE}, {TWO},", code="json.array_cut_short"),
    document("an array with a comment", f"[{ONE}, // the first\n{TWO}]", code="json.invalid_array"),
    document("a value alone", "null", code="json.no_rows"),
    document("UTF-16", ONE.encode("utf-16"), code="source.wide_text"),
    lines("names that differ by case", f'{ONE}\n{{"Customer_ID": "C2"}}\n', code="source.same_column_twice"),
    lines("names that differ by an invisible blank", '{"customer_id": "C1", "customer_id\u200b": "C2"}\n', code="source.same_column_twice"),
    lines("invisible blanks around names and values", '{"\ufeffcustomer_id\xa0": "\u200bC1\xa0", "signup_date": "\xa02026-01-01"}\n{"\ufeffcustomer_id\xa0": "\u200b", "signup_date": "2026-01-01"}\n', rows=2, kept=("C1",), rejects=((2, "customer_id", "not_null", "\u200b"),)),
    lines("a name of invisible characters", '{"customer_id": "C1", "\u200b": "x"}\n', code="source.column_without_name"),
    lines("a NUL in a name", '{"customer_id": "C1", "x\\u0000y": 1}', code="source.control_character"),
    Input("values that are not numbers, and huge numbers", "acquisition_channels.jsonl", "\n".join(f'{{"channel_name": "{n}", "cost_per_acquisition": {text}}}' for n, text in enumerate(("5", "1e400", "123456789012345678901234567890", "true", '"5"', "[5]", "null"))), rows=7, kept=("0", "4"),
          rejects=((2, "cost_per_acquisition", "parses_as_number", "1e400"), (3, "cost_per_acquisition", "parses_as_number", "123456789012345678901234567890"), (4, "cost_per_acquisition", "parses_as_number", "true"), (6, "cost_per_acquisition", "parses_as_number", "[5]"), (7, "cost_per_acquisition", "not_null", None))),
)  # fmt: skip

PARQUETS = (
    Input("Parquet cut short", "customers.parquet", SOUND[:-20], code="parquet.unreadable", sentence=f"customers.parquet cannot be read as Parquet: … {PARQUET}"),
    Input("CSV named .parquet", "customers.parquet", "customer_id,signup_date\nC1,2026-01-01\n", code="parquet.unreadable", sentence=f"customers.parquet cannot be read as Parquet: … {PARQUET}"),
    Input("an empty Parquet file", "customers.parquet", b"", code="parquet.unreadable", sentence=f"customers.parquet cannot be read as Parquet: … {PARQUET}"),
    Input("Parquet named .csv", "customers.csv", SOUND, code="source.other_format"),
    Input("Parquet with a damaged page", "customers.parquet", SOUND[:4] + b"\xff" * 40 + SOUND[44:], sentence="customers: customers.parquet can be opened but not read to its end (…). Export it again."),
    Input("lists and structs for dates", "customers.parquet", parquet(customer_id=["C1", "C2"], signup_date=[[1, 2], None]), rows=2, rejects=((1, "signup_date", "parses_as_date", "[1, 2]"), (2, "signup_date", "not_null", None))),
    Input("days outside the calendar", "customers.parquet", parquet(customer_id=["C1", "C2", "C3"], signup_date=WIDE_DAYS), rows=3, kept=("C1",), rejects=((2, "signup_date", "parses_as_date", "12921-08-18"), (3, "signup_date", "parses_as_date", "0222-09-04 (BC)"))),
    Input("numbers for dates, bytes for keys", "customers.parquet", parquet(customer_id=[b"C1", b"\xff\x00"], signup_date=[20260101, None]), rows=2, rejects=((1, "signup_date", "parses_as_date", "20260101"), (2, "signup_date", "not_null", None))),
    Input("a column of nulls", "customers.parquet", parquet(customer_id=["C1"], signup_date=pa.nulls(1)), rows=1, rejects=((1, "signup_date", "not_null", None),)),
    Input("names that differ by case, in Parquet", "customers.parquet", parquet(customer_id=["C1"], signup_date=["2026-01-01"], Signup_Date=["soon"]), code="source.same_column_twice"),
    Input("the same name twice, in Parquet", "customers.parquet", parquet_of(["customer_id", "signup_date", "signup_date"], [["C1"], ["2026-01-01"], ["2026-01-02"]]), code="source.same_column_twice"),
    Input("a column without a name, in Parquet", "customers.parquet", parquet_of(["customer_id", "signup_date", ""], [["C1"], ["2026-01-01"], ["x"]]), code="source.column_without_name"),
    Input("decimals of more digits than DuckDB has", "acquisition_channels.parquet", parquet(channel_name=["Ads"], cost_per_acquisition=pa.array([Decimal("12.34")], pa.decimal256(50, 2))), code="parquet.too_many_digits"),
    Input("decimals of more digits than DuckDB has, in a struct", "acquisition_channels.parquet", parquet(channel_name=["Ads"], cost_per_acquisition=[Decimal(1)], about=pa.array([{"cost": Decimal(1)}], pa.struct({"cost": pa.decimal256(40, 1)}))), code="parquet.too_many_digits"),
    Input("decimals of as many digits as DuckDB has", "acquisition_channels.parquet", parquet(channel_name=["Ads"], cost_per_acquisition=pa.array([Decimal("12.34")], pa.decimal128(38, 2))), rows=1, kept=("Ads",)),
    Input("a column of places (GeoParquet)", "customers.parquet", parquet_of(["customer_id", "signup_date", "place"], [["C1", "C2"], ["2026-01-01", "soon"], [PLACE, None]], GEO), rows=2, kept=("C1",), rejects=((2, "signup_date", "parses_as_date", "soon"),)),
    Input("a place in a column of dates", "customers.parquet", parquet_of(["customer_id", "place"], [["C1"], [PLACE]], GEO), settings="columns: {signup_date: place}", rows=1, rejects=((1, "signup_date", "parses_as_date", "POINT (1 2)"),)),
    Input("a place in a query", "customers.parquet", parquet_of(["customer_id", "place"], [["C1"], [PLACE]], GEO), settings="query: \"SELECT *, '2026-01-01' AS signup_date FROM 'customers.parquet'\"", rows=1, kept=("C1",)),
    Input("timestamps at the ends of their range", "customers.parquet", parquet(customer_id=["C1", "C2", "C3", "C4"], signup_date=pa.array([LAST, -LAST, -LAST - 1, 1_767_225_600_000_000], pa.timestamp("us"))), rows=4, kept=("C4",), rejects=((1, "signup_date", "parses_as_date", "infinity"), (2, "signup_date", "parses_as_date", "-infinity"), (3, "signup_date", "parses_as_date", "290309-12-21 (BC)"))),
    Input("timestamps with a zone at the ends of their range", "customers.parquet", parquet(customer_id=["C1", "C2"], signup_date=pa.array([LAST - 1, -LAST - 1], pa.timestamp("us", tz="UTC"))), rows=2, rejects=((1, "signup_date", "parses_as_date", "294247-01-10"), (2, "signup_date", "parses_as_date", "290309-12-21 (BC)"))),
    Input("timestamps that DuckDB does not have", "customers.parquet", parquet(customer_id=["C1"], signup_date=pa.array([LAST - 1], pa.timestamp("ms"))), sentence="customers: customers.parquet can be opened but not read to its end (…). Export it again."),
)  # fmt: skip

QUERY = "The query for customers in rules/sources.yaml"
SETTINGS = (
    Input("a query with a mistake", "customers.csv", "", settings="query: SELEC 1", code="query.failed", sentence=f"{QUERY} does not work: Parser Error: syntax error at or near \"SELEC\" … Fix the query."),
    Input("a query of a missing file", "customers.csv", "", settings="query: SELECT * FROM 'gone.csv'", code="query.failed"),
    Input("a query that fails at a row", "customers.csv", "", settings="query: \"SELECT 'C1' AS customer_id, 'soon'::DATE AS signup_date\"", sentence=f"{QUERY} does not work: Conversion Error: … Fix the query."),
    Input("two queries", "customers.csv", "", settings="query: SELECT 1; DROP TABLE x", code="query.not_one_select"),
    Input("a query that writes", "customers.csv", "", settings="query: \"COPY (SELECT 1) TO 'x.csv'\"", code="query.not_one_select"),
    Input("a pattern without a match", "customers.csv", "", settings="file: 'crm-*.csv'", code="source.no_match"),
    Input("an invalid pattern", "customers.csv", "", settings="file: '**x/y'", code="source.invalid_pattern", sentence="customers: '**x/y' of sources.yaml cannot be searched for (…). Give a path; * in it matches any text."),
    Input("a pattern that matches another spreadsheet", "customers.ods", "", settings="file: 'customers.*'", code="source.unknown_ending"),
)  # fmt: skip
