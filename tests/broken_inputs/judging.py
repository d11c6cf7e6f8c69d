"""Runs the sources step over an input: the result is an error, or rows kept and rejected."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from functools import partial
from pathlib import Path

import dagster as dg
import duckdb
from dagster_duckdb import DuckDBResource

from asset_checks.contracts import CONTRACTS
from productpulse_assets.orchestration import execution as running
from productpulse_assets.sources.assets import source_assets
from productpulse_assets.sources.currency import has_amounts_in_currencies
from productpulse_assets.sources.inventory import source_inventory
from productpulse_assets.sources.location import check_sources, file_access
from resources import at_launch
from resources.settings import Settings
from resources.warehouse import Warehouse
from rules.loading.files import load
from rules.models import Sources
from rules.rule_set import Rules
from tests.graph import RULES

CHECKOUT = Path(__file__).resolve().parents[2]

CUSTOMERS = "customer_id,signup_date\nC1,2026-01-01\nC2,2026-01-02\nC3,2026-01-03\n"
SUBSCRIPTIONS = "subscription_id,customer_id,status,start_date,monthly_price\nS1,C1,Active,2026-01-01,10\n"
VALID = {"customers": CUSTOMERS, "subscriptions": SUBSCRIPTIONS}
"""Valid files of the parents, written unless the input is that dataset."""

Reject = tuple[int, str | None, str, str | None]
"""row_number, column_name, check_name, value."""


@dataclass(frozen=True)
class Input:
    """A broken file and the expected result.

    how: what is wrong with it. file: its name, which begins with the dataset. settings: the dataset's
    settings in sources.yaml; `top`: lines above them. rows: the number of data rows in the file.
    code: the code of the error that stops a run, or nothing. sentence: the error's sentence, where it
    has words that are not ours (… stands for them); tests/error_sentences.txt has the other ones.
    kept: the keys of the rows kept. rejects: the rules that rows broke.
    """

    how: str
    file: str
    content: bytes | str
    rows: int = 0
    code: str = ""
    sentence: str = ""
    kept: tuple[str, ...] = ()
    rejects: tuple[Reject, ...] = ()
    settings: str = ""
    top: str = ""

    @property
    def dataset(self) -> str:
        return self.file.split(".")[0]

    @property
    def bytes(self) -> bytes:
        return self.content if isinstance(self.content, bytes) else self.content.encode()


@dataclass
class Verdict:
    """The result of a run. codes: of the inventory's problems. counted: (rows in, kept, rejected) by the run's own check."""

    problems: list[str] = field(default_factory=list)
    codes: list[str] = field(default_factory=list)
    kept: tuple[str, ...] = ()
    rejects: tuple[Reject, ...] = ()
    counted: tuple[int, int, int] | None = None


def lay_out(folder: Path, given: Input) -> Path:
    """Write the input and valid parents to `folder`/data, and a rules folder next to it; returns the data folder."""
    data, rules = folder / "data", folder / "rules"
    data.mkdir()
    rules.mkdir()
    for name, text in VALID.items():
        if name != given.dataset:
            (data / f"{name}.csv").write_text(text)
    (data / given.file).write_bytes(given.bytes)
    about = f"datasets:\n  {given.dataset}: {{max_reject_share: 1.0, {given.settings}}}\n"
    (rules / "sources.yaml").write_text(f"{given.top}\n{about}")
    return data


def rules_of(folder: Path) -> Rules:
    """The rules that come with the program, with the sources.yaml that `lay_out` wrote."""
    rules = replace(RULES, folder=folder / "rules", sources=load(folder / "rules" / "sources.yaml", Sources))
    check_sources(rules)
    return rules


def judge(folder: Path, instance: dg.DagsterInstance, dataset: str) -> Verdict:
    """Runs the inventory and the steps of the dataset and its parents over the files that `lay_out` wrote."""
    store = folder / "home" / "store.duckdb"
    store.parent.mkdir()
    rules, settings = rules_of(folder), Settings(home=store.parent, data_dir=folder / "data")
    resources = {
        "warehouse": at_launch.warehouse_resource(
            Warehouse(
                duckdb=DuckDBResource(database=str(store)),
                glossary=str(CHECKOUT / "resources" / "glossary.yaml"),
                access=partial(file_access, settings, rules),
            )
        ),
    }
    wanted = {dataset, *CONTRACTS[dataset].metadata["parents"].values()}
    if any(has_amounts_in_currencies(CONTRACTS[name]) for name in wanted):
        wanted.add("exchange_rates")
    datasets = source_assets(rules, settings)
    steps = [each for each in datasets if wanted & {key.path[-1] for key in each.keys}]
    result = dg.materialize(
        [source_inventory(rules, settings), *steps],
        instance=instance,
        resources=resources,
        raise_on_error=False,
        run_config=running.QUIET,
    )
    outcome = running.Outcome()
    for event in result.all_events:
        running.note(event, outcome)
    verdict = Verdict(outcome.failed_checks + outcome.errors)
    for check in result.get_asset_check_evaluations():
        if check.check_name == "sources_usable":
            verdict.codes = list(check.metadata["codes"].value)
        if check.check_name == "rows_accounted_for" and check.asset_key.path[-1] == dataset:
            counted = {name: value.value for name, value in check.metadata.items()}
            verdict.counted = (counted["rows_in"], counted["rows_kept"], counted["rows_rejected"])
            _read_store(store, dataset, verdict)
    return verdict


def _read_store(store: Path, dataset: str, verdict: Verdict) -> None:
    key = CONTRACTS[dataset].metadata["key"][0]
    rejected = "row_number, column_name, check_name, value"
    with duckdb.connect(str(store), read_only=True) as con:
        verdict.kept = tuple(key for (key,) in con.execute(f"SELECT {key} FROM {dataset} ORDER BY ALL").fetchall())
        verdict.rejects = tuple(con.execute(f"SELECT {rejected} FROM {dataset}_rejects ORDER BY ALL").fetchall())
