"""The KPI rows and open interventions of each as-of date, which are never deleted: `published/history/`.

    history/kpis/2026-06-30.parquet       every row of kpi_summary
    history/decisions/2026-06-30.parquet  every intervention that was open

One file for each date and kind. A run writes the file of its own date and changes no other. The demo company has
its files in `history/demo/`, so that a company that uses the same home later is not compared with it.
"""

from __future__ import annotations

import datetime as dt
from pathlib import Path

import ibis
import ibis.expr.types as ir
import pyarrow as pa
import pyarrow.parquet as pq

from resources.outputs import atomic_file
from rules.text.errors import ProductPulseError

KPIS, DECISIONS, OF_DEMO = "kpis", "decisions", "demo"


class DamagedHistory(ProductPulseError):
    """A file of the history cannot be read; the message names the file and what to do."""


def write_day(rows: ir.Table, history: Path, kind: str, as_of: dt.date) -> None:
    """Write the file of a date and kind: complete, or not at all."""
    with atomic_file(history / kind / f"{as_of}.parquet") as part:
        rows.to_parquet(part)


def previous_date(history: Path, kind: str, as_of: dt.date) -> dt.date | None:
    """The newest date before `as_of` that has a file; None if there is none."""
    return max((day for day in _days(history / kind) if day < as_of), default=None)


def _days(folder: Path) -> list[dt.date]:
    days = []
    for file in folder.glob("*.parquet"):
        try:
            days.append(dt.date.fromisoformat(file.stem))
        except ValueError:  # a file that a person put there
            continue
    return days


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


def _column(rows: pa.Table, wanted: pa.Field) -> pa.ChunkedArray | pa.Array:
    places = rows.schema.get_all_field_indices(wanted.name)
    return rows.column(places[0]) if len(places) == 1 else pa.nulls(rows.num_rows, wanted.type)
