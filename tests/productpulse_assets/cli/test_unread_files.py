"""The advice on files that no dataset is read from."""

from __future__ import annotations

from pathlib import Path

import pytest

from productpulse_assets.cli.unread_files import unread_lines
from resources.settings import Settings
from rules.models import DatasetSource, Sources
from rules.rule_set import Rules, read_rules

MAPPED = {
    "customers": DatasetSource(file="accounts.csv"),
    "subscriptions": DatasetSource(file="contracts.csv"),
    "product_usage": DatasetSource(query="SELECT * FROM read_csv('events.csv', all_varchar = true)"),
}


def advice(folder: Path, datasets: dict[str, DatasetSource], *files: str) -> dict[str, str]:
    """For each of the files that is not read, its sentence."""
    for name in files:
        (folder / name).write_text("id\n1\n")
    shipped = read_rules()
    rules = Rules(**(vars(shipped) | {"sources": Sources(datasets=datasets)}))
    lines = unread_lines(Settings(data_dir=folder, home=folder / "home"), rules)
    return {line.split(" is not read")[0]: line for line in lines}


def test_no_file_is_advised_to_become_a_dataset_that_has_a_file_or_a_query(tmp_path):
    read = ("accounts.csv", "contracts.csv", "events.csv")
    others = ("products.csv", "subscription_discounts.csv", "usage.csv", "users.csv", "customer.csv", "plans.csv")
    sentences = advice(tmp_path, MAPPED, *read, *others)
    assert sentences.keys() == set(others)
    for name, sentence in sentences.items():
        assert "Did you mean" not in sentence and "often hold" not in sentence, name


@pytest.mark.parametrize(
    ("name", "dataset"),
    [
        ("payments", "transactions"), ("charges", "transactions"), ("invoices", "transactions"),
        ("accounts", "customers"), ("users", "customers"), ("organizations", "customers"), ("companies", "customers"),
        ("contracts", "subscriptions"), ("plans", "subscriptions"),
        ("tickets", "support_tickets"), ("cases", "support_tickets"), ("conversations", "support_tickets"),
        ("events", "product_usage"), ("usage", "product_usage"), ("telemetry", "product_usage"),
        ("nps", "nps_scores"), ("feedback", "nps_scores"), ("surveys", "nps_scores"),
        ("spend", "acquisition_channels"), ("budget", "targets"),
    ],
)  # fmt: skip
def test_a_name_of_another_system_is_advised_to_be_the_dataset_that_it_often_holds(tmp_path, name, dataset):
    sentences = advice(tmp_path, {}, f"{name}.csv")
    assert f"often hold {dataset}. " in sentences[f"{name}.csv"]
    assert f"datasets > {dataset} > file" in sentences[f"{name}.csv"]


@pytest.mark.parametrize("name", ["products", "balance_transaction_data", "subscription_discounts", "notes"])
def test_a_name_that_only_contains_a_known_one_is_not_advised(tmp_path, name):
    sentences = advice(tmp_path, {}, f"{name}.csv")
    assert f"there is no dataset {name}. " in sentences[f"{name}.csv"]
