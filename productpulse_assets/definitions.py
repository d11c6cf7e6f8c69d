"""The graph: the only place where everything meets."""

import os
from functools import partial

import dagster as dg
import ibis
from dagster_duckdb import DuckDBResource

from asset_checks.anomalies import anomaly_checks
from asset_checks.as_of import as_of_checks
from asset_checks.contracts import CONTRACTS, PERSONAL, REJECTS_SCHEMA, unbound
from asset_checks.decisions import decisions_check
from asset_checks.governance import governance_check
from asset_checks.invariants import mrr_bridge
from asset_checks.reconciliation import reconciliation_check
from productpulse_assets.decisions.changes import decision_changes, previous_decisions
from productpulse_assets.decisions.customer_360 import customer_360
from productpulse_assets.decisions.interventions import intervention_plan, owner_workload
from productpulse_assets.decisions.recommendations import recommendations
from productpulse_assets.decisions.scenarios import SCHEMA as SCENARIO_SCHEMA
from productpulse_assets.decisions.scenarios import scenario_analysis
from productpulse_assets.decisions.traces import decision_traces
from productpulse_assets.decisions.triggers import about_customers, churn_trigger, leakage_trigger
from productpulse_assets.facts.calendar import SCHEMA as CALENDAR_SCHEMA
from productpulse_assets.facts.calendar import calendar
from productpulse_assets.facts.customer_months import customer_months
from productpulse_assets.facts.customer_signals import customer_signals
from productpulse_assets.metrics.cohorts import cohort_summary, funnel_summary, segment_funnel
from productpulse_assets.metrics.data_quality import data_quality_scores
from productpulse_assets.metrics.health import check_areas, health_scores
from productpulse_assets.metrics.kpis import kpi_history, kpi_summary, metric_lineage_asset
from productpulse_assets.metrics.segments import kpi_by_segment, revenue_drivers
from productpulse_assets.orchestration.dimensions import drawn_with_dimensions
from productpulse_assets.orchestration.schedules import daily_refresh, validate_sources
from productpulse_assets.orchestration.sensors import new_files
from productpulse_assets.orchestration.skip_unchanged import run_inputs
from productpulse_assets.orchestration.steps import one_step
from productpulse_assets.published.exports import exports_asset
from productpulse_assets.published.snapshot import published_snapshot_asset
from productpulse_assets.reports.business_questions import LISTABLE, business_questions
from productpulse_assets.reports.data_quality_report import data_quality_report
from productpulse_assets.reports.executive_report import executive_report
from productpulse_assets.reports.executive_summary import executive_summary
from productpulse_assets.reports.intervention_plan import intervention_plan_report
from productpulse_assets.reports.metric_definitions import metric_definitions
from productpulse_assets.reports.risk_register import risk_register
from productpulse_assets.risk.churn import churn_evidence, churn_risk_profiles
from productpulse_assets.risk.leakage.assets import leakage_summary, revenue_leakage
from productpulse_assets.sources.assets import datasets
from productpulse_assets.sources.demo import demo_company
from productpulse_assets.sources.inventory import SCHEMA as INVENTORY_SCHEMA
from productpulse_assets.sources.inventory import source_inventory
from productpulse_assets.sources.location import file_access, load_sources
from resources import at_launch
from resources.home import CHECKOUT, parse_wait
from resources.lineage import reached
from resources.memory import parse_memory_limit
from resources.outputs import ReportFiles
from resources.settings import RunSettings
from resources.warehouse import Warehouse
from rules.churn_rules import check_churn_rules, load_churn_rules
from rules.loading.files import load
from rules.metrics.catalog import check_against, load_catalog
from rules.metrics.models import MetricCatalog
from rules.models import HealthScores
from rules.questions import check_listings, load_questions
from rules.recommendation_rules import check_recommendation_rules, load_recommendation_rules
from rules.scenarios import check_scenarios, load_scenarios

FACTS = (customer_months, customer_signals)
RISK = (churn_evidence, churn_risk_profiles, revenue_leakage, leakage_summary)
COHORTS = (cohort_summary, funnel_summary, segment_funnel, revenue_drivers)
DECISIONS = (
    recommendations,
    intervention_plan,
    owner_workload,
    previous_decisions,
    decision_changes,
    decision_traces,
    customer_360,
)
REPORTS = (
    executive_summary,
    executive_report,
    intervention_plan_report,
    risk_register,
    metric_definitions,
    data_quality_report,
    business_questions,
)
"""The assets of one step of the graph, in the order in which they are made."""

MODELS = (
    "customer_months", "customer_signals", "churn_risk_profiles", "revenue_leakage", "leakage_summary",
    "data_quality_scores",
)  # fmt: skip
"""The tables that metrics may be made of."""

GLOSSARY = CHECKOUT / "resources" / "glossary.yaml"


def draw() -> dict[str, ibis.Table]:
    """The tables that the rules name, each as an expression over the tables that it is made of.

    Nothing is looked at but the columns. Raises RulesError for whatever the rules name that these
    tables do not have.
    """
    rejects = {f"{name}_rejects": ibis.table(REJECTS_SCHEMA, name=f"{name}_rejects") for name in CONTRACTS}
    inventory = ibis.table(INVENTORY_SCHEMA, name="source_inventory")
    stored = source_tables() | rejects | {"source_inventory": inventory}
    drawn: dict[str, ibis.Table] = {}

    def add(*assets: dg.AssetsDefinition) -> None:
        for asset in assets:
            name = asset.key.path[-1]
            drawn[name] = made_of(asset, stored)
            stored[name] = as_stored(name, drawn[name])

    add(customer_months, customer_signals)
    check_churn_rules(load_churn_rules(), stored["customer_signals"])  # before the rules become expressions over them
    add(churn_evidence, churn_risk_profiles, revenue_leakage, leakage_summary, data_quality_scores)
    check_metrics(load_catalog(), {name: stored[name] for name in MODELS})
    check_triggers(stored)
    add(recommendations, intervention_plan, customer_360)  # which name their rules' columns
    listable = stored | {"scenario_analysis": ibis.table(SCENARIO_SCHEMA, name="scenario_analysis")}
    check_listings(load_questions(load_catalog()), {name: listable[name].columns for name in LISTABLE})
    return drawn


