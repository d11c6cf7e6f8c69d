"""Several assets as one step: each is still itself."""

import dagster as dg
import duckdb
import ibis
import ibis.expr.types as ir
import pytest
from dagster_duckdb import DuckDBResource
from ibis import _

from asset_checks.checks import Check
from productpulse_assets.orchestration.graph import TABLES, all_declarations
from productpulse_assets.orchestration.steps import check_step, group_step
from productpulse_assets.tables import Rows, declaration_of, table
from resources.at_launch import constant_resource, warehouse_resource
from resources.compiled_plan import CompiledTable, Plan
from resources.lineage import column_sources
from resources.settings import Settings
from resources.warehouse import Warehouse, select_statement
from rules.rule_set import Rules
from tests.graph import RULES

NUMBERS = ibis.schema({"number": "int64"})
WORDS = ibis.schema({"word": "string"})


@table(
    group="facts",
    owner="team:data",
    key=("number",),
    schema=NUMBERS,
    metadata_of=lambda rows: {"largest": max(row["number"] for row in rows)},
)
def numbers() -> Rows:
    """Three numbers."""
    return [{"number": number} for number in (2, 3, 1)]


@table(group="facts", owner="team:data", key=("number",))
def doubled(numbers: ir.Table) -> ir.Table:
    """Twice each number."""
    return numbers.mutate(number=_.number * 2)


@table(group="facts", owner="team:data", key=("number",))
def negated(doubled: ir.Table) -> ir.Table:
    """Below zero."""
    return doubled.mutate(number=-_.number)


@table(group="facts", owner="team:data", key=("word",), schema=WORDS, reads=("doubled",))
def surroundings(rules: Rules, settings: Settings, plan: Plan, **tables: ir.Table) -> Rows:
    """What a function can ask for besides tables."""
    sixes = tables["doubled"].filter(_.number == 6).count().execute()
    return [{"word": f"{rules.currency}, {settings.as_of}, {plan.fingerprint}, {sixes}"}]


ASSETS = [declaration_of(function) for function in (numbers, doubled, negated, surroundings)]


def compiled(**queries: ir.Table) -> Plan:
    """A plan in which these are the queries of the tables."""
    tables = {
        name: CompiledTable(
            name,
            select_statement(query, ["number"]),
            {column: str(kind) for column, kind in query.schema().items()},
            {column: tuple(found) for column, found in column_sources(query).items()},
        )
        for name, query in queries.items()
    }
    return Plan("f1", tables, {}, {})


TWICE = doubled(ibis.table(NUMBERS, name="numbers"))
PLAN = compiled(doubled=TWICE, negated=negated(ibis.table(NUMBERS, name="doubled")))


def at_most(limit: int) -> Check:
    """A check of `doubled` that stops what follows, and one that never fails."""

    def results(doubled):
        largest = doubled.number.max().execute()
        yield dg.AssetCheckResult(asset_key="doubled", check_name="is_small", passed=bool(largest <= limit))
        yield dg.AssetCheckResult(asset_key="doubled", check_name="is_there", passed=True)

    specs = (
        dg.AssetCheckSpec("is_small", asset="doubled", blocking=True),
        dg.AssetCheckSpec("is_there", asset="doubled"),
    )
    return Check(specs, ("doubled",), results)


@dg.asset(deps=["negated"])
def after() -> None:
    """What waits for the step."""


def step_of(settings: Settings, *checks: Check) -> dg.AssetsDefinition:
    return group_step("arithmetic", ASSETS, checks, rules=RULES, settings=settings)


@pytest.fixture
def settings(tmp_path) -> Settings:
    return Settings(home=str(tmp_path), as_of="2026-06-30")


@pytest.fixture
def run(tmp_path, settings):
    (tmp_path / "glossary.yaml").write_text("number: A number.\n")
    file = str(settings.home.warehouse)
    warehouse = Warehouse(duckdb=DuckDBResource(database=file), glossary=str(tmp_path / "glossary.yaml"))

    def materialize(*definitions, limit: int = 9, plan: Plan = PLAN, selection=None):
        result = dg.materialize(
            definitions or [step_of(settings, at_most(limit)), after],
            resources={"warehouse": warehouse_resource(warehouse), "plan": constant_resource(plan)},
            selection=selection,
            raise_on_error=False,
        )
        return result, lambda sql: duckdb.connect(file, read_only=True).execute(sql).fetchall()

    return materialize


