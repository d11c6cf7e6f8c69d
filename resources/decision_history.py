"""What was known on each as-of date, which is never deleted: `published/history/`.

    history/kpis/2026-06-30.parquet       every row of kpi_summary
    history/decisions/2026-06-30.parquet  every intervention that was open
    history/risk/2026-06-30.parquet       risk, health and leakage of every customer who had any

One file for each date and kind. A run writes the file of its own date and changes no other. The demo company has
its files in `history/demo/`, so that a company that uses the same home later is not compared with it.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable
from contextlib import suppress
from pathlib import Path

import ibis
import ibis.expr.types as ir
import pyarrow as pa
import pyarrow.parquet as pq

from resources.outputs import atomic_file
from rules.text.errors import ProductPulseError

KPIS, DECISIONS, RISK, OF_DEMO = "kpis", "decisions", "risk", "demo"


class DamagedHistory(ProductPulseError):
    """A file of the history cannot be read; the message names the file and what to do."""


def write_day(rows: ir.Table, history: Path, kind: str, as_of: dt.date) -> None:
    """Write the file of a date and kind: complete, or not at all."""
    with atomic_file(history / kind / f"{as_of}.parquet") as part:
        rows.to_parquet(part)


def previous_date(history: Path, kind: str, as_of: dt.date) -> dt.date | None:
    """The newest date before `as_of` that has a file; None if there is none."""
    return max((day for day in recorded_days(history, kind) if day < as_of), default=None)


def recorded_days(history: Path, kind: str) -> list[dt.date]:
    """The dates that have a file, the oldest first."""
    days = []
    for file in (history / kind).glob("*.parquet"):
        try:
            days.append(dt.date.fromisoformat(file.stem))
        except ValueError:  # a file that a person put there
            continue
    return sorted(days)


def read_day(history: Path, kind: str, day: dt.date, columns: ibis.Schema) -> pa.Table:
    """The rows of a date, by the names of `columns`. Raises DamagedHistory for a damaged file.

    Another version of the program may have written the file: a column that it lacks is NULL, other columns are
    left out, and the types are those of the file.
    """
    file = history / kind / f"{day}.parquet"
    try:
        rows = pq.read_table(file, partitioning=None)
    except (pa.ArrowInvalid, OSError) as error:
        raise DamagedHistory(
            "history.damaged_file",
            f"{file} cannot be read ({str(error).splitlines()[0]}). Put it back from a backup, or move it away: "
            "then changes are counted from the date before it.",
            file=file,
        ) from error
    return pa.table({field.name: _column(rows, field) for field in columns.to_pyarrow()})


def read_typed_day(history: Path, kind: str, day: dt.date, columns: ibis.Schema) -> pa.Table:
    """As `read_day`, in the types of `columns`: a file of values of other types is a damaged one."""
    rows = read_day(history, kind, day, columns)
    try:
        return rows.cast(columns.to_pyarrow())
    except (pa.ArrowInvalid, pa.ArrowNotImplementedError) as error:
        file = history / kind / f"{day}.parquet"
        raise DamagedHistory(
            "history.damaged_file",
            f"{file} has values of other types ({str(error).splitlines()[0]}). Put it back from a backup, or move it "
            "away: then changes are counted from the date before it.",
            file=file,
        ) from error


def read_days(history: Path, kind: str, days: Iterable[dt.date], columns: ibis.Schema) -> pa.Table:
    """The rows of several dates, in their order; a damaged file is left out (`damage_of` says why)."""
    found = [columns.to_pyarrow().empty_table()]
    for day in days:
        with suppress(DamagedHistory):
            found.append(read_typed_day(history, kind, day, columns))
    return pa.concat_tables(found)


def damage_of(history: Path, kind: str, day: dt.date, columns: ibis.Schema) -> str | None:
    """The sentence that says why the file of a date cannot be read; None if it can."""
    try:
        read_typed_day(history, kind, day, columns)
    except DamagedHistory as damage:
        return str(damage)
    return None


def _column(rows: pa.Table, wanted: pa.Field) -> pa.ChunkedArray | pa.Array:
    places = rows.schema.get_all_field_indices(wanted.name)
    return rows.column(places[0]) if len(places) == 1 else pa.nulls(rows.num_rows, wanted.type)
