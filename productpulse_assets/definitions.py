"""The Definitions that Dagster loads: the sources, a step for each group, and what is published."""

from functools import partial

import dagster as dg
from dagster_duckdb import DuckDBResource

from asset_checks.anomalies import anomaly_checks
from asset_checks.as_of import as_of_check
from asset_checks.checks import Check
from asset_checks.decisions import DECISION_INVARIANTS
from asset_checks.governance import governance_check
from asset_checks.history import HISTORY
from asset_checks.invariants import CHURN_TYPES, FACT_COVERAGE, LEDGER, MRR_BRIDGE
from asset_checks.periods import ACTIVE_BUT_ENDED, PERIODS
from asset_checks.reconciliation import reconciliation_check
from asset_checks.target_values import target_values_check
from productpulse_assets.orchestration.compile_graph import compiled_plan, plan_for
from productpulse_assets.orchestration.graph import SNAPSHOT_ONLY, TABLES, declarations
from productpulse_assets.orchestration.schedules import daily_refresh, validation_selection
from productpulse_assets.orchestration.sensors import new_files
from productpulse_assets.orchestration.skip_unchanged import run_inputs
from productpulse_assets.orchestration.steps import check_step, group_step
from productpulse_assets.published.exports import exports_asset
from productpulse_assets.published.snapshot import published_snapshot_asset
from productpulse_assets.sources.assets import VALIDATION, source_assets
from productpulse_assets.sources.demo import demo_asset
from productpulse_assets.sources.inventory import source_inventory
from productpulse_assets.sources.location import file_access
from resources import at_launch
from resources.compiled_plan import Plan
from resources.home import CHECKOUT, Home
from resources.outputs import ReportFiles
from resources.settings import Settings
from resources.warehouse import Warehouse
from rules.metrics.models import MetricCatalog
from rules.rule_set import Rules, read_rules

GLOSSARY = CHECKOUT / "resources" / "glossary.yaml"


def build(settings: Settings, plan_home: Home | None = None) -> dg.Definitions:
    """The Definitions of one home: reads the rules, and loads the compiled plan or compiles the graph.

    `plan_home` is the home whose plan is loaded where that is not the home of the settings. Raises RulesError when a
    file of the rules folder has a mistake.
    """
    rules = read_rules(settings.rules_dir)
    plan = plan_for(rules, plan_home or settings.home)
    stores = resources(settings, rules, plan)
    checks = checks_by_group(rules.metric_catalog)
    groups = {
        group: group_step(group, declarations(group), checks.get(group, ()), rules=rules, settings=settings)
        for group in TABLES
    }
    sources = [source_inventory(rules, settings), *source_assets(rules, settings)]
    tables = [*sources, *(step for group, step in groups.items() if group != "reports")]
    published = {key.path[-1]: definition.descriptions_by_key[key] for definition in tables for key in definition.keys}
    assets = [
        demo_asset(rules, settings),
        *tables,
        groups["reports"],
        published_snapshot_asset(published, list(groups["reports"].keys), rules, settings),
        exports_asset([name for name in published if name not in SNAPSHOT_ONLY], settings, SNAPSHOT_ONLY),
    ]
    periods = check_step("periods", PERIODS)
    targets = target_values_check(rules.metric_catalog)
    warnings = check_step("warnings", as_of_check(rules), ACTIVE_BUT_ENDED, reconciliation_check(rules), targets)
    across = [periods, warnings]
    steps = frozenset(definition.op.name for definition in [*assets, *across])
    return dg.Definitions(
        assets=assets,
        asset_checks=across,
        jobs=[
            dg.define_asset_job(
                VALIDATION,
                selection=validation_selection([*sources, periods]),
                description="Reads every source and reports what would be rejected; computes and publishes nothing.",
            )
        ],
        schedules=[daily_refresh(settings, rules)],
        sensors=[new_files(settings)],
        resources=stores | {"inputs": run_inputs(steps, settings, rules), "plan": compiled_plan(plan, settings.home)},
        executor=at_launch.executor,
    )


def checks_by_group(catalog: MetricCatalog) -> dict[str, list[Check]]:
    """What is checked at the end of each group's step."""
    return {
        "facts": [MRR_BRIDGE, CHURN_TYPES, FACT_COVERAGE, LEDGER],
        "risk": [HISTORY],
        "metrics": [governance_check(catalog), anomaly_checks(catalog)],
        "decisions": [DECISION_INVARIANTS],
    }


def resources(settings: Settings, rules: Rules, plan: Plan) -> dict[str, dg.ResourceDefinition]:
    """Where the assets are stored, by the keys that they ask for."""
    home = settings.home
    warehouse = Warehouse(
        duckdb=DuckDBResource(
            database=str(home.warehouse),
            connection_config={
                "temp_directory": str(home.scratch),
                "memory_limit": settings.memory_limit,
            },
        ),
        glossary=str(GLOSSARY),
        time_zone=rules.sources.time_zone,
        wait_seconds=settings.wait,
        access=partial(file_access, settings, rules),
        personal=plan.personal,
        fingerprint=plan.fingerprint,
    )
    return {
        "warehouse": at_launch.warehouse_resource(warehouse),
        "reports": at_launch.constant_resource(ReportFiles(folder=str(home.reports))),
        # For what stores nothing; Dagster's own takes a folder to write to from the configuration of a launch.
        "io_manager": at_launch.constant_resource(dg.InMemoryIOManager()),  # type: ignore[no-untyped-call]  # untyped in Dagster,
    }


@dg.definitions
def defs() -> dg.Definitions:
    """The graph as the environment sets it; built when Dagster loads it, not when this module is imported."""
    return build(Settings())
