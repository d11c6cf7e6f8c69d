"""Broken exports: some stop a run with a sentence, others only lose rows to the rejects."""

from __future__ import annotations

import csv
import gzip
import hashlib
import json
import re
import shutil
import subprocess
import sys
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import ibis
import pyarrow.csv as pv
import pyarrow.parquet as pq
import pytest

from asset_checks.contracts import CONTRACTS
from productpulse_assets.published.exports import export
from productpulse_assets.sources.assets import split
from productpulse_assets.sources.location import locate
from resources.duckdb_connection import open_read_only
from resources.home import Home
from resources.settings import Settings
from rules.models import Sources
from tests.graph import RULES

pytestmark = pytest.mark.slow

Rows = list[dict[str, str]]


def change(folder: Path, dataset: str, how: Callable[[Rows], Rows | None]) -> None:
    """Rewrite a dataset's CSV file with the rows that `how` returns."""
    path = folder / f"{dataset}.csv"
    with path.open(newline="", encoding="utf-8") as stream:
        rows = list(csv.DictReader(stream))
    columns = list(rows[0])
    rows = how(rows) or rows
    with path.open("w", newline="", encoding="utf-8") as stream:
        writer = csv.DictWriter(stream, [c for c in columns if not rows or c in rows[0]], lineterminator="\n")
        writer.writeheader()
        writer.writerows(rows)


