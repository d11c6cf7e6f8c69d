"""What the README and the pages of docs/ state is true."""

import re
import shutil

import pytest
import yaml
from click.testing import CliRunner

from asset_checks.contracts import CONTRACTS, DATASETS, is_computed
from dashboard.links import SECTIONS
from productpulse_assets.cli import main
from productpulse_assets.orchestration.compile_graph import compile_graph
from productpulse_assets.orchestration.graph import all_declarations
from resources.settings import PREFIX, Settings
from rules.rule_set import read_rules
from tests.documents import CHECKOUT, PATHS, block_with, blocks, text_of
from tests.test_import_order import PACKAGES

pytestmark = pytest.mark.slow

README = text_of("README.md")
DATA = text_of("docs/data.md")
METRICS_AND_RULES = text_of("docs/metrics-and-rules.md")
LINKING_PAGES = [*PATHS, *(CHECKOUT / name for name in ("CONTRIBUTING.md", "SECURITY.md", "examples/demo/README.md"))]
INTERNAL_VARIABLES = {
    "PRODUCTPULSE_SNAPSHOT": "the command `dashboard` passes the snapshot's path to the pages with it"
}


def contract_line(name: str) -> str:
    schema = CONTRACTS[name]
    required = ", ".join(f"`{column}`" for column, about in schema.columns.items() if about.required)
    given = {column: about for column, about in schema.columns.items() if not is_computed(schema, column)}
    optional = ", ".join(f"`{column}`" for column, about in given.items() if not about.required)
    mark = " (required)" if schema.metadata["is_required"] else ""
    return f"| {name}{mark} | {', '.join(schema.metadata['key'])} | {required} | {optional} |"


def test_the_table_of_datasets_lists_the_contracts():
    lines = [line for line in DATA.splitlines() if line.startswith(tuple(f"| {name} " for name in CONTRACTS))]
    assert lines == [contract_line(name) for name in CONTRACTS]


def test_every_command_is_described():
    described = set(re.findall(r"^\| `productpulse ([\w-]+)", README, re.MULTILINE))
    assert described == set(main.commands)


def test_every_option_that_is_described_exists():
    for name, options in re.findall(r"^\| `productpulse ([\w-]+)([^`]*)`", README, re.MULTILINE):
        known = CliRunner().invoke(main, [name, "--help"]).output
        for option in re.findall(r"--[a-z-]+", options):
            assert option in known, f"{name} {option}"


def test_every_environment_variable_is_described():
    described = set(re.findall(r"^\| `(PRODUCTPULSE_\w+)`", text_of("docs/operations.md"), re.MULTILINE))
    used = {f"{PREFIX}{name.upper()}" for name in Settings.model_fields}
    assert described == used - set(INTERNAL_VARIABLES)


def test_every_page_is_described():
    described = re.findall(r"^\| ([A-Z][\w ]+) \| .* \|$", text_of("docs/dashboard.md"), re.MULTILINE)
    assert sorted(described) == sorted(view.title for views in SECTIONS.values() for view in views)


def test_every_table_that_is_described_exists():
    section = METRICS_AND_RULES.partition("## From a number to an action")[2].partition("\n## ")[0]
    described = re.findall(r"^\| `(\w+)` \|", section, re.MULTILINE)
    assert len(described) == 30
    assert set(described) <= {declaration.name for declaration in all_declarations()}


def test_the_example_of_a_metric_can_be_added_to_the_catalog(tmp_path):
    for file in (CHECKOUT / "rules").glob("*.yaml"):
        shutil.copy(file, tmp_path)
    shown = block_with(METRICS_AND_RULES, "yaml", "formula:")
    catalog = tmp_path / "metric_catalog.yaml"
    catalog.write_text(catalog.read_text(encoding="utf-8") + "\n" + shown, encoding="utf-8")
    (name,) = yaml.safe_load(shown)
    rules = read_rules(tmp_path)
    assert rules.metric_catalog.metrics[name].label == "Collected per paying customer"
    plan = compile_graph(rules)
    sources = {table for table, _column in plan.metric_sources[name] if table in DATASETS}
    assert sources == {"transactions", "subscriptions"}
    assert f"'{name}'" in plan.tables["kpi_history"].sql


def test_the_example_of_a_rule_is_one_of_the_shipped_rules():
    (rule,) = yaml.safe_load(block_with(METRICS_AND_RULES, "yaml", "signal_name:"))
    shipped = yaml.safe_load((CHECKOUT / "rules" / "churn_rules.yaml").read_text(encoding="utf-8"))["rules"]
    assert rule in shipped


def test_the_example_of_explain_is_what_the_demo_prints(productpulse, demo_home):
    shown = block_with(METRICS_AND_RULES, "", "$ productpulse explain")
    command, printed = shown.split("\n", 1)
    assert productpulse("explain", command.split()[-1], "--home", demo_home).stdout == printed


def anchors(text: str) -> set[str]:
    """The anchors that GitHub makes of a page's headings."""
    headings = re.findall(r"^#+ (.+)$", re.sub(r"```.*?```", "", text, flags=re.DOTALL), re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", heading.lower()).strip().replace(" ", "-") for heading in headings}


@pytest.mark.parametrize("path", LINKING_PAGES, ids=lambda path: str(path.relative_to(CHECKOUT)))
def test_every_link_has_a_target(path):
    text = path.read_text(encoding="utf-8")
    for link in re.findall(r"\]\(([^)\s]+)\)", text):
        if link.startswith(("http://", "https://")):
            continue
        file, _, anchor = link.partition("#")
        target = (path.parent / file).resolve() if file else path
        assert target.exists(), link
        assert not anchor or anchor in anchors(target.read_text(encoding="utf-8")), link


@pytest.mark.parametrize("path", LINKING_PAGES, ids=lambda path: str(path.relative_to(CHECKOUT)))
def test_every_file_that_is_named_exists(path):
    text = path.read_text(encoding="utf-8")
    named = re.findall(rf"`((?:tests|docs|examples|{'|'.join(PACKAGES)})/[\w./*-]*)`", text)
    assert [name for name in named if not list(CHECKOUT.glob(name.rstrip("/")))] == []


def test_every_page_is_linked_from_the_readme_or_an_index():
    index = "\n".join(text_of(name) for name in ("README.md", "docs/architecture.md", "docs/decisions/README.md"))
    assert [path.name for path in PATHS[1:] if path.name not in index] == []


def test_a_missing_anchor_is_found():
    assert anchors("# Data\n\n## sources.yaml\n\n```sh\n# no heading\n```\n## A rule of your own\n") == {
        "data", "sourcesyaml", "a-rule-of-your-own",
    }  # fmt: skip
    assert blocks("1. a\n   ```sh\n   run\n   ```\n", "sh") == ["run\n"]
