"""Several assets as one step: each is still itself."""

import dagster as dg
import duckdb
import ibis
import ibis.expr.types as ir
import pytest
from dagster_duckdb import DuckDBResource
from ibis import _

from productpulse_assets.definitions import defs
from productpulse_assets.orchestration.steps import one_step
from resources.at_launch import opened
from resources.tables import table_of
from resources.warehouse import Warehouse

NUMBERS = ibis.schema({"number": "int64"})
STORED = {
    "group_name": "facts",
    "io_manager_key": "warehouse",
    "owners": ["team:data"],
    "metadata": {"key": ["number"]},
}


@dg.asset(**STORED)
def numbers() -> ir.Table:
    """Three numbers."""
    return table_of([{"number": number} for number in (1, 2, 3)], NUMBERS)


@dg.asset(**STORED)
def doubled(numbers: ir.Table) -> dg.Output[ir.Table]:
    """Twice each number."""
    return dg.Output(numbers.mutate(number=_.number * 2), metadata={"factor": 2})


@dg.asset(**STORED)
def negated(doubled: ir.Table) -> ir.Table:
    """Below zero."""
    return doubled.mutate(number=-_.number)


def at_most(limit: int) -> dg.AssetChecksDefinition:
    @dg.asset_check(asset="doubled", blocking=True)
    def is_small(doubled: ir.Table) -> dg.AssetCheckResult:
        largest = doubled.number.max().execute()
        return dg.AssetCheckResult(asset_key="doubled", check_name="is_small", passed=bool(largest <= limit))

    return is_small


@dg.asset(deps=["negated"])
def after() -> None:
    """What waits for the step."""


@pytest.fixture
def run(tmp_path):
    (tmp_path / "glossary.yaml").write_text("number: A number.\n")
    file = str(tmp_path / "warehouse.duckdb")
    warehouse = Warehouse(duckdb=DuckDBResource(database=file), glossary=str(tmp_path / "glossary.yaml"))

    def materialize(*, limit: int = 9, drawn=None, selection=None):
        step = one_step("arithmetic", [numbers, doubled, negated], [at_most(limit)], drawn=drawn or {})
        result = dg.materialize(
            [step, after],
            resources={"warehouse": opened(warehouse)},
            selection=selection,
            raise_on_error=False,
        )
        return result, lambda sql: duckdb.connect(file, read_only=True).execute(sql).fetchall()

    return materialize


def made(result) -> list[str]:
    return [event.asset_key.to_user_string() for event in result.get_asset_materialization_events()]


def test_the_assets_are_made_in_turn_by_one_step(run):
    result, ask = run()
    assert result.success
    assert made(result) == ["numbers", "doubled", "negated", "after"]
    assert {event.step_key for event in result.all_events if event.is_step_success} == {"arithmetic", "after"}
    assert ask("SELECT number FROM negated ORDER BY number") == [(-6,), (-4,), (-2,)]
    assert [check.passed for check in result.get_asset_check_evaluations()] == [True]


def test_each_asset_keeps_what_it_says_of_itself(run):
    result, _ask = run()
    step = one_step("arithmetic", [numbers, doubled, negated], drawn={})
    spec = step.specs_by_key[dg.AssetKey("doubled")]
    assert (spec.description, spec.group_name, spec.owners) == ("Twice each number.", "facts", ["team:data"])
    assert [dep.asset_key for dep in spec.deps] == [dg.AssetKey("numbers")]
    shown = {event.asset_key.to_user_string(): event.materialization.metadata for event in
             result.get_asset_materialization_events()}  # fmt: skip
    assert shown["doubled"]["factor"].value == 2
    assert shown["negated"]["dagster/row_count"].value == 3
    assert "doubled.number" in shown["negated"]["column_lineage"].value


def test_one_of_them_can_be_made_alone_from_what_is_stored(run):
    run()
    result, _ask = run(selection=["doubled"])
    assert result.success
    assert made(result) == ["doubled"]


def test_a_blocking_check_stops_what_lies_behind_the_step(run):
    result, _ask = run(limit=5)
    assert not result.success
    assert made(result) == ["numbers", "doubled", "negated"]


def test_what_was_drawn_over_the_stored_columns_is_used(run):
    over = ibis.table({"number": "int64"}, name="doubled")
    _result, ask = run(drawn={"negated": over.mutate(number=_.number + 100)})
    assert ask("SELECT max(number) FROM negated") == [(106,)]


def test_what_was_drawn_over_other_columns_is_made_anew(run):
    over = ibis.table({"number": "int32"}, name="doubled")
    _result, ask = run(drawn={"negated": over.mutate(number=_.number + 100)})
    assert ask("SELECT max(number) FROM negated") == [(-2,)]


def test_the_graph_has_few_steps_and_every_asset():
    job = defs.resolve_job_def("daily_refresh")
    assert {"facts", "risk", "metrics", "cohorts", "decisions", "reports"} <= {node.name for node in job.nodes}
    tables = {
        "customer_months",
        "customer_signals",
        "churn_evidence",
        "revenue_leakage",
        "kpi_summary",
        "decision_traces",
    }
    reports = {"executive_summary", "executive_report", "business_questions"}
    keys = {key.to_user_string() for key in defs.resolve_asset_graph().get_all_asset_keys()}
    assert tables | reports <= keys
