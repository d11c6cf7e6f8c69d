"""`productpulse generate` and `validate`."""

from __future__ import annotations

import datetime as dt
import os
import re

import duckdb
import pytest

from asset_checks.contracts import DATASETS
from productpulse_assets.cli import generate
from productpulse_assets.synthetic import settings
from resources.home import Home
from tests.productpulse_assets.cli.output import fields, tree
from tests.resources.test_run_lock import other_run

pytestmark = pytest.mark.slow

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
    counts = {fields(line)[0]: int(fields(line)[1].replace(",", "")) for line in result.stdout.splitlines()[:-1]}
    assert set(counts) == set(DATASETS)
    for name, rows in counts.items():
        assert duckdb.read_parquet(str(tmp_path / f"{name}.parquet")).count("*").fetchone() == (rows,)
    newest = duckdb.read_parquet(str(tmp_path / "product_usage.parquet")).max("date").fetchone()[0]
    assert dt.date(2025, 2, 15) < newest <= dt.date(2025, 3, 15)


def test_generate_without_a_folder_fills_the_home(productpulse, tmp_path):
    assert productpulse("generate", *SMALL, "--home", tmp_path).exit_code == 0
    assert "customers.csv" in tree(tmp_path / "synthetic")


def test_generate_bills_in_another_style_and_loses_nothing(productpulse, tmp_path):
    for name, more in {"usual": [], "mixed": ["--billing", "mixed", "--no-losses"]}.items():
        assert productpulse("generate", *SMALL, "--out", tmp_path / name, *more).exit_code == 0
    usual, mixed = (tree(tmp_path / name) for name in ("usual", "mixed"))
    assert usual["customers.csv"] == mixed["customers.csv"]
    assert usual["transactions.csv"] != mixed["transactions.csv"]
    assert b"Past Due" not in mixed["subscriptions.csv"] and b"EUR" in mixed["transactions.csv"]


def test_generate_names_the_billing_styles_of_the_simulator():
    assert generate.BILLING_NAMES == settings.BILLING_NAMES


@pytest.mark.parametrize(
    "arguments", [["--as-of", "June"], ["--customers", 0], ["--format", "xlsx"], ["--billing", "weekly"]]
)
def test_generate_refuses_arguments_that_it_cannot_use(productpulse, tmp_path, arguments):
    assert productpulse("generate", "--out", tmp_path / "demo", *arguments).exit_code == 2
    assert not (tmp_path / "demo").exists()


def test_validate_prints_what_would_be_rejected_and_changes_nothing(productpulse, exports, home, monkeypatch):
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
    assert "  Optional columns that are absent: cancel_reason." in result.stdout
    assert result.stdout.splitlines()[-1] == "Every dataset passes the gate."
    assert (tree(home), tree(exports)) == before


def test_invisible_characters_of_a_value_are_shown_as_codes(productpulse, exports):
    path = exports / "customers.csv"
    lines = path.read_text("utf-8").splitlines()
    lines[50] = re.sub(r"\d{4}-\d\d-\d\d", "2026\u200b-01-\u202e01", lines[50])
    path.write_text("\n".join(lines) + "\n", "utf-8")
    result = productpulse("validate", "--data", exports)
    assert "parses_as_date in 1 rows, first in row 50: '2026\\u200b-01-\\u202e01'" in result.stdout


def test_validate_creates_no_home(productpulse, exports, tmp_path):
    result = productpulse("validate", "--data", exports, "--home", tmp_path / "new")
    assert result.exit_code == 0, result.output
    assert not (tmp_path / "new").exists()


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


def test_validate_reports_an_empty_folder(productpulse, tmp_path):
    result = productpulse("validate", "--data", tmp_path)
    assert result.exit_code == 1
    assert result.stdout == f"{tmp_path} is empty.\n"
    assert [line.split(":")[0] for line in result.stderr.splitlines()] == ["customers", "subscriptions"]


