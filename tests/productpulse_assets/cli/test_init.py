"""`productpulse init --data`: what it refuses, asks, writes and prints."""

from __future__ import annotations

from pathlib import Path

import click
import pytest
from click.testing import CliRunner

from productpulse_assets.cli.init import PRESETS, propose_rules
from productpulse_assets.cli.proposal_questions import ask_about, summary_lines
from productpulse_assets.sources.proposal.proposal import propose
from productpulse_assets.sources.proposal.sources_yaml import sources_yaml
from productpulse_assets.sources.proposal.vocabulary import vocabulary
from rules.loading.files import load
from rules.models import Sources
from tests.errors import raises
from tests.productpulse_assets.cli.output import tree
from tests.productpulse_assets.sources.proposal.companies import SHAPES

CUSTOMERS = "customer_id,signup_date\n" + "".join(f"c{n},2024-01-{n + 1:02}\n" for n in range(9))
SUBSCRIPTIONS = "subscription_id,customer_id,status,created_at,activated_at,price\n" + "".join(
    f"s{n},c{n},{'Paused' if n == 4 else 'Active'},2024-02-{n + 1:02},2024-03-{n + 1:02},49.00\n" for n in range(9)
)
QUESTIONS = [
    ("aliases > subscriptions.status > Paused", "0"),
    ("datasets > subscriptions > columns > start_date", "2"),
    ("datasets > subscriptions > columns > monthly_price", "0"),
    ("reporting_currency", ""),
]
"""The places that are asked about for these exports, and an answer to each; an empty one takes the proposal."""


@pytest.fixture
def folder(tmp_path) -> Path:
    data = tmp_path / "exports"
    data.mkdir()
    (data / "customers.csv").write_text(CUSTOMERS)
    (data / "subscriptions.csv").write_text(SUBSCRIPTIONS)
    return data


def answered(folder: Path, *answers: str) -> tuple[Sources, str, list[str]]:
    """sources.yaml after these answers, what was printed, and the lines at the end."""
    proposals = []

    @click.command()
    def command() -> None:
        proposals.append(ask_about(propose(folder), folder))

    result = CliRunner().invoke(command, input="".join(f"{answer}\n" for answer in answers))
    assert result.exit_code == 0, result.output
    path = folder.parent / "sources.yaml"
    path.write_text(sources_yaml(proposals[0]))
    lines = list(summary_lines(proposals[0], Path("my-rules"), Path("my exports"), is_valid=False))
    return load(path, Sources), result.output, lines


def test_every_question_is_asked_once_and_enter_takes_the_proposal(folder):
    answers = [answer for _place, answer in QUESTIONS]
    sources, output, lines = answered(folder, *answers)
    asked = [
        line.split(": ")[0]
        for line in output.splitlines()
        if ": " in line and " > " in line.split(": ")[0] and line[0] != " "
    ]
    assert sorted(asked) == sorted(place for place, _answer in QUESTIONS if " > " in place)
    assert sources.of("subscriptions").columns["start_date"] == "activated_at"
    assert "monthly_price" not in sources.of("subscriptions").columns
    assert sources.reporting_currency == "USD"
    assert lines[-2:] == [
        "6 columns mapped, 2 to decide.",
        "Next: decide in my-rules/sources.yaml, then: productpulse validate --data 'my exports' --rules my-rules",
    ]


def test_an_answer_makes_the_settings_that_its_choice_shows(folder):
    sources, output, lines = answered(folder, "3", "1", "1", "")
    assert "  3. Canceled" in output
    assert sources.aliases["subscriptions.status"]["Paused"] == "Canceled"
    assert sources.of("subscriptions").columns["start_date"] == "created_at"
    assert sources.of("subscriptions").columns["monthly_price"] == "price"
    assert lines[-2] == "7 columns mapped, 0 to decide."


def test_what_stays_open_is_marked_at_its_place(folder):
    text = sources_yaml(propose(folder))
    lines = text.splitlines()
    (open_line,) = [number for number, line in enumerate(lines) if "is start_date?" in line]
    assert lines[open_line].strip().startswith("# to decide: Which column of subscriptions.csv is start_date? ")
    assert [line.split(" (")[0].strip() for line in lines[open_line + 1 : open_line + 3]] == [
        "#   - columns > start_date: created_at",
        "#   - columns > start_date: activated_at",
    ]


def test_a_preset_and_exports_are_refused_together(productpulse, folder, tmp_path):
    result = productpulse("init", tmp_path / "rules", "--preset", "stripe", "--data", folder)
    assert result.exit_code == 2
    assert not (tmp_path / "rules").exists()
    with raises("init.preset_and_data"):
        propose_rules(tmp_path / "rules", "stripe", folder)


def test_exports_of_a_system_with_a_preset_are_recognized(tmp_path):
    exports = tmp_path / "exports"
    exports.mkdir()
    SHAPES["Stripe-like"].write(exports)
    with raises("init.use_preset") as caught:
        propose_rules(tmp_path / "rules", None, exports)
    assert caught.value.details == {"preset": "stripe"}


def test_every_preset_is_recognized_by_headers():
    assert set(vocabulary().presets) == set(PRESETS)


def test_no_file_is_overwritten_by_a_proposal(productpulse, folder, tmp_path):
    (tmp_path / "sources.yaml").write_text("time_zone: Europe/Berlin\n")
    result = productpulse("init", tmp_path, "--data", folder)
    assert result.exit_code == 2
    assert "already has sources.yaml" in result.stderr
    assert (tmp_path / "sources.yaml").read_text() == "time_zone: Europe/Berlin\n"
    assert not (tmp_path / "churn_rules.yaml").exists()


def test_a_folder_that_does_not_exist_is_refused(productpulse, tmp_path):
    result = productpulse("init", tmp_path / "rules", "--data", tmp_path / "none")
    assert result.exit_code == 2
    assert "is not a folder" in result.stderr


@pytest.mark.slow
def test_exports_are_valid_with_the_rules_that_init_writes(productpulse, tmp_path):
    data = tmp_path / "exports"
    data.mkdir()
    SHAPES["MySQL dump with NULL words"].write(data)
    before = tree(data)
    result = productpulse("init", tmp_path / "rules", "--data", data, "--no-input")
    assert result.exit_code == 0, result.output
    assert "subscriptions: 30 rows in contracts.tsv, 30 kept, 0 rejected." in result.stdout
    assert result.stdout.splitlines()[-2:] == [
        "24 columns mapped, 1 to decide.",
        f"Next: productpulse run --data {data} --rules {tmp_path / 'rules'}",
    ]
    assert tree(data) == before


@pytest.mark.slow
def test_exports_with_an_open_question_are_not_valid(productpulse, folder, tmp_path):
    result = productpulse("init", tmp_path / "rules", "--data", folder, "--no-input")
    assert result.exit_code == 1
    assert "has no column 'start_date' and 'monthly_price'" in result.stderr
    assert "To decide: datasets > subscriptions > columns > monthly_price: " in result.stdout
    assert result.stdout.splitlines()[-1].startswith("Next: decide in ")