def made(result) -> list[str]:
    return [event.asset_key.to_user_string() for event in result.get_asset_materialization_events()]


def checked(result) -> list[tuple[str, bool]]:
    return [(check.check_name, check.passed) for check in result.get_asset_check_evaluations()]


def test_the_assets_are_made_in_turn_by_one_step(run):
    result, ask = run()
    assert result.success
    assert made(result) == ["numbers", "doubled", "negated", "surroundings", "after"]
    assert {event.step_key for event in result.all_events if event.is_step_success} == {"arithmetic", "after"}
    assert ask("SELECT number FROM numbers") == [(1,), (2,), (3,)]
    assert ask("SELECT number FROM negated") == [(-6,), (-4,), (-2,)]
    assert checked(result) == [("is_small", True), ("is_there", True)]


def test_each_asset_keeps_what_it_says_of_itself(run, settings):
    result, _ask = run()
    spec = step_of(settings).specs_by_key[dg.AssetKey("doubled")]
    assert (spec.description, spec.group_name, spec.owners) == ("Twice each number.", "facts", ["team:data"])
    assert [dep.asset_key for dep in spec.deps] == [dg.AssetKey("numbers")]
    shown = {event.asset_key.to_user_string(): event.materialization.metadata for event in
             result.get_asset_materialization_events()}  # fmt: skip
    assert shown["numbers"]["largest"].value == 3
    assert shown["negated"]["dagster/row_count"].value == 3
    assert "doubled.number" in shown["negated"]["column_lineage"].value


def test_one_of_them_can_be_made_alone_from_what_is_stored(run):
    run()
    result, _ask = run(selection=["doubled"])
    assert result.success
    assert made(result) == ["doubled"]
    assert checked(result) == [("is_small", True), ("is_there", True)]


def test_a_check_that_is_not_selected_is_not_evaluated(run):
    run()
    result, _ask = run(selection=dg.AssetSelection.assets("doubled").without_checks())
    assert (made(result), checked(result)) == (["doubled"], [])
    only = dg.AssetSelection.checks(dg.AssetCheckKey(dg.AssetKey("doubled"), "is_there"))
    result, _ask = run(selection=only)
    assert (made(result), checked(result)) == ([], [("is_there", True)])


def test_a_blocking_check_stops_what_lies_behind_the_step(run):
    result, _ask = run(limit=5)
    assert not result.success
    assert made(result) == ["numbers", "doubled", "negated", "surroundings"]


def test_a_query_is_run_as_it_was_compiled(run):
    over = ibis.table(NUMBERS, name="doubled")
    _result, ask = run(plan=compiled(doubled=TWICE, negated=over.mutate(number=_.number + 100)))
    assert ask("SELECT number FROM negated") == [(102,), (104,), (106,)]


def test_a_function_gets_what_it_asks_for(run):
    _result, ask = run()
    assert ask("SELECT word FROM surroundings") == [("USD, 2026-06-30, f1, 1",)]


@pytest.mark.parametrize(("asset", "missing"), [("negated", "doubled"), ("surroundings", "doubled")])
def test_a_table_that_no_run_has_made_is_named_with_what_to_run(run, settings, asset, missing):
    result, _ask = run(selection=[asset])
    assert made(result) == []
    (failed,) = (event for event in result.all_events if event.is_step_failure)
    failure = failed.step_failure_data.user_failure_data
    assert failure.metadata["code"].value == "warehouse.table_not_computed"
    assert failure.description == (
        f"The table {missing} has not been computed in {settings.home.warehouse}. Run the whole graph first, "
        f"or select what comes before as well, as in '+{missing}'."
    )


def test_a_check_over_several_groups_is_a_step_of_its_own(run, settings):
    run()
    result, _ask = run(
        step_of(settings), check_step("of_all", at_most(5)), selection=dg.AssetSelection.all_asset_checks()
    )
    assert checked(result) == [("is_small", False), ("is_there", True)]
    assert {event.step_key for event in result.all_events if event.is_step_start} == {"of_all"}


def test_the_graph_has_few_steps_and_every_asset(defs):
    job = defs.resolve_job_def("daily_refresh")
    assert set(TABLES) < {node.name for node in job.nodes}
    assert len(job.nodes) < 24
    keys = {key.to_user_string() for key in defs.resolve_asset_graph().get_all_asset_keys()}
    assert {declaration.name for declaration in all_declarations()} <= keys
    assert len(keys) > 50
