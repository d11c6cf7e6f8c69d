"""Dagster keeps what it shows for good: no customer's name and nothing that people wrote is in its folder."""

from __future__ import annotations

import csv
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from asset_checks.contracts import DATASETS
from productpulse_assets.cli.init import copy_rules

pytestmark = pytest.mark.slow

NAME, COMMENT = "Quuxfirma", "Blubbcomment"
PLANTED = {
    "customers": {"company_name": NAME, "contact": NAME},
    "nps_scores": {"feedback_category": COMMENT, "comment": COMMENT},
    "support_tickets": {"category": COMMENT, "comment": COMMENT},
}
"""By dataset: columns of the contract, and columns that only the source has."""


def rewrite(file: Path, change: Callable[[int, dict[str, str]], dict[str, str]]) -> None:
    """Each row as `change` gives it, by its number and values."""
    with file.open(encoding="utf-8", newline="") as stream:
        rows = [change(number, row) for number, row in enumerate(csv.DictReader(stream), start=1)]
    with file.open("w", encoding="utf-8", newline="") as stream:
        writer = csv.DictWriter(stream, list(rows[0]))
        writer.writeheader()
        writer.writerows(rows)


@pytest.fixture(scope="module")
def planted(company_exports, tmp_path_factory) -> Path:
    """The company's exports with a name or a comment that can be found in every such cell."""
    folder = Path(shutil.copytree(company_exports, tmp_path_factory.mktemp("planted") / "exports"))
    for name, columns in PLANTED.items():
        rewrite(
            folder / f"{name}.csv",
            lambda number, row, words=columns: row | {c: f"{word} {number} Ltd" for c, word in words.items()},
        )
    return folder


@pytest.fixture
def data(planted, tmp_path) -> Path:
    """A copy, to spoil."""
    return Path(shutil.copytree(planted, tmp_path / "exports"))


@pytest.fixture
def rules(tmp_path) -> Path:
    """Rules to change."""
    copy_rules(tmp_path / "rules", None)
    return tmp_path / "rules"


def files_with(folder: Path, *words: str) -> list[str]:
    """The files of a folder in which one of the words is, as UTF-8 or UTF-16."""
    wanted = [word.lower().encode(encoding) for word in words for encoding in ("utf-8", "utf-16-le")]
    return [
        str(path.relative_to(folder))
        for path in sorted(folder.rglob("*"))
        if path.is_file() and any(word in path.read_bytes().lower() for word in wanted)
    ]


def assert_kept_out(home: Path) -> None:
    """Dagster's folder has the run, and nothing personal."""
    assert files_with(home / "dagster_home", "rejects_within_tolerance", "sources_usable"), "a history to look at"
    assert files_with(home / "dagster_home", NAME, COMMENT) == []


def test_a_run_shows_dagster_no_name_and_no_comment(productpulse, planted, tmp_path):
    home = tmp_path / "home"
    for day in ("2026-05-31", "2026-06-30"):  # the second compares with the plan of the first
        result = productpulse("run", "--data", planted, "--home", home, "--as-of", day)
        assert result.exit_code == 0, result.output
    assert_kept_out(home)
    assert files_with(home / "dagster_home", "(personal)")
    assert {"customers.csv", "decision_changes.csv", "decision_traces.csv", "intervention_plan.csv"} <= set(
        files_with(home / "exports", NAME)
    )
    assert "intervention_plan.md" in files_with(home / "reports", NAME)
    part = productpulse("run", "--data", planted, "--home", home, "--select", "intervention_plan+")
    assert part.exit_code == 0, part.output
    assert_kept_out(home)


def test_rules_that_write_names_into_other_texts_change_nothing(productpulse, planted, rules, tmp_path):
    advice = rules / "recommendation_rules.yaml"
    text = advice.read_text("utf-8")
    assert "Start from: {main_driver}." in text
    advice.write_text(text.replace("from: {main_driver}.", "from: {main_driver}, {company_name}."), "utf-8")
    home = tmp_path / "home"
    result = productpulse("run", "--data", planted, "--home", home, "--rules", rules)
    assert result.exit_code == 0, result.output
    assert_kept_out(home)
    assert f", {NAME}" in (home / "reports" / "intervention_plan.md").read_text("utf-8")


