"""The compiled graph: what it says, when it is compiled again, and where it is kept."""

import re
import shutil

import pytest
import sqlglot as sg
import sqlglot.expressions as sge

from productpulse_assets.definitions import build
from productpulse_assets.orchestration import compile_graph as module
from productpulse_assets.orchestration.compile_graph import compile_graph, fingerprint, plan_for, stable_aliases
from productpulse_assets.orchestration.graph import all_declarations
from resources.compiled_plan import load_plan, write_plan
from resources.home import Home
from resources.settings import Settings
from rules.rule_set import SHIPPED, read_rules
from tests.graph import RULES, plan, queries

pytestmark = pytest.mark.slow


@pytest.fixture
def counted(monkeypatch) -> list:
    """The rules that the graph was compiled from, one entry each time."""
    times, known = [], plan()

    def compiled(rules):
        times.append(rules)
        return known

    monkeypatch.setattr(module, "compile_graph", compiled)
    return times


def test_every_query_of_the_graph_is_in_it_with_its_columns_and_their_sources():
    names = [declaration.name for declaration in all_declarations() if declaration.is_query]
    assert list(plan().tables) == names
    assert {"customer_months", "revenue_leakage", "kpi_history", "customer_360"} < set(names)
    for name, table in plan().tables.items():
        assert list(table.columns) == list(table.lineage) == list(queries()[name].columns)
    assert plan().tables["customer_months"].columns["mrr_end"] == "decimal(18, 2)"
    assert ("mrr_periods", "mrr") in plan().tables["customer_months"].lineage["mrr_end"]
    assert ("subscriptions", "monthly_price") in plan().tables["mrr_periods"].lineage["mrr"]
    assert ("subscriptions", "monthly_price") in plan().metric_sources["monthly_recurring_revenue"]


def test_the_sql_needs_no_table_but_those_of_the_graph():
    tables = {*module.source_tables(RULES), *(each.name for each in all_declarations())}
    for table in plan().tables.values():
        assert "memtable" not in table.sql
        query = sg.parse_one(table.sql, dialect="duckdb")
        parts = {part.alias for part in query.find_all(sge.CTE)}
        assert {found.name for found in query.find_all(sge.Table)} - parts <= tables


def test_the_same_rules_are_compiled_to_the_same_bytes():
    again = compile_graph(RULES)
    assert again == plan()
    # What another process would write otherwise: names drawn by chance, and what Ibis keeps as a set.
    text = "".join(table.sql for table in again.tables.values())
    assert not re.search(r"unnest_(column_)?[a-z0-9]{26}", text)
    excluded = [re.findall(r'"(\w+)"', names) for names in re.findall(r"EXCLUDE \(([^)]*)\)", text)]
    assert max(map(len, excluded)) > 3
    assert excluded == [sorted(names) for names in excluded]


def test_names_drawn_by_chance_are_numbered():
    one, two = "ibis_table_unnest_column_" + "a" * 26, "ibis_table_unnest_" + "b" * 26
    assert stable_aliases(f"{one}.x = {two}.y, {one}") == "unnested_0.x = unnested_1.y, unnested_0"


def test_it_is_kept_by_a_run_and_taken_from_there(productpulse, good_run, home, exports, counted):
    kept = Home(home).compiled
    assert load_plan(kept, fingerprint(RULES)) == plan()
    assert (kept / "kpi_history.sql").read_text().startswith("SELECT")
    assert productpulse("run", "--data", exports, "--home", home, "--select", "owner_workload").exit_code == 0
    assert plan_for(RULES, Home(home)) == plan()
    assert counted == []


def test_validate_uses_the_plan_of_the_home_and_writes_nothing_there(productpulse, home, exports, counted):
    before = {path: path.stat().st_mtime_ns for path in home.rglob("*")}
    assert productpulse("validate", "--data", exports, "--home", home).exit_code == 0
    assert counted == []
    assert {path: path.stat().st_mtime_ns for path in home.rglob("*")} == before


def test_validate_keeps_no_plan(productpulse, exports, tmp_path, counted):
    assert productpulse("validate", "--data", exports, "--home", tmp_path / "new").exit_code == 0
    assert counted
    assert not (tmp_path / "new").exists()


def test_loading_the_graph_changes_no_home(tmp_path):
    build(Settings(home=str(tmp_path / "home")))
    assert not (tmp_path / "home").exists()


def test_other_rules_are_compiled_again_and_kept_in_their_place(productpulse, home, exports, tmp_path, counted):
    for file in SHIPPED.glob("*.yaml"):
        shutil.copy(file, tmp_path)
    assert fingerprint(read_rules(tmp_path)) == fingerprint(RULES), "a copy of the same rules is the same"
    with (tmp_path / "churn_rules.yaml").open("a", encoding="utf-8") as file:
        file.write("# a word\n")
    changed = read_rules(tmp_path)
    plan_for(changed, Home(home))
    assert counted == [changed]


@pytest.mark.parametrize("name", ["program_digest", "metadata.version"])
def test_another_program_or_library_compiles_again(monkeypatch, tmp_path, counted, name):
    home = Home(tmp_path)
    write_plan(plan(), home.compiled)
    plan_for(RULES, home)
    assert counted == []
    monkeypatch.setattr(f"{module.__name__}.{name}", lambda *_: "another version")
    plan_for(RULES, home)
    assert counted == [RULES]


@pytest.mark.parametrize("damage", [lambda file: file.unlink(), lambda file: file.write_text("SELECT 1\n")])
@pytest.mark.parametrize("name", ["kpi_history.sql", "plan.json"])
def test_a_file_that_is_gone_or_damaged_means_compiling_again(productpulse, home, exports, counted, name, damage):
    damage(Home(home).compiled / name)
    assert productpulse("run", "--data", exports, "--home", home, "--select", "owner_workload").exit_code == 0
    assert counted
    assert load_plan(Home(home).compiled, fingerprint(RULES)) == plan()


def test_what_a_killed_run_was_writing_of_it_is_removed(productpulse, home, exports):
    part = Home(home).compiled / ".kpi_history.sql.x.part"
    part.write_text("SELE")
    assert productpulse("run", "--data", exports, "--home", home, "--select", "owner_workload").exit_code == 0
    assert not part.exists()


def test_a_home_in_which_it_cannot_be_kept_is_no_failure(productpulse, home, exports):
    shutil.rmtree(Home(home).compiled)
    Home(home).compiled.write_text("in the way")
    result = productpulse("run", "--data", exports, "--home", home, "--select", "owner_workload")
    assert result.exit_code == 0, result.output
    assert f"Warning: The compiled graph cannot be kept in {Home(home).compiled} (" in result.output
