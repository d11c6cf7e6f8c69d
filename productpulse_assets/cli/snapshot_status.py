"""What `productpulse status` prints about the published snapshot."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator

import ibis
from ibis import _

from resources.published_snapshot import Snapshot


def snapshot_lines(snapshot: Snapshot, now: dt.datetime) -> Iterator[str]:
    """As-of date, age and path of the snapshot, and what to run if it is stale."""
    as_of = snapshot.rows(snapshot.table("calendar").limit(1))[0]["as_of_date"]
    version = snapshot.version
    yield f"Snapshot: as of {as_of}, published {version.age(now)}, {version.path}"
    if version.is_stale(now):
        yield "It is more than two days old. Publish a new one with: productpulse run"


def row_lines(snapshot: Snapshot) -> Iterator[str]:
    """The number of rows of every table, in the order of their names."""
    tables = [snapshot.table(name) for name in snapshot.names]
    counts = [
        table.aggregate(rows=_.count()).mutate(name=ibis.literal(name)).select("name", "rows")
        for name, table in zip(snapshot.names, tables, strict=True)
    ]
    for row in snapshot.rows(ibis.union(*counts).order_by("name")):
        yield f"  {row['name']:<32} {row['rows']:>12,} rows"
