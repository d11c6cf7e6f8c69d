"""The snapshot that the pages show, with a cache of query results until a new one is published."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Mapping, Sequence
from datetime import date
from pathlib import Path
from typing import Any, TypeVar

import ibis.expr.types as ir
import pandas as pd
import pyarrow as pa
import streamlit as st

from resources.published_snapshot import NoSnapshot, Snapshot, Version, to_frame, version_of
from resources.settings import Settings
from rules.metrics.slices import sliced_models
from rules.rule_set import Rules, read_rules

T = TypeVar("T")
SNAPSHOTS_OPEN = 2
"""The newest snapshot, and the one before it for sessions that still show it."""


def published_path() -> Path:
    """The file to read; raises NoSnapshot if the settings name none."""
    path = Settings().snapshot
    if path is None:
        raise NoSnapshot(
            "snapshot.not_set", "Nothing says which snapshot to show. Start the dashboard with: productpulse dashboard"
        )
    return path


class Reading:
    """One version of the snapshot; DuckDB runs the same query once for all sessions."""

    def __init__(self, snapshot: Snapshot, rules: Rules):
        self._snapshot = snapshot
        self.rules = rules
        self.version = snapshot.version
        self._found: dict[Hashable, Any] = {}

    def __contains__(self, table: str) -> bool:
        return table in self._snapshot

    def table(self, name: str) -> ir.Table:
        """A published table; raises NoSnapshot if the snapshot does not have it."""
        return self._snapshot.table(name)

    def arrow(self, expression: ir.Table) -> pa.Table:
        """The rows of an expression as an Arrow table."""
        return _answer(self._snapshot, self.version, self._snapshot.sql(expression))

    def rows(self, expression: ir.Table) -> list[dict[str, Any]]:
        """The rows of a small expression as Python values; NULL is None."""
        rows: list[dict[str, Any]] = self.arrow(expression).to_pylist()
        return rows

    def frame(self, expression: ir.Table) -> pd.DataFrame:
        """The rows of a small expression as a frame."""
        return to_frame(self.arrow(expression))

    def count(self, expression: ir.Table) -> int:
        """The number of rows of an expression."""
        count: int = self.rows(expression.aggregate(count=expression.count()))[0]["count"]
        return count

    def values(self, table: ir.Table, column: str) -> list[Any]:
        """The distinct values of a column in order, without NULL."""
        distinct = table.select(column).distinct()
        return [row[column] for row in self.rows(distinct.filter(distinct[column].notnull()).order_by(column))]

    def sql(self, expression: ir.Table) -> str:
        """The SQL of an expression."""
        return self._snapshot.sql(expression)

    def keep(self, key: tuple[object, ...], compute: Callable[[], T]) -> T:
        """What `compute` gives, kept under the key for this snapshot and these rules.

        To build and to compile an expression takes longer than DuckDB's answer: keep what a page asks for again.
        """
        kept: T = self._once(key, lambda: _kept(compute, self.version, self.rules.hashes, key))
        return kept

    def models(self, columns: Sequence[str]) -> dict[str, ir.Table]:
        """The tables that metrics are computed from, with these slices: see `sliced_models`."""
        key = ("sliced_models", *columns)
        return self._once(key, lambda: sliced_models(self.rules.metric_catalog, self.table, columns))

    def _once(self, key: Hashable, compute: Callable[[], T]) -> T:
        """What `compute` gives, found once while a page is written: a look into Streamlit's cache takes a while."""
        if key not in self._found:
            self._found[key] = compute()
        found: T = self._found[key]
        return found

    def csv(self, expression: ir.Table) -> bytes:
        """All rows of an expression as CSV."""
        return self._snapshot.csv(expression)

    def meaning(self, table: str, column: str) -> str | None:
        """The description of a column; None if it has none."""
        return _meanings(self._snapshot, self.version).get((table, column))

    @property
    def as_of(self) -> date:
        """The as-of date of the snapshot."""
        day: date = self.rows(self.table("calendar").select("as_of_date").limit(1))[0]["as_of_date"]
        return day

    @property
    def currency(self) -> str:
        """The currency of all amounts."""
        return self.rules.currency

    @property
    def risk_bands(self) -> list[str]:
        """The bands of the churn risk score, the highest risk first."""
        return list(self.rules.churn_rules.bands)

    @property
    def priority_bands(self) -> list[str]:
        """The priority bands of interventions, the most urgent first."""
        return list(self.rules.recommendation_rules.priority_bands)


def current() -> Reading:
    """The newest snapshot; raises NoSnapshot if there is none or it cannot be read."""
    version = version_of(published_path())
    return Reading(_opened(version), read_rules(Settings().rules_dir))


@st.cache_resource(max_entries=SNAPSHOTS_OPEN, show_spinner=False, on_release=Snapshot.close)
def _opened(version: Version) -> Snapshot:
    return Snapshot(version)


@st.cache_data(max_entries=1000, show_spinner=False)
def _answer(_snapshot: Snapshot, version: Version, sql: str) -> pa.Table:
    return _snapshot.arrow(sql)


@st.cache_data(max_entries=1000, show_spinner=False)
def _kept(_compute: Callable[[], Any], version: Version, rules: Mapping[str, str], key: tuple[object, ...]) -> Any:
    return _compute()


@st.cache_data(max_entries=SNAPSHOTS_OPEN, show_spinner=False)
def _meanings(_snapshot: Snapshot, version: Version) -> dict[tuple[str, str], str]:
    return _snapshot.comments()
