"""What the README says is what the program does."""

import re
import shutil
from pathlib import Path

import pytest
import yaml
from click.testing import CliRunner

from asset_checks.contracts import CONTRACTS
from productpulse_assets.cli import main
from productpulse_assets.orchestration.compile_graph import compile_graph
from rules.rule_set import read_rules

CHECKOUT = Path(__file__).parent.parent
README = (CHECKOUT / "README.md").read_text(encoding="utf-8")


def contract_line(name: str) -> str:
    schema = CONTRACTS[name]
    required = ", ".join(f"`{column}`" for column, about in schema.columns.items() if about.required)
    optional = ", ".join(f"`{column}`" for column, about in schema.columns.items() if not about.required)
    mark = " (required)" if schema.metadata["is_required"] else ""
    return f"| {name}{mark} | {', '.join(schema.metadata['key'])} | {required} | {optional} |"


def test_the_table_of_datasets_is_that_of_the_contracts():
    lines = [line for line in README.splitlines() if line.startswith(tuple(f"| {name} " for name in CONTRACTS))]
    assert lines == [contract_line(name) for name in CONTRACTS]


def test_every_command_is_described():
    described = set(re.findall(r"^\| `productpulse ([\w-]+)", README, re.MULTILINE))
    assert described == set(main.commands)


def test_every_option_that_is_described_exists():
    for name, options in re.findall(r"^\| `productpulse ([\w-]+)([^`]*)`", README, re.MULTILINE):
        known = CliRunner().invoke(main, [name, "--help"]).output
        for option in re.findall(r"--[a-z-]+", options):
            assert option in known, f"{name} {option}"


def test_the_metric_shown_can_be_added_as_it_stands(tmp_path):
    for file in (CHECKOUT / "rules").glob("*.yaml"):
        shutil.copy(file, tmp_path)
    shown = next(block for block in re.findall(r"```yaml\n(.*?)```", README, re.DOTALL) if "formula:" in block)
    catalog = tmp_path / "metric_catalog.yaml"
    catalog.write_text(catalog.read_text(encoding="utf-8") + "\n" + shown, encoding="utf-8")
    (name,) = yaml.safe_load(shown)
    rules = read_rules(tmp_path)
    assert rules.metric_catalog.metrics[name].label == "Collected per paying customer"
    plan = compile_graph(rules)
    assert {table for table, _column in plan.metric_sources[name]} == {"transactions", "subscriptions"}
    assert f"'{name}'" in plan.tables["kpi_history"].sql


def test_the_rule_shown_is_one_that_comes_along():
    shown = next(block for block in re.findall(r"```yaml\n(.*?)```", README, re.DOTALL) if "signal_name:" in block)
    (rule,) = yaml.safe_load(shown)
    known = yaml.safe_load((CHECKOUT / "rules" / "churn_rules.yaml").read_text(encoding="utf-8"))["rules"]
    assert rule in known


@pytest.mark.slow
def test_the_explanation_shown_is_what_the_demo_says(productpulse, demo_home):
    asked, said = re.search(r"```\n\$ productpulse explain (\S+)\n(.*?)```", README, re.DOTALL).groups()
    assert productpulse("explain", asked, "--home", demo_home).stdout == said
