"""Past days in the history: their figures, computed by the graph's own queries from the published snapshot.

For each day the queries of the compiled graph run in a database in memory, with a calendar that ends on that day. So
a day has the figures of `productpulse run --as-of` that day, and the published snapshot stays as it is.
"""

from __future__ import annotations

import datetime as dt
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import duckdb
import ibis
import ibis.expr.types as ir
import sqlglot as sg
from ibis.backends.duckdb import Backend
from ibis.common.exceptions import TableNotFound

from asset_checks.contracts import contracts_with
from productpulse_assets.facts.calendar import scalar
from productpulse_assets.metrics.recorded import METRICS, past_rows
from productpulse_assets.orchestration.compile_graph import plan_for, source_tables
from productpulse_assets.orchestration.graph import all_declarations
from productpulse_assets.published.snapshot import record_figures
from productpulse_assets.risk.history import past_risk
from productpulse_assets.tables import Declaration, Run
from resources.compiled_plan import Plan
from resources.decision_history import OF_DEMO, RISK, DamagedHistory, read_day, recorded_days
from resources.digests import digest_of
from resources.duckdb_connection import FileAccess, open_beside, open_read_only
from resources.home import Home
from resources.run_lock import run_lock
from resources.settings import Settings
from resources.snapshot_manifest import published_inputs
from resources.tables import table_of
from resources.warehouse import create_table, fill
from rules.rule_set import Rules
from rules.text.errors import ProductPulseError
from rules.today import company_today
from rules.units import month_start

RECORDS = ("risk_history", "kpi_summary")
"""The tables of which the history keeps rows."""
MONTHS = 12
MADE_FROM = ibis.schema({"is_current": "boolean", "inputs_hash": "string"})
COMPUTED, UNCHANGED, KEPT = "computed", "unchanged", "kept"


class NoPast(ProductPulseError):
    """Days cannot be computed; the message says which, why and which can."""


@dataclass(frozen=True)
class Day:
    """What became of a day: COMPUTED, or UNCHANGED (inputs and rules are those of its file) or KEPT (recorded then)."""

    day: dt.date
    outcome: str
    customers: int
    seconds: float = 0.0


def needed() -> list[Declaration]:
    """The tables that RECORDS are computed from and the sources do not have, in the order of computing them."""
    wanted, found = set(RECORDS), []
    for declaration in reversed(all_declarations()):
        if declaration.name in wanted:
            wanted |= set(declaration.inputs)
            found.append(declaration)
    return found[::-1]


@dataclass(frozen=True)
class Past:
    """The published snapshot, its history and the graph, for computing days before its as-of date."""

    backend: Backend
    settings: Settings
    rules: Rules
    plan: Plan
    history: Path

    @cached_property
    def first(self) -> dt.date:
        """The first day with a customer."""
        return first_customer_day(self.backend.table("customers"), self.backend.table("subscriptions"))

    @cached_property
    def as_of(self) -> dt.date:
        """The as-of date of the snapshot."""
        day: dt.date = self.backend.con.execute("SELECT max(as_of_date) FROM published_calendar").fetchall()[0][0]
        return day

    @cached_property
    def inputs(self) -> str:
        """A digest of all that decides the figures of a day: the rows of the sources, the rules and the program."""
        parts = [self.plan.fingerprint]
        for name in sorted(source_tables(self.rules)):
            table = sg.to_identifier(name, quoted=True).sql("duckdb")
            # The name of a table of ours, in quotes.
            found = self.backend.con.execute(f"SELECT count(*), sum(hash(rows)) FROM {table} AS rows")  # nosec B608
            parts.append(f"{name} {found.fetchall()}")
        return digest_of(parts)

    def check(self, days: Sequence[dt.date]) -> None:
        """Raise NoPast for a day before the first customer or after the as-of date."""
        for day in days:
            if day < self.first:
                raise NoPast(
                    "backfill.before_data",
                    f"There was no customer by {day}: the first one is of {self.first}. Give months from "
                    f"{self.first:%Y-%m} on.",
                    day=day,
                )
            if day > self.as_of:
                last = month_start(self.as_of + dt.timedelta(days=1), -1)
                raise NoPast(
                    "backfill.after_as_of",
                    f"{day} is after {self.as_of}, the as-of date of the published snapshot. Give months up to "
                    f"{last:%Y-%m}, the last one that is complete.",
                    day=day,
                )

    def reason_to_skip(self, day: dt.date) -> str | None:
        """UNCHANGED or KEPT for a day that need not be computed.

        A file that the run of the day wrote is kept: it knows the present state of that day, such as Past Due.
        """
        if day not in recorded_days(self.history, RISK):
            return None
        try:
            rows = read_day(self.history, RISK, day, MADE_FROM).slice(0, 1).to_pylist()
        except DamagedHistory:
            return None
        if rows and rows[0]["is_current"]:
            return KEPT
        return UNCHANGED if rows and rows[0]["inputs_hash"] == self.inputs else None

    def compute(self, day: dt.date) -> int:
        """Compute the figures of a day and write its files; return the number of customers in them."""
        settings = self.settings.model_copy(update={"as_of": day})
        run = Run(company_today(self.rules.sources.time_zone), is_forced=True)
        given = {
            "recorded_risk": lambda: past_risk(self.history, day),
            "recorded_metrics": lambda: table_of(past_rows(self.history, day, self.rules.metric_catalog), METRICS),
        }
        for declaration in needed():
            name = declaration.name
            if declaration.is_query:
                create_table(self.backend, name, self.plan.tables[name].sql)
                continue
            value = given[name]() if name in given else declaration.call(
                self.backend.table, rules=self.rules, settings=settings, plan=self.plan, run=run
            )  # fmt: skip
            rows = table_of(value, declaration.schema) if isinstance(value, list) and declaration.schema else value
            fill(self.backend, name, rows, declaration.metadata["key"])
        record_figures(self.backend, self.history, self.rules, self.inputs)
        customers: int = (
            self.backend.table("risk_history").filter(ibis._.as_of_date == day).count().to_pyarrow().as_py()
        )
        return customers