def source_tables() -> dict[str, ibis.Table]:
    """The datasets and the calendar, without data."""
    return {name: unbound(name) for name in CONTRACTS} | {"calendar": unbound_calendar()}


def check_metrics(catalog: MetricCatalog, models: dict[str, ibis.Table]) -> None:
    """Raise RulesError for whatever rests on metrics and does not fit them, or the tables that they are made of."""
    check_against(catalog, models)
    check_areas(load("health_scores", HealthScores), catalog)
    check_scenarios(load_scenarios(), catalog)


def check_triggers(stored: dict[str, ibis.Table]) -> None:
    """Raise RulesError for a recommendation rule that names what its trigger does not have."""
    about = about_customers(stored["customers"], stored["customer_signals"], stored["churn_risk_profiles"])
    triggers = {"churn_risk": churn_trigger(about), "leakage": leakage_trigger(about, stored["revenue_leakage"])}
    check_recommendation_rules(load_recommendation_rules(), triggers)


def as_stored(name: str, table: ibis.Table) -> ibis.Table:
    """A table of the same columns, cheap to build upon; a stored column may be empty, whatever it was made from."""
    return ibis.table({column: kind.copy(nullable=True) for column, kind in table.schema().items()}, name=name)


def made_of(asset: dg.AssetsDefinition, tables: dict[str, ibis.Table]) -> ibis.Table:
    """An asset's expression over the tables that it asks for.

    By its function: calling the asset itself would set up an instance of Dagster each time.
    """
    function = asset.op.compute_fn.decorated_fn
    return function(**{name: tables[name] for name in asset.keys_by_input_name})


def unbound_calendar() -> ibis.Table:
    """The calendar as a table that exists in no database."""
    return ibis.table(CALENDAR_SCHEMA, name="calendar")


def metrics(drawn: dict[str, ibis.Table]) -> list[dg.AssetsDefinition]:
    """The assets of the step that computes the catalog and what rests on it."""
    lineage = metric_lineage_asset(MODELS, drawn, unbound_calendar())
    return [data_quality_scores, lineage, kpi_history, kpi_summary, kpi_by_segment, health_scores, scenario_analysis]


def build() -> dg.Definitions:
    """Read the rules, hold them against the tables they name, and put the graph together.

    Raises RulesError when a file of the rules folder has a mistake.
    """
    sources, catalog = load_sources(), load_catalog()
    drawn = drawn_with_dimensions(draw)
    settings = RunSettings.from_environment()
    tables = [
        source_inventory,
        *datasets,
        calendar,
        one_step("facts", FACTS, [mrr_bridge], drawn=drawn),
        one_step("risk", RISK, drawn=drawn),
        one_step("cohorts", COHORTS, drawn=drawn),
        one_step("metrics", metrics(drawn), [governance_check(catalog), anomaly_checks(catalog)], drawn=drawn),
        one_step("decisions", DECISIONS, [decisions_check], drawn=drawn),
    ]
    reports = one_step("reports", REPORTS, drawn={})
    published = {key.path[-1]: definition.descriptions_by_key[key] for definition in tables for key in definition.keys}
    assets = [
        demo_company,
        *tables,
        reports,
        published_snapshot_asset(published, list(reports.keys)),
        exports_asset(list(published)),
    ]
    checks = [as_of_checks, reconciliation_check]
    steps = frozenset(definition.op.name for definition in [*assets, *checks])
    return dg.Definitions(
        assets=assets,
        asset_checks=checks,
        jobs=[validate_sources([source_inventory, *datasets])],
        schedules=[daily_refresh(settings, sources.time_zone)],
        sensors=[new_files(settings)],
        resources=resources(settings, sources.time_zone, reached(PERSONAL, drawn)) | {"inputs": run_inputs(steps)},
        executor=at_launch.executor,
    )


def resources(settings: RunSettings, time_zone: str, personal: dict[str, set[str]]) -> dict[str, dg.ResourceDefinition]:
    """What the assets run on, by the keys that they ask for; `personal` are columns by table."""
    home = settings.home
    warehouse = Warehouse(
        duckdb=DuckDBResource(
            database=str(home.warehouse),
            connection_config={
                "temp_directory": str(home.scratch),
                "memory_limit": parse_memory_limit(os.environ.get("PRODUCTPULSE_MEMORY_LIMIT")),
            },
        ),
        glossary=str(GLOSSARY),
        time_zone=time_zone,
        wait_seconds=parse_wait(os.environ.get("PRODUCTPULSE_WAIT")),
        access=partial(file_access, settings),
        personal=personal,
    )
    return {
        "settings": at_launch.fixed(settings),
        "warehouse": at_launch.opened(warehouse),
        "reports": at_launch.fixed(ReportFiles(folder=str(home.reports))),
        # For what stores nothing; Dagster's own takes a folder to write to from the configuration of a launch.
        "io_manager": at_launch.fixed(dg.InMemoryIOManager()),
    }


defs = build()
