"""A dataset's files, typed and split into rows kept and rejects, as Python values."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path

import pyarrow as pa

from asset_checks.contracts import CONTRACTS
from productpulse_assets.sources.assets import read_unknown_values, split
from productpulse_assets.sources.location import locate
from productpulse_assets.sources.staging import Parent
from resources.settings import Settings
from resources.tables import rows_of
from rules.models import Sources
from tests.builders import dataset
from tests.graph import RULES

PLAIN = Sources()


@dataclass(frozen=True)
class Outcome:
    """A dataset after the split, as Python values. unknown: the values that were left empty in kept rows."""

    kept: list[dict]
    rejects: list[dict]
    rows_in: int
    tables: tuple
    unknown: list[dict]

    def kept_values(self, *columns: str) -> list[tuple]:
        return [tuple(row[column] for column in columns) for row in self.kept]

    def reasons(self) -> list[tuple]:
        return reasons_of(self.rejects)

    def left_empty(self) -> list[tuple]:
        return reasons_of(self.unknown)


def reasons_of(rejects: list[dict]) -> list[tuple]:
    return sorted(((r["row_number"], r["column_name"], r["check_name"], r["value"]) for r in rejects), key=str)


def staged(
    backend, folder: Path, name: str, sources: Sources, parents: dict, rates: list[dict] | None = None
) -> Outcome:
    run = Settings(home=folder / "home", data_dir=folder)
    known = [parent(backend, column, *keys) for column, keys in parents.items()]
    rules = replace(RULES, sources=sources)
    given = rates and backend.create_table("exchange_rates", dataset("exchange_rates", *rates), overwrite=True)
    kept, rejected, rows_in = split(backend, CONTRACTS[name], locate(name, run, rules), run, rules, known, given)
    key = list(CONTRACTS[name].metadata["key"])
    unknown = rows_of(read_unknown_values(backend, name))
    return Outcome(rows_of(kept.order_by(key)), rows_of(rejected), rows_in, (kept, rejected), unknown)


def parent(backend, column: str, kept: list[str], rejected: list[str]) -> Parent:
    texts = {"kept": pa.array(kept, pa.string()), "lost": pa.array(rejected, pa.string())}
    for state, keys in texts.items():
        backend.create_table(f"{column}_{state}", pa.table({"row_key": keys}), overwrite=True)
    dataset = {"customer_id": "customers", "subscription_id": "subscriptions"}[column]
    return Parent(column, dataset, backend.table(f"{column}_kept").row_key, backend.table(f"{column}_lost").row_key)