def spoil(data: Path, *, every: int) -> None:
    """Break some rows: a name and a comment whose quotes do not close, and a score that is none."""

    def without_score(number: int, row: dict[str, str]) -> dict[str, str]:
        return row | {"score": "99"} if number % every == 0 else row

    rewrite(data / "nps_scores.csv", without_score)
    customers = (data / "customers.csv").read_text("utf-8").splitlines()
    torn = [line.replace(NAME, f'"{NAME}', 1) if n % every == 1 else line for n, line in enumerate(customers)]
    (data / "customers.csv").write_text("\n".join(torn) + "\n", "utf-8")


def test_rejected_rows_are_shown_by_their_place(productpulse, data, rules, tmp_path):
    spoil(data, every=60)
    sources = (rules / "sources.yaml").read_text("utf-8")
    tolerant = "\ndatasets:\n" + "".join(f"  {name}: {{max_reject_share: 0.5}}\n" for name in DATASETS)
    (rules / "sources.yaml").write_text(sources + tolerant, "utf-8")
    home = tmp_path / "home"
    result = productpulse("run", "--data", data, "--home", home, "--rules", rules)
    assert result.exit_code == 0, result.output
    assert "Line malformed_line: 4 (first in row 1: 'a quote that is not closed')" in result.stdout
    assert "score between_0_and_10" in result.stdout
    assert_kept_out(home)
    assert "customers_rejects.csv" in files_with(home / "exports", NAME)
    assert "nps_scores_rejects.csv" in files_with(home / "exports", COMMENT)


def test_a_dataset_that_fails_the_gate_says_no_name(productpulse, data, tmp_path):
    spoil(data, every=3)
    result = productpulse("run", "--data", data, "--home", tmp_path / "home")
    assert result.exit_code == 1
    assert "'a quote that is not closed'" in result.stderr
    assert NAME not in result.output and COMMENT not in result.output
    assert_kept_out(tmp_path / "home")


@pytest.mark.parametrize("contact", [NAME, "Somebody else"])
def test_a_file_without_a_header_is_recognised_and_its_first_row_not_shown(productpulse, data, tmp_path, contact):
    rewrite(data / "customers.csv", lambda _number, row: row | {"contact": contact, "company_name": NAME})
    customers = (data / "customers.csv").read_text("utf-8").splitlines(keepends=True)
    (data / "customers.csv").write_text("".join(customers[1:]), "utf-8")
    result = productpulse("run", "--data", data, "--home", tmp_path / "home")
    assert result.exit_code == 1
    assert "where column names are expected. Add a line with the names" in result.stderr
    assert NAME not in result.output
    assert_kept_out(tmp_path / "home")


def test_a_query_that_fails_at_a_name_says_the_column_alone(productpulse, data, rules, tmp_path):
    query = "SELECT *, company_name::DATE AS day FROM 'customers.csv'"
    (rules / "sources.yaml").write_text(f'datasets:\n  customers:\n    query: "{query}"\n', "utf-8")
    result = productpulse("run", "--data", data, "--home", tmp_path / "home", "--rules", rules)
    assert result.exit_code == 1
    assert "invalid date field format: (a value)" in result.stderr
    assert NAME not in result.output
    assert_kept_out(tmp_path / "home")


def test_json_that_breaks_off_says_no_name(productpulse, data, tmp_path):
    (data / "customers.csv").unlink()
    (data / "customers.json").write_text(f'[{{"customer_id": "C1", "company_name": "{NAME}" oops}}]', "utf-8")
    result = productpulse("run", "--data", data, "--home", tmp_path / "home")
    assert result.exit_code == 1
    assert NAME not in result.output
    assert_kept_out(tmp_path / "home")