def spoil(column: str, value: str, share: float) -> Callable[[Rows], None]:
    """Put `value` in a column of this share of the rows, spread over the file."""

    def apply(rows: Rows) -> None:
        for place in range(round(share * len(rows))):
            rows[place * len(rows) // round(share * len(rows))][column] = value

    return apply


# --- faults that stop a run ----------------------------------------------------------------------------


def no_status(folder: Path) -> None:
    change(folder, "subscriptions", lambda rows: [{k: v for k, v in row.items() if k != "status"} for row in rows])


def no_subscriptions(folder: Path) -> None:
    (folder / "subscriptions.csv").unlink()


def header_alone(folder: Path) -> None:
    path = folder / "customers.csv"
    path.write_text(path.read_text().splitlines()[0] + "\n")


def zero_bytes(folder: Path) -> None:
    (folder / "customers.csv").write_bytes(b"")


def orphans(folder: Path) -> None:
    change(folder, "subscriptions", spoil("customer_id", "C-nobody", 0.05))


def text_in_price(folder: Path) -> None:
    change(folder, "subscriptions", spoil("monthly_price", "on request", 0.02))


def every_row_twice(folder: Path) -> None:
    change(folder, "customers", lambda rows: rows + rows)


def torn_parquet(folder: Path) -> None:
    (folder / "transactions.csv").unlink()
    (folder / "transactions.parquet").write_bytes(b"PAR1" + bytes(200))


def utf_16(folder: Path) -> None:
    path = folder / "customers.csv"
    path.write_text(path.read_text(), encoding="utf-16")


STOPPING = {
    no_status: r"subscriptions: subscriptions\.csv has no column 'status', which is required; it has .* Add it, or set",
    no_subscriptions: r"subscriptions: the dataset is required and there is no subscriptions\.csv .* Put it there, or",
    header_alone: r"customers: no rows are left, and the dataset is required\. Check the export\.",
    zero_bytes: r"customers\.csv is empty: no header and no rows were found in it\. Export it again",
    orphans: r"subscriptions: \d+ of \d+ rows \([45]\.\d\d%\) rejected; 1\.00% is tolerated\. customer_id known_customer: \d+ \(first in row 1: 'C-nobody'\)\. Fix the export, or raise max_reject_share for subscriptions in rules/sources\.yaml",
    text_in_price: r"subscriptions: \d+ of \d+ rows \([12]\.\d\d%\) rejected; 1\.00% is tolerated\. monthly_price parses_as_number: \d+ \(first in row 1: 'on request'\)\. Fix the export, or raise max_reject_share",
    torn_parquet: r"transactions\.parquet cannot be read as Parquet: .* Export or copy it again",
    utf_16: r"customers\.csv is UTF-16 text, where UTF-8 was expected\. Save it as UTF-8, or set encoding: utf-16 for the dataset",
}


@pytest.mark.parametrize(("fault", "sentence"), STOPPING.items(), ids=lambda case: getattr(case, "__name__", ""))
def test_a_fault_stops_the_run_with_one_sentence_and_leaves_the_snapshot(productpulse, exports, home, fault, sentence):
    fault(exports)
    before = fingerprint(home)
    result = productpulse("run", "--data", exports, "--home", home)
    assert result.exit_code == 1
    stopped, kept = result.stderr.splitlines()
    assert re.match(sentence, stopped), stopped
    assert kept == "The published snapshot has not changed."
    assert fingerprint(home) == before


def test_an_export_with_every_row_twice_counts_each_once_and_says_so(productpulse, exports, home):
    every_row_twice(exports)
    result = productpulse("run", "--data", exports, "--home", home)
    assert result.exit_code == 0
    assert (
        "customers: 200 rows are exact duplicates of an earlier row, as when exports overlap; each counts once"
        in result.stdout
    )


def test_the_terminal_shows_only_the_sentences(exports, tmp_path):
    no_status(exports)
    command = [sys.executable, "-m", "productpulse_assets.cli", "run", "--data", exports, "--home", tmp_path / "home"]
    result = subprocess.run(command, capture_output=True, text=True, check=False, cwd=Path(__file__).parents[2])
    assert result.returncode == 1
    stopped, kept = result.stderr.splitlines()
    assert re.match(STOPPING[no_status], stopped)
    assert kept == "Nothing was published."
    *lines, failed = result.stdout.splitlines()
    assert all(re.match(r"\[ \d/\d+\] ", line) for line in lines)
    assert failed.split() == ["source_inventory", "failed"]


def fingerprint(home: Path) -> dict[str, str]:
    """The bytes of all files that readers see."""
    files = [path for part in ("published", "exports", "reports") for path in (home / part).rglob("*")]
    seen = [path for path in files if path.is_file() and path != Home(home).inputs]
    return {str(path): hashlib.sha256(path.read_bytes()).hexdigest() for path in seen}


# --- rows that are rejected ---------------------------------------------------------------------------


def test_a_few_bad_rows_are_rejected_and_the_run_continues(productpulse, exports, tmp_path):
    change(exports, "product_usage", spoil("date", "31.02.2026", 0.005))
    change(exports, "nps_scores", lambda rows: rows[19].update(score="11"))
    change(
        exports,
        "subscriptions",
        lambda rows: rows[99].update(status="Expired", start_date="2026-06-02", end_date="2026-06-01"),
    )
    unclosed = torn_line(exports / "support_tickets.csv", 30)
    usage, lost = line_count(exports / "product_usage.csv"), rows_with(exports, 100)
    result = productpulse("run", "--data", exports, "--home", tmp_path / "home")
    assert result.exit_code == 0, result.output
    backend = open_read_only(Home(tmp_path / "home").published)
    bad_days = round(0.005 * usage)
    assert rejects(backend, "product_usage") == [
        (1 + place * usage // bad_days, "date", "parses_as_date", "31.02.2026") for place in range(bad_days)
    ]
    assert rejects(backend, "nps_scores") == [(20, "score", "between_0_and_10", "11")]
    assert rejects(backend, "subscriptions") == [(100, "end_date", "end_date_not_before_start_date", "2026-06-01")]
    assert rejects(backend, "support_tickets") == [
        (30, None, "malformed_line", f"a quote that is not closed: {unclosed}")
    ]
    # The payments of the rejected period refer to its key.
    assert rejects(backend, "transactions") == [
        (number, "subscription_id", "parent_rejected", lost[number]) for number in lost
    ]
    for name in ("product_usage", "nps_scores", "subscriptions", "support_tickets", "transactions"):
        kept, out = int(backend.table(name).count().execute()), {reject[0] for reject in rejects(backend, name)}
        assert kept + len(out) == line_count(exports / f"{name}.csv")
    total = bad_days + 3 + len(lost)
    assert f"{total:,} rejected." in result.stdout
    assert (
        f"product_usage: {bad_days} rejected. date parses_as_date: {bad_days} (first in row 1: '31.02.2026')."
        in result.stdout
    )


def torn_line(path: Path, row_number: int) -> str:
    """Remove the last quote of a row; returns the new line."""
    lines = path.read_text().splitlines()
    before, _, after = lines[row_number].rpartition('"')
    lines[row_number] = before + after
    path.write_text("\n".join(lines) + "\n")
    return lines[row_number]


def line_count(path: Path) -> int:
    return len(path.read_text().splitlines()) - 1


def rows_with(folder: Path, period: int) -> dict[int, str]:
    """The transactions of the period in this row: {row number: subscription_id}."""
    with (folder / "subscriptions.csv").open(newline="") as stream:
        wanted = list(csv.DictReader(stream))[period - 1]["subscription_id"]
    with (folder / "transactions.csv").open(newline="") as stream:
        payments = enumerate(csv.DictReader(stream), start=1)
        return {number: wanted for number, row in payments if row["subscription_id"] == wanted}


def rejects(backend, dataset: str) -> list[tuple]:
    query = f"SELECT row_number, column_name, check_name, value FROM {dataset}_rejects ORDER BY ALL"
    return backend.con.execute(query).fetchall()


# --- every format --------------------------------------------------------------------------------


def as_csv(path: Path, target: Path) -> None:
    shutil.copyfile(path, target / path.name)


def as_gzip(path: Path, target: Path) -> None:
    (target / f"{path.name}.gz").write_bytes(gzip.compress(path.read_bytes()))


def as_tsv(path: Path, target: Path) -> None:
    with path.open(newline="") as source, (target / f"{path.stem}.tsv").open("w", newline="") as out:
        csv.writer(out, delimiter="\t").writerows(csv.reader(source))


def as_parquet(path: Path, target: Path) -> None:
    pq.write_table(pv.read_csv(path), target / f"{path.stem}.parquet")


def as_json(path: Path, target: Path) -> None:
    (target / f"{path.stem}.json").write_text(json.dumps(records(path), default=str, indent=1))


def as_jsonl(path: Path, target: Path) -> None:
    (target / f"{path.stem}.jsonl").write_text("\n".join(json.dumps(row, default=str) for row in records(path)))


def records(path: Path) -> Rows:
    """The rows with numbers, booleans and nulls, as another program would write them."""
    return pv.read_csv(path).to_pylist()


FORMATS = (as_csv, as_gzip, as_tsv, as_parquet, as_json, as_jsonl)


@pytest.mark.parametrize("dataset", CONTRACTS)
def test_a_dataset_is_the_same_in_every_format(company_exports, tmp_path, dataset):
    backend, contract, rules = ibis.duckdb.connect(), CONTRACTS[dataset], replace(RULES, sources=Sources())
    read = {}
    for write in FORMATS:
        folder = tmp_path / write.__name__
        folder.mkdir()
        write(company_exports / f"{dataset}.csv", folder)
        run = Settings(home=tmp_path / "home", data_dir=folder)
        kept, rejected, _ = split(backend, contract, locate(dataset, run, rules), run, rules, parents=[])
        assert rejected.count().execute() == 0, write.__name__
        table = kept.order_by(list(contract.metadata["key"])).to_pyarrow()
        # A missing row id is made from the file's name, which differs.
        read[write] = table.drop_columns([name for name in ("annotation_id",) if name in table.column_names])
    assert read[as_csv].num_rows == line_count(company_exports / f"{dataset}.csv")
    for write in FORMATS:
        assert read[write].equals(read[as_csv]), write.__name__


def test_a_company_in_mixed_formats_has_the_same_key_figures(figures, good_run, good_home, company_exports, tmp_path):
    data = tmp_path / "mixed"
    data.mkdir()
    for number, path in enumerate(sorted(company_exports.glob("*.csv")), start=1):
        FORMATS[number % len(FORMATS)](path, data)
    assert len({path.name.split(".", 1)[1] for path in data.iterdir()}) == len(FORMATS)
    figures(data, tmp_path / "home")
    store = ibis.duckdb.connect(Home(tmp_path / "home").warehouse, read_only=True)
    export(store, store.table("kpi_summary"), tmp_path / "exports", "kpi_summary")
    for name in ("kpi_summary.csv", "kpi_summary.parquet"):
        assert (tmp_path / "exports" / name).read_bytes() == (good_home / "exports" / name).read_bytes()
