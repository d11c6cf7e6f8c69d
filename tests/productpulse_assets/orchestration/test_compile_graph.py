"""The graph is compiled once for a program and its rules, kept in the home, and taken from there."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import dagster as dg
import ibis.expr.operations as ops
import pytest

from productpulse_assets import definitions
from productpulse_assets.orchestration import compile_graph as compiling
from productpulse_assets.orchestration.compile_graph import compile_graph, fingerprint, plan_for, stable_aliases
from productpulse_assets.orchestration.graph import all_declarations
from productpulse_assets.tables import Declaration
from resources.compiled_plan import INDEX, load_plan, write_plan
from resources.home import Home
from resources.settings import RunSettings
from rules.loading.files import RulesError
from rules.rule_set import Rules, read_rules
from tests.graph import RULES, plan, queries

CHECKOUT = Path(__file__).resolve().parents[3]


@pytest.fixture
def home(tmp_path) -> Home:
    """A home in which the plan of the program's own rules is kept."""
    kept = Home(tmp_path / "home")
    write_plan(plan(), kept.compiled)
    return kept


@pytest.fixture
def folder(tmp_path) -> Path:
    """A copy of the rules, for a test to change."""
    copy = tmp_path / "rules"
    copy.mkdir()
    for path in RULES.folder.glob("*.yaml"):
        shutil.copy(path, copy)
    return copy


@pytest.fixture
def compilations(monkeypatch) -> list[Rules]:
    """The rules of every compilation; each gives the program's own plan under its own fingerprint."""
    found: list[Rules] = []

    def compiled(rules: Rules):
        found.append(rules)
        return type(plan())(fingerprint(rules), plan().tables, plan().metric_sources)

    monkeypatch.setattr(compiling, "compile_graph", compiled)
    return found


def refused(*_arguments, **_settings):
    raise AssertionError("A query is built.")


# --- kept and loaded ------------------------------------------------------------------------------


def test_a_plan_is_compiled_once_and_then_loaded(tmp_path, compilations):
    home = Home(tmp_path / "home")
    first = plan_for(RULES, home)
    assert first == plan()
    assert load_plan(home.compiled, fingerprint(RULES)) == first
    assert plan_for(RULES, home) == first
    assert len(compilations) == 1


def test_a_kept_plan_fits_the_same_rules_in_another_folder(home, folder, compilations):
    assert plan_for(read_rules(folder), home) == plan()
    assert compilations == []


def test_with_a_kept_plan_the_definitions_build_no_query(home, monkeypatch):
    monkeypatch.setattr(compiling, "compile_graph", refused)
    monkeypatch.setattr(compiling, "select_statement", refused)
    monkeypatch.setattr(Declaration, "call", refused)
    defs = definitions.build(RunSettings(home_dir=str(home.root)))
    names = {key.path[-1] for key in defs.resolve_asset_graph().get_all_asset_keys()}
    assert set(plan().tables) <= names


def test_without_a_kept_plan_the_definitions_build_every_query(tmp_path, monkeypatch):
    """The test above would pass if nothing were ever compiled."""
    monkeypatch.setattr(Declaration, "call", refused)
    with pytest.raises(AssertionError, match="A query is built"):
        definitions.build(RunSettings(home_dir=str(tmp_path)))


def test_a_changed_rule_is_compiled_and_replaces_the_plan(home, folder):
    path = folder / "leakage_rules.yaml"
    text = path.read_text()
    assert "window_days: 90\n" in text
    path.write_text(text.replace("window_days: 90\n", "window_days: 91\n"))
    rules = read_rules(folder)
    new = plan_for(rules, home)
    assert new.fingerprint == fingerprint(rules) != plan().fingerprint
    assert new.tables["revenue_leakage"].sql != plan().tables["revenue_leakage"].sql
    assert new.tables["customer_months"] == plan().tables["customer_months"]
    assert load_plan(home.compiled, new.fingerprint) == new
    assert load_plan(home.compiled, plan().fingerprint) is None


@pytest.mark.parametrize("part", ["program_digest", "metadata.version"])
def test_another_program_or_library_is_another_fingerprint(home, monkeypatch, compilations, part):
    monkeypatch.setattr(f"productpulse_assets.orchestration.compile_graph.{part}", lambda *_names: "another")
    assert plan_for(RULES, home).fingerprint != plan().fingerprint
    assert compilations == [RULES]


DAMAGES = {
    "a line more in a table's file": lambda folder: (folder / "kpi_history.sql").open("a").write("-- mine\n"),
    "a table's file cut short": lambda folder: (folder / "customer_months.sql").write_bytes(b"SELECT"),
    "a table's file gone": lambda folder: (folder / "customer_360.sql").unlink(),
    "an index cut short": lambda folder: (folder / INDEX).write_bytes((folder / INDEX).read_bytes()[:5000]),
    "an index without content": lambda folder: (folder / INDEX).write_bytes(b""),
    "an index gone": lambda folder: (folder / INDEX).unlink(),
    "everything gone": shutil.rmtree,
}


@pytest.mark.parametrize("damage", DAMAGES)
def test_a_damaged_plan_is_compiled_again(home, compilations, damage):
    DAMAGES[damage](home.compiled)
    assert plan_for(RULES, home) == plan()
    assert compilations == [RULES]
    assert load_plan(home.compiled, fingerprint(RULES)) == plan()


