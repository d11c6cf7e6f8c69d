"""`productpulse generate` and `validate`."""

from __future__ import annotations

import datetime as dt
import re

import duckdb
import pytest

from resources.home import Home
from tests.productpulse_assets.cli.spoken import fields, tree
from tests.resources.test_run_lock import other_run

SMALL = ("--customers", 20, "--months", 6)


def test_generate_writes_the_same_bytes_for_the_same_arguments(productpulse, tmp_path):
    for name, more in {"one": [], "two": [], "other": ["--seed", 43]}.items():
        result = productpulse("generate", *SMALL, "--out", tmp_path / name, *more)
        assert result.exit_code == 0
        assert result.stdout.splitlines()[-1] == f"Written to {tmp_path / name}."
    one, two, other = (tree(tmp_path / name) for name in ("one", "two", "other"))
    assert one == two
    assert one.keys() == other.keys()
    assert one["subscriptions.csv"] != other["subscriptions.csv"]


def test_generate_writes_parquet_and_counts_its_rows(productpulse, tmp_path):
    result = productpulse("generate", *SMALL, "--as-of", "2025-03-15", "--format", "parquet", "--out", tmp_path)
    told = {fields(line)[0]: int(fields(line)[1].replace(",", "")) for line in result.stdout.splitlines()[:-1]}
    assert len(told) == 8
    for name, rows in told.items():
        assert duckdb.read_parquet(str(tmp_path / f"{name}.parquet")).count("*").fetchone() == (rows,)
    newest = duckdb.read_parquet(str(tmp_path / "product_usage.parquet")).max("date").fetchone()[0]
    assert dt.date(2025, 2, 15) < newest <= dt.date(2025, 3, 15)


def test_generate_without_a_folder_fills_the_home(productpulse, tmp_path):
    assert productpulse("generate", *SMALL, "--home", tmp_path).exit_code == 0
    assert "customers.csv" in tree(tmp_path / "synthetic")


@pytest.mark.parametrize("arguments", [["--as-of", "June"], ["--customers", 0], ["--format", "xlsx"]])
def test_generate_refuses_what_it_cannot_make(productpulse, tmp_path, arguments):
    assert productpulse("generate", "--out", tmp_path / "demo", *arguments).exit_code == 2
    assert not (tmp_path / "demo").exists()


def test_validate_says_what_would_be_rejected_and_changes_nothing(productpulse, exports, home, monkeypatch):
    path = exports / "customers.csv"
    lines = path.read_text().splitlines()
    lines[50] = re.sub(r"\d{4}-\d\d-\d\d", "31.02.2026", lines[50])
    path.write_text("\n".join(lines) + "\n")
    before = tree(home), tree(exports)
    monkeypatch.chdir(home)
    result = productpulse("validate", "--data", exports)
    assert result.exit_code == 0, result.output
    assert "customers: 200 rows in customers.csv, 199 kept, 1 rejected." in result.stdout
    assert "  signup_date: parses_as_date in 1 rows, first in row 50: '31.02.2026'" in result.stdout
    assert "  customer_id: parent_rejected in 1 rows, first in row " in result.stdout
    assert "  Optional columns that are absent: currency." in result.stdout
    assert result.stdout.splitlines()[-1] == "Every dataset passes the gate."
    assert (tree(home), tree(exports)) == before


def test_validate_ends_with_1_for_every_dataset_that_the_gate_would_stop(productpulse, exports):
    for name, column in {"nps_scores": 3, "targets": 1}.items():
        path = exports / f"{name}.csv"
        header, *rows = (line.split(",") for line in path.read_text().splitlines())
        for row in rows[::10]:
            row[column] = "much"
        path.write_text("\n".join(",".join(row) for row in [header, *rows]))
    (exports / "support_tickets.csv").unlink()
    result = productpulse("validate", "--data", exports)
    assert result.exit_code == 1
    assert [line.split(":")[0] for line in result.stderr.splitlines()] == ["nps_scores", "targets"]
    assert "rejected; 1.00% is tolerated. score parses_as_whole_number: " in result.stderr
    assert "support_tickets: not available." in result.stdout
    assert "Every dataset passes" not in result.stdout


def test_validate_ends_with_1_when_a_source_cannot_be_used(productpulse, exports):
    (exports / "customers.csv").write_bytes(b"")
    result = productpulse("validate", "--data", exports)
    assert result.exit_code == 1
    assert result.stderr.startswith("customers.csv is empty")


def test_validate_of_an_empty_folder_says_so(productpulse, tmp_path):
    result = productpulse("validate", "--data", tmp_path)
    assert result.exit_code == 1
    assert result.stdout == f"{tmp_path} is empty.\n"
    assert [line.split(":")[0] for line in result.stderr.splitlines()] == ["customers", "subscriptions"]


@pytest.mark.parametrize(
    ("name", "sentence"),
    [
        ("Targets.CSV", "Targets.CSV is not read: no dataset is called so. Did you mean targets.csv? Rename it as that."),
        ("target.csv", "target.csv is not read: no dataset is called so. Did you mean targets.csv? Rename it as that."),
        ("targets.xlsx", "targets.xlsx is not read: no dataset is called so. Did you mean targets.csv? Export it as that."),
        ("invoices.csv", "invoices.csv is not read: invoices is not a dataset; there are customers, subscriptions, "),
        ("notes.md", "notes.md is not read: its ending is none of .csv, .csv.gz, "),
    ],
)  # fmt: skip
def test_validate_tells_of_files_that_nobody_reads(productpulse, exports, name, sentence):
    (exports / "targets.csv").rename(exports / name)
    result = productpulse("validate", "--data", exports)
    assert result.exit_code == 0, result.output
    (line,) = [line for line in result.stdout.splitlines() if " is not read" in line]
    assert line.startswith(sentence)


def test_files_that_sources_yaml_names_are_read(productpulse, exports, rules):
    (exports / "targets.csv").rename(exports / "goals 2026.csv")
    (exports / "nps_scores.csv").rename(exports / "answers.csv")
    with (rules / "sources.yaml").open("a", encoding="utf-8") as sources:
        sources.write(
            "datasets:\n"
            "  targets: {file: goals*.csv}\n"
            "  nps_scores: {query: \"FROM read_csv('answers.csv', all_varchar = true)\"}\n"
        )
    result = productpulse("validate", "--data", exports, "--rules", rules)
    assert result.exit_code == 0, result.output
    assert "is not read" not in result.stdout


def test_the_demos_files_are_not_written_while_a_run_reads_them(productpulse, tmp_path, monkeypatch):
    monkeypatch.setattr("resources.home.LONGEST_WAIT", 0.0)
    with other_run(Home(tmp_path)):
        result = productpulse("generate", "--customers", 5, "--home", tmp_path)
    assert result.exit_code == 1
    assert result.stderr.startswith(f"Another run is at work in {tmp_path} (process ")
    assert not (tmp_path / "synthetic").exists()
    assert (
        productpulse("generate", "--customers", 5, "--out", tmp_path / "elsewhere", "--home", tmp_path).exit_code == 0
    )