@pytest.mark.parametrize(
    ("name", "sentence"),
    [
        ("Target.CSV", "Target.CSV is not read: no dataset has this name. Did you mean targets.csv? Then rename the file."),
        ("targets\n\x1b[31m.csv", r"targets\n\x1b[31m.csv is not read: there is no dataset targets\n\x1b[31m. The datasets are "),
        (os.fsdecode(b"targ\xe9ts.csv"), r"targ\xe9ts.csv is not read: no dataset has this name. Did you mean targets.csv? Then rename the file."),
        ("target.csv", "target.csv is not read: no dataset has this name. Did you mean targets.csv? Then rename the file."),
        ("goals.csv", "goals.csv is not read: no dataset has this name. Files of this name often hold targets. If this one does, set "),
        ("targets.ods", "targets.ods is not read: files that end in .ods are not supported. Did you mean targets.csv? Then export it in that format."),
        ("invoices.csv", "invoices.csv is not read: there is no dataset invoices. The datasets are customers, subscriptions, "),
        ("notes.md", "notes.md is not read: its ending is not one of .csv, .csv.gz, "),
    ],
)  # fmt: skip
def test_validate_lists_files_that_are_not_read(productpulse, exports, name, sentence):
    (exports / "targets.csv").rename(exports / name)
    result = productpulse("validate", "--data", exports)
    assert result.exit_code == 0, result.output
    (line,) = [line for line in result.stdout.splitlines() if " is not read" in line]
    assert line.startswith(sentence)


def test_file_names_in_capitals_are_accepted(productpulse, exports):
    (exports / "customers.csv").rename(exports / "CUSTOMERS.CSV")
    (exports / "targets.csv").rename(exports / "Targets.Csv")
    result = productpulse("validate", "--data", exports)
    assert result.exit_code == 0, result.output
    assert "customers: 200 rows in CUSTOMERS.CSV, 200 kept, 0 rejected." in result.stdout
    assert "rows in Targets.Csv, " in result.stdout and "is not read" not in result.stdout


def test_two_files_whose_names_differ_only_in_case_are_an_error(productpulse, exports):
    (exports / "Customers.csv").write_text((exports / "customers.csv").read_text())
    result = productpulse("validate", "--data", exports)
    assert result.exit_code == 1
    assert f"customers: Customers.csv and customers.csv are both in {exports}. Keep one of them." in result.stderr
    assert "is not read" not in result.stdout


@pytest.mark.parametrize(
    ("name", "shown"), [(b"crm-\xe9.csv", r"crm-\xe9.csv"), (b"crm-\n\x1b[31m.csv", r"crm-\n\x1b[31m.csv")]
)
def test_a_file_whose_name_is_not_plain_text_is_not_read(productpulse, exports, rules, name, shown):
    (exports / "customers.csv").rename(exports / os.fsdecode(name))
    with (rules / "sources.yaml").open("a", encoding="utf-8") as sources:
        sources.write("datasets: {customers: {file: crm-*.csv}}\n")
    result = productpulse("validate", "--data", exports, "--rules", rules)
    assert result.exit_code == 1
    (message,) = [line for line in result.stderr.splitlines() if line.startswith("customers: the name")]
    assert (
        message == f"customers: the name of the file {exports}/{shown} is not plain UTF-8 text on one line. Rename it."
    )


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


def test_the_demos_files_are_not_written_while_a_run_reads_them(productpulse, tmp_path):
    with other_run(Home(tmp_path)):
        result = productpulse("generate", "--customers", 5, "--home", tmp_path, WAIT=0)
    assert result.exit_code == 1
    assert result.stderr.startswith(f"Another run is at work in {tmp_path} (process ")
    assert not (tmp_path / "synthetic").exists()
    assert (
        productpulse("generate", "--customers", 5, "--out", tmp_path / "elsewhere", "--home", tmp_path).exit_code == 0
    )


def write_exports(folder, **datasets: str):
    """A folder of exports with these lines."""
    folder.mkdir()
    for name, lines in datasets.items():
        (folder / f"{name}.csv").write_text(lines)
    return folder