@contextmanager
def open_past(settings: Settings, rules: Rules, notify: Callable[[str], None]) -> Iterator[Past]:
    """The past of a home, whose lock is held meanwhile; `notify` gets a sentence if another run is at work.

    Raises NoPast if the last run did not end, or if it had other columns than the rules name.
    """
    home = settings.home
    with run_lock(home, settings.wait, notify):
        published = published_inputs(home)
        if published is None or not home.published.exists():
            raise NoPast(
                "snapshot.unfinished",
                f"The last run in {home.root} did not end or computed only a part, or there was none. Past days are "
                "computed from the snapshot of a whole run: run `productpulse run` first.",
            )
        plan, tables = plan_for(rules, home), [*source_tables(rules)]
        backend = _opened(home, settings, rules, tables)
        try:
            history = home.history / OF_DEMO if published.is_demo else home.history
            yield Past(backend, of_company(settings, is_demo=published.is_demo), rules, plan, history)
        finally:
            backend.disconnect()


def of_company(settings: Settings, *, is_demo: bool) -> Settings:
    """The settings with the company of the published snapshot, whatever data the settings name now.

    The demo company has a gross margin of its own, which must not count for another one.
    """
    data = None if is_demo else settings.data_dir or settings.home.root
    return settings.model_copy(update={"data_dir": data})


def _opened(home: Home, settings: Settings, rules: Rules, tables: Sequence[str]) -> Backend:
    """A database in memory with the source tables of the snapshot."""
    views = {name: name for name in tables} | {"published_calendar": "calendar"}
    try:
        backend = open_beside(
            home.published, views, rules.sources.time_zone, FileAccess(folders=(home.root,)),
            temp_directory=str(home.scratch), memory_limit=settings.memory_limit,
        )  # fmt: skip
    except duckdb.CatalogException as error:
        raise _of_another_version(home, str(error).splitlines()[0]) from error
    for name, contract in contracts_with(rules.dimensions).items():
        if missing := [column for column in contract.columns if column not in backend.table(name).columns]:
            backend.disconnect()
            raise _of_another_version(home, f"{name} has no {', '.join(missing)}")
    return backend


def _of_another_version(home: Home, reason: str) -> NoPast:
    return NoPast(
        "snapshot.other_columns",
        f"The snapshot in {home.root} was made with other rules or by another version ({reason}). Run "
        "`productpulse run` first.",
    )


def first_and_last_day(home: Home) -> tuple[dt.date, dt.date] | None:
    """The first day with a customer and the as-of date of the published snapshot; None if none can be read."""
    try:
        backend = open_read_only(home.published)
    except duckdb.Error:
        return None
    try:
        tables = ("customers", "subscriptions", "calendar")
        customers, subscriptions, calendar = (backend.table(name) for name in tables)
        as_of = scalar(calendar.as_of_date.max())
        return (first_customer_day(customers, subscriptions), as_of) if as_of else None
    except (duckdb.Error, TableNotFound):
        return None
    finally:
        backend.disconnect()


def first_customer_day(customers: ir.Table, subscriptions: ir.Table) -> dt.date:
    """The first day with a customer."""
    days = [scalar(customers.signup_date.min()), scalar(subscriptions.start_date.min())]
    return min(day for day in days if day)


def month_ends(first: dt.date, last: dt.date) -> list[dt.date]:
    """The last days of the months from that of `first` to that of `last`."""
    count = (last.year - first.year) * 12 + last.month - first.month + 1
    return [month_start(first, later + 1) - dt.timedelta(days=1) for later in range(count)]


def months_asked(past: Past, first: dt.date | None, last: dt.date | None) -> list[dt.date]:
    """The month ends from `first` to `last`; by default up to the last complete month, and MONTHS of them.

    Without `first`, months before the first customer are left out.
    """
    until = last or month_start(past.as_of + dt.timedelta(days=1), -1)
    if first and first > until:
        raise NoPast(
            "backfill.no_months",
            f"There is no month from {first:%Y-%m} to {until:%Y-%m}. Give the earlier one as --from.",
        )
    days = month_ends(first or month_start(until, 1 - MONTHS), until)
    if first is None:
        days = [day for day in days if day >= past.first] or days[-1:]
    past.check(days)
    return days


def backfill(past: Past, days: Sequence[dt.date], *, force: bool = False) -> Iterator[Day]:
    """Compute each day and write it to the history; `force` also those that need not be computed.

    Each file is complete or not there: what is done stays when the next one is stopped.
    """
    past.check(days)
    for day in sorted(days):
        started = time.perf_counter()
        if not force and (reason := past.reason_to_skip(day)):
            yield Day(day, reason, read_day(past.history, RISK, day, MADE_FROM).num_rows)
        else:
            customers = past.compute(day)
            yield Day(day, COMPUTED, customers, time.perf_counter() - started)