def test_a_home_that_cannot_be_written_is_compiled_for_all_the_same(tmp_path, compilations):
    (tmp_path / "file").write_text("no folder")
    assert plan_for(RULES, Home(tmp_path / "file")) == plan()
    assert plan_for(RULES, Home(tmp_path / "file")) == plan()
    assert compilations == [RULES, RULES]
    assert (tmp_path / "file").read_text() == "no folder"


# --- what is compiled -----------------------------------------------------------------------------


def test_the_plan_has_every_query_with_its_columns_in_order():
    assert list(plan().tables) == [each.name for each in all_declarations() if each.is_query]
    for name, table in plan().tables.items():
        assert list(table.columns) == list(table.lineage) == list(queries()[name].columns), name


def test_a_query_reads_stored_tables_alone():
    """A table in memory would have to be registered before the kept SQL can run."""
    assert {name for name, query in queries().items() if query.op().find(ops.InMemoryTable)} == set()


def test_rows_are_stored_in_the_order_of_the_key():
    assert plan().tables["customer_signals"].sql.endswith('ORDER BY\n  "customer_id",\n  "as_of_date"')


def test_every_metric_has_sources():
    assert list(plan().metric_sources) == list(RULES.metric_catalog.metrics)
    assert plan().metric_sources["failed_payments"] == (("transactions", "status"),)


def test_names_drawn_by_chance_are_numbered():
    chance = "ibis_table_unnest_column_abcdefghijklmnopqrstuvwxyz"
    other = "ibis_table_unnest_22345678901234567890abcdef"
    sql = f"SELECT {chance}.x FROM UNNEST(a) AS {chance}, UNNEST(b) AS {other}"
    assert stable_aliases(sql) == "SELECT unnested_0.x FROM UNNEST(a) AS unnested_0, UNNEST(b) AS unnested_1"
    assert stable_aliases("SELECT ibis_table_unnest_column FROM t") == "SELECT ibis_table_unnest_column FROM t"


def test_two_processes_compile_the_same_bytes(tmp_path):
    command = [sys.executable, "-m", "productpulse_assets.cli", "compile", "--out"]
    clean = {name: value for name, value in os.environ.items() if not name.startswith("PRODUCTPULSE_")}
    working = [
        subprocess.Popen([*command, tmp_path / seed], cwd=CHECKOUT, env=clean | {"PYTHONHASHSEED": seed})
        for seed in ("1", "2")
    ]
    assert [each.wait() for each in working] == [0, 0]
    one, two = ({path.name: path.read_bytes() for path in (tmp_path / seed).iterdir()} for seed in ("1", "2"))
    assert len(one) == len(plan().tables) + 1
    assert one == two
    assert load_plan(tmp_path / "1", fingerprint(RULES)) == plan()


# --- rules that name what there is not ------------------------------------------------------------


MISTAKES = {
    "a dataset": (
        "sources", "time_zone: UTC", "datasets: {custmers: {}}",
        "datasets > custmers: is not a dataset; accepted: customers, subscriptions, ",
    ),
    "a signal": (
        "churn_rules", "signal_name: usage_change", "signal_name: usage_chang",
        "rules > usage_drop > signal_name: there is no signal 'usage_chang'; accepted: segment, ",
    ),
    "a column of a model": (
        "metric_catalog", "sum: mrr_end\n", "sum: mrr\n",
        "metrics > monthly_recurring_revenue > formula: customer_months has no column 'mrr'; accepted: customer_id, ",
    ),
    "a column of a finding": (
        "recommendation_rules", "with {company_name}", "with {company}",
        "rules > save_enterprise_account > title: {company} is no column; accepted: customer_id, ",
    ),
    "a metric of an area": (
        "health_scores", "metric: retention_rate", "metric: retention",
        "areas > Customer Retention > metric: is 'retention'; accepted: monthly_recurring_revenue, ",
    ),
    "a column of a listing": (
        "business_questions", "order_by: priority_rank", "order_by: rank",
        "listing: intervention_plan has no column 'rank'; accepted: ",
    ),
}  # fmt: skip


@pytest.mark.parametrize("mistake", MISTAKES)
def test_a_name_that_the_graph_does_not_have_is_refused(folder, mistake):
    file, was, becomes, said = MISTAKES[mistake]
    path = folder / f"{file}.yaml"
    text = path.read_text()
    assert was in text
    path.write_text(text.replace(was, becomes, 1))
    with pytest.raises(RulesError) as caught:
        compile_graph(read_rules(folder))
    assert str(caught.value).startswith(f"{file}.yaml")
    assert said in str(caught.value)


def test_a_scenario_without_its_metric_is_refused():
    catalog = RULES.metric_catalog
    others = {name: metric for name, metric in catalog.metrics.items() if name != "failed_payment_leakage"}
    rules = replace(RULES, metric_catalog=catalog.model_copy(update={"metrics": others}))
    with pytest.raises(RulesError, match=r"scenarios > failed_payment_recovery > enabled: .* 'failed_payment_leakage'"):
        compile_graph(rules)


# --- as Dagster loads it --------------------------------------------------------------------------


def test_the_definitions_are_built_from_the_rules_and_the_home_that_the_environment_names(home, folder, monkeypatch):
    monkeypatch.setenv("PRODUCTPULSE_HOME", str(home.root))
    monkeypatch.setenv("PRODUCTPULSE_RULES_DIR", str(folder))
    monkeypatch.setattr(compiling, "compile_graph", refused)
    assert isinstance(definitions.defs(), dg.Definitions)  # the plan that is kept in that home
    (folder / "segments.yaml").write_text("dimensions: []\n")
    with pytest.raises(RulesError, match=r"^segments\.yaml cannot be used"):
        definitions.defs()