def test_validate_lists_the_accepted_values_and_every_unknown_value(productpulse, tmp_path):
    periods = "subscription_id,customer_id,status,start_date,end_date,monthly_price,billing_cycle"
    data = write_exports(
        tmp_path / "data",
        customers="customer_id,signup_date\nc1,2025-01-05\n",
        subscriptions=f"{periods}\ns1,c1,Lapsed,2025-01-05,2025-03-05,49,Monthly\ns2,c1,Active,2025-03-05,,49,Weekly\n"
        "s3,c1,Gone,2025-01-05,2025-03-05,49,Monthly\ns4,c1,Lapsed,2025-01-05,2025-03-05,49,Monthly\n",
    )
    result = productpulse("validate", "--data", data)
    assert result.exit_code == 1
    assert (
        "  status: allowed_values (must be one of Active, Past Due, Canceled, Expired, Trial) in 3 rows, first in row 1: "
        "'Lapsed'. Found: 'Lapsed' (2), 'Gone' (1). Fix the export, or give the meaning of 'Lapsed' and 'Gone' under "
        "aliases > subscriptions.status in rules/sources.yaml.\n"
    ) in result.stdout
    assert (
        "Warning: subscriptions: 1 values of billing_cycle cannot be used (allowed_values; first in row 2: 'Weekly'); they "
        "are left empty, and their rows are kept. Fix the export, or give the meaning of 'Weekly' under aliases > "
        "subscriptions.billing_cycle in rules/sources.yaml.\n"
    ) in result.stdout
    assert (
        "Fix the export, or give the meaning of 'Lapsed' and 'Gone' under aliases > subscriptions.status in "
        "rules/sources.yaml; raising max_reject_share for subscriptions in rules/sources.yaml would leave these rows out of every figure; "
        "`productpulse validate` lists them all."
    ) in result.stderr


def test_messages_name_the_rules_folder_in_use(productpulse, tmp_path):
    assert productpulse("init", tmp_path / "our-rules").exit_code == 0
    data = write_exports(tmp_path / "data", customers="customer_id,signup_date\nc1,someday\n")
    result = productpulse("validate", "--data", data, "--rules", tmp_path / "our-rules")
    assert result.exit_code == 1
    assert "name its file in our-rules/sources.yaml." in result.stderr
    assert not re.search(r"(?<!our-)rules/sources\.yaml", result.output)


def test_aliases_work_for_the_values_of_a_yes_no_column(productpulse, tmp_path):
    productpulse("init", tmp_path / "rules")
    path = tmp_path / "rules" / "sources.yaml"
    text = path.read_text()
    assert "\naliases:\n" in text
    data = write_exports(
        tmp_path / "data",
        customers="customer_id,signup_date,is_active\nc1,2025-01-05,ja\nc2,2025-01-05,nein\nc3,2025-01-05,Vielleicht\n",
        subscriptions="subscription_id,customer_id,status,start_date,monthly_price\ns1,c1,Active,2025-01-05,49\n",
    )
    result = productpulse("validate", "--data", data, "--rules", tmp_path / "rules")
    assert result.exit_code == 0  # a warning stops nothing
    assert (
        "Warning: customers: 3 values of is_active cannot be used (parses_as_boolean; first in row 1: 'ja')"
        in result.stdout
    )
    assert (
        "give the meaning of 'Vielleicht', 'ja' and 'nein' under aliases > customers.is_active in rules/sources.yaml"
        in result.stdout
    )
    assert result.stdout.splitlines()[-1] == "Every dataset passes the gate."
    path.write_text(
        text.replace("\naliases:\n", "\naliases:\n  customers.is_active: {JA: yes, nein: 'no', vielleicht: false}\n")
    )
    result = productpulse("validate", "--data", data, "--rules", tmp_path / "rules")
    assert result.exit_code == 0, result.output
    assert "customers: 3 rows in customers.csv, 3 kept, 0 rejected." in result.stdout
    assert "Warning" not in result.stdout


def test_validate_passes_where_rows_are_left_out_without_a_fault(productpulse, exports, tmp_path):
    path = exports / "customers.csv"
    lines = path.read_text().splitlines()
    path.write_text("\n".join([*lines, lines[1]]) + "\n")
    result = productpulse("validate", "--data", exports)
    assert result.exit_code == 0, result.output
    assert "Warning: customers: 1 rows are exact duplicates of an earlier row" in result.stdout
    assert result.stdout.splitlines()[-1] == "Every dataset passes the gate."
