"""Exports in other shapes as text, and the periods that they become."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import ibis
import pyarrow as pa
from hypothesis import HealthCheck, settings

from asset_checks.contracts import CONTRACTS
from asset_checks.shapes import shape_result
from productpulse_assets.sources.shapes.reshape import cells_of, reshape, spans_of
from productpulse_assets.sources.shapes.spans import periods
from resources.tables import rows_of
from rules.models import Sources

SUBSCRIPTIONS = CONTRACTS["subscriptions"]
EXAMPLES = settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.too_slow])


@dataclass(frozen=True)
class Outcome:
    """What an export becomes."""

    periods: list[dict]
    rejects: list[tuple]
    warning: str | None

    def values(self, *columns: str) -> list[tuple]:
        return [tuple(_plain(row[column]) for column in columns) for row in self.periods]


def _plain(value: object) -> object:
    if value is None or isinstance(value, str | int):
        return value
    return str(value)


def raw_table(text: str, *, file: str = "export.csv") -> pa.Table:
    """The rows of a CSV text as the readers give them; `== name` begins the rows of another file."""
    names: list[str] = []
    places, rows = [], []
    for part in text.strip().split("== "):
        title, _, body = part.partition("\n") if "== " in text else (file, "", part)
        for number, row in enumerate(csv.DictReader(io.StringIO(body.strip())), start=1):
            names = list(dict.fromkeys([*names, *row]))
            places.append((title.strip(), number))
            rows.append(row)
    return pa.table(
        {
            "source_file": pa.array([place[0] for place in places], pa.string()),
            "row_number": pa.array([place[1] for place in places], pa.int64()),
            **{name: pa.array([row.get(name) or None for row in rows], pa.string()) for name in names},
        }
    )


def sources(shape: dict, **more: object) -> Sources:
    """The settings with this shape; `more` belongs to the whole file, `source` to the dataset."""
    dataset = {"shape": shape} | dict(more.pop("source", {}))
    return Sources.model_validate({"datasets": {"subscriptions": dataset}} | more)


def read(text: str, shape: dict, **more: object) -> Outcome:
    """The periods of an export, the rows that are rejected, and the warning about it."""
    given = sources(shape, **more)
    backend = ibis.duckdb.connect()
    source = given.of("subscriptions").shape
    raw = cells_of(backend.create_table("raw", raw_table(text)), SUBSCRIPTIONS, given, source)
    reshaped = reshape(raw, SUBSCRIPTIONS, given, source)
    typed = backend.create_table("readings", reshaped.readings)
    spans = backend.create_table("spans", spans_of(typed, reshaped.attributes, source))
    found = backend.create_table("periods", periods(spans, reshaped.attributes))
    rejected = spans.filter(spans.problem_check.notnull())
    result = shape_result(source, spans, found)
    return Outcome(
        rows_of(found.order_by("customer_id", "start_date", "subscription_id")),
        sorted(
            (row["source_file"], row["row_number"], row["problem_column"], row["problem_check"], row["problem_value"])
            for row in rows_of(rejected)
        ),
        None if result.passed else result.description,
    )


@cache
def queries(columns: tuple[str, ...], settings_json: str) -> dict[str, str]:
    """The SQL from a table `raw` with these columns to the periods: compiled once, run on every example."""
    given = Sources.model_validate_json(settings_json, strict=False)
    shape = given.of("subscriptions").shape
    raw = ibis.table({"source_file": "string", "row_number": "int64"} | dict.fromkeys(columns, "string"), name="raw")
    reshaped = reshape(cells_of(raw, SUBSCRIPTIONS, given, shape), SUBSCRIPTIONS, given, shape)
    spans = spans_of(ibis.table(reshaped.readings.schema(), name="readings"), reshaped.attributes, shape)
    found = periods(ibis.table(spans.schema(), name="spans"), reshaped.attributes)
    steps = {"readings": reshaped.readings, "spans": spans, "periods": found}
    return {name: str(ibis.to_sql(step, dialect="duckdb")) for name, step in steps.items()}


@cache
def database() -> ibis.BaseBackend:
    """One database for all examples."""
    return ibis.duckdb.connect()


def computed(raw: pa.Table, shape: dict) -> ibis.BaseBackend:
    """A database with `raw` and the `periods` that the graph's own query gives; their ids are unique."""
    columns = tuple(name for name in raw.column_names if name not in ("source_file", "row_number"))
    backend = database()
    backend.con.register("raw", raw)
    for name, sql in queries(columns, sources(shape).model_dump_json(by_alias=True)).items():
        backend.con.execute(f"CREATE OR REPLACE TABLE {name} AS {sql}")
    ids, distinct = backend.con.execute("SELECT count(*), count(DISTINCT subscription_id) FROM periods").fetchone()
    assert ids == distinct
    return backend


MRR = """
    SELECT day, sum(monthly_price) AS mrr FROM days JOIN periods
    ON start_date <= day AND (end_date IS NULL OR end_date > day) GROUP BY day
"""
"""The MRR on each of some days, as customer_months has it."""


def by_day(backend: ibis.BaseBackend, sql: str, days: Iterable[object]) -> list[tuple]:
    """The sum that a query over `days` gives for each of them."""
    backend.con.register("days", pa.table({"day": pa.array(list(days), pa.date32())}))
    rows = f"SELECT day, CAST(coalesce(mrr, 0) AS DECIMAL(18, 2)) FROM days LEFT JOIN ({sql}) USING (day) ORDER BY day"
    return backend.con.execute(rows).fetchall()


def identities(backend: ibis.BaseBackend) -> set[tuple]:
    """The id, customer, first day and price of each period."""
    sql = "SELECT subscription_id, customer_id, start_date, monthly_price FROM periods"
    return set(backend.con.execute(sql).fetchall())


def table_of_rows(columns: Sequence[str], rows: Sequence[Sequence[object]]) -> pa.Table:
    """Rows as the readers give them: text, with file and row number."""
    return pa.table(
        {
            "source_file": pa.array(["export.csv"] * len(rows), pa.string()),
            "row_number": pa.array(range(1, len(rows) + 1), pa.int64()),
            **{
                name: pa.array([None if row[place] is None else str(row[place]) for row in rows], pa.string())
                for place, name in enumerate(columns)
            },
        }
    )


def write(folder: Path, text: str) -> Path:
    """The text as subscriptions.csv in the folder."""
    (folder / "subscriptions.csv").write_text(text.lstrip(), encoding="utf-8")
    return folder
