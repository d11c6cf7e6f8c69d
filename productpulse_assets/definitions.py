"""The graph: the only place where everything meets."""

import os

import dagster as dg
import ibis
from dagster_duckdb import DuckDBResource

from asset_checks.anomalies import anomaly_checks
from asset_checks.as_of import as_of_checks
from asset_checks.contracts import CONTRACTS, REJECTS_SCHEMA, unbound
from asset_checks.decisions import decisions_check
from asset_checks.governance import governance_check
from asset_checks.invariants import mrr_bridge
from asset_checks.validation_gate import gates
from productpulse_assets.automation import daily_refresh, validate_sources
from productpulse_assets.calendar import SCHEMA as CALENDAR_SCHEMA
from productpulse_assets.calendar import calendar
from productpulse_assets.churn import churn_evidence, churn_risk_profiles
from productpulse_assets.cohorts import cohort_summary, funnel_summary, segment_funnel
from productpulse_assets.customer_360 import customer_360
from productpulse_assets.customer_months import customer_months
from productpulse_assets.decisions.changes import decision_changes, previous_decisions
from productpulse_assets.decisions.interventions import intervention_plan, owner_workload
from productpulse_assets.decisions.recommendations import recommendations
from productpulse_assets.decisions.traces import decision_traces
from productpulse_assets.decisions.triggers import about_customers, churn_trigger, leakage_trigger
from productpulse_assets.demo import demo_company
from productpulse_assets.health import check_areas, health_scores
from productpulse_assets.leakage.assets import leakage_summary, revenue_leakage
from productpulse_assets.metrics import kpi_history, kpi_summary, metric_lineage_asset
from productpulse_assets.new_files import new_files
from productpulse_assets.publish import exports_asset, published_snapshot_asset
from productpulse_assets.quality import data_quality_scores
from productpulse_assets.reports.business_questions import LISTABLE, business_questions
from productpulse_assets.reports.data_quality_report import data_quality_report
from productpulse_assets.reports.executive_report import executive_report
from productpulse_assets.reports.executive_summary import executive_summary
from productpulse_assets.reports.intervention_plan import intervention_plan_report
from productpulse_assets.reports.metric_definitions import metric_definitions
from productpulse_assets.reports.risk_register import risk_register
from productpulse_assets.scenarios import SCHEMA as SCENARIO_SCHEMA
from productpulse_assets.scenarios import scenario_analysis
from productpulse_assets.segments import kpi_by_segment, revenue_drivers
from productpulse_assets.signals.customer_signals import customer_signals
from productpulse_assets.sources.assets import datasets
from productpulse_assets.sources.inventory import SCHEMA as INVENTORY_SCHEMA
from productpulse_assets.sources.inventory import source_inventory
from productpulse_assets.sources.location import load_sources
from productpulse_assets.unchanged import run_inputs
from resources.outputs import ReportFiles
from resources.settings import CHECKOUT, RunSettings, parse_wait
from resources.warehouse import Warehouse
from rules.catalog import check_against, load_catalog
from rules.churn_rules import check_churn_rules, load_churn_rules
from rules.files import load
from rules.metric_models import MetricCatalog
from rules.models import HealthScores
from rules.questions import check_listings, load_questions
from rules.recommendation_rules import check_recommendation_rules, load_recommendation_rules
from rules.scenarios import check_scenarios, load_scenarios

GLOSSARY = CHECKOUT / "rules" / "glossary.yaml"


def model_tables() -> dict[str, ibis.Table]:
    """The tables that metrics may be made of, as expressions over source datasets without data.

    Raises RulesError for a churn rule whose signal is not there.
    """
    datasets = source_tables()
    months = made_of(customer_months, datasets)
    rejects = {f"{name}_rejects": ibis.table(REJECTS_SCHEMA, name=f"{name}_rejects") for name in CONTRACTS}
    inventory = ibis.table(INVENTORY_SCHEMA, name="source_inventory")
    signals = made_of(customer_signals, datasets)
    check_churn_rules(load_churn_rules(), signals)  # before the rules become expressions over them
    evidence = made_of(churn_evidence, {"customer_signals": signals})
    leakage = made_of(revenue_leakage, datasets)
    return {
        "customer_months": months,
        "customer_signals": signals,
        "churn_risk_profiles": made_of(churn_risk_profiles, {"customer_signals": signals, "churn_evidence": evidence}),
        "revenue_leakage": leakage,
        "leakage_summary": made_of(leakage_summary, datasets | {"revenue_leakage": leakage}),
        "data_quality_scores": made_of(data_quality_scores, datasets | rejects | {"source_inventory": inventory}),
    }


def source_tables() -> dict[str, ibis.Table]:
    """The datasets and the calendar, without data."""
    return {name: unbound(name) for name in CONTRACTS} | {"calendar": unbound_calendar()}


def check_rules(catalog: MetricCatalog, models: dict[str, ibis.Table]) -> None:
    """Raise RulesError for whatever the rules name that the tables do not have."""
    check_against(catalog, models)
    check_areas(load("health_scores", HealthScores), catalog)
    check_scenarios(load_scenarios(), catalog)
    facts = source_tables() | {name: without_origin(name, model) for name, model in models.items()}
    about = about_customers(facts["customers"], facts["customer_signals"], facts["churn_risk_profiles"])
    triggers = {"churn_risk": churn_trigger(about), "leakage": leakage_trigger(about, facts["revenue_leakage"])}
    check_recommendation_rules(load_recommendation_rules(), triggers)
    facts["recommendations"] = without_origin("recommendations", made_of(recommendations, facts))
    facts["intervention_plan"] = without_origin("intervention_plan", made_of(intervention_plan, facts))
    facts["scenario_analysis"] = ibis.table(SCENARIO_SCHEMA, name="scenario_analysis")
    check_listings(load_questions(catalog), {name: facts[name].columns for name in LISTABLE})
    made_of(customer_360, facts)  # which names its segments' columns


def without_origin(name: str, table: ibis.Table) -> ibis.Table:
    """A table of the same columns, cheap to build upon."""
    return ibis.table(table.schema(), name=name)


def made_of(asset: dg.AssetsDefinition, tables: dict[str, ibis.Table]) -> ibis.Table:
    """An asset's expression over the tables that it asks for.

    By its function: calling the asset itself would set up an instance of Dagster each time.
    """
    function = asset.op.compute_fn.decorated_fn
    return function(**{name: tables[name] for name in asset.keys_by_input_name})


def unbound_calendar() -> ibis.Table:
    """The calendar as a table that exists in no database."""
    return ibis.table(CALENDAR_SCHEMA, name="calendar")


def build() -> dg.Definitions:
    """Read the rules, hold them against the tables they name, and put the graph together.

    Raises RulesError when a file of the rules folder has a mistake.
    """
    sources, catalog = load_sources(), load_catalog()
    models = model_tables()
    check_rules(catalog, models)
    settings = RunSettings.from_environment()
    tolerances = {name: sources.of(name).max_reject_share for name in CONTRACTS}
    tables = [
        source_inventory,
        *datasets,
        calendar,
        customer_months,
        customer_signals,
        churn_evidence,
        churn_risk_profiles,
        revenue_leakage,
        leakage_summary,
        recommendations,
        intervention_plan,
        owner_workload,
        previous_decisions,
        decision_changes,
        decision_traces,
        customer_360,
        metric_lineage_asset(models, unbound_calendar()),
        kpi_history,
        kpi_summary,
        kpi_by_segment,
        revenue_drivers,
        cohort_summary,
        funnel_summary,
        segment_funnel,
        data_quality_scores,
        health_scores,
        scenario_analysis,
    ]
    reports = [
        executive_summary,
        executive_report,
        intervention_plan_report,
        risk_register,
        metric_definitions,
        data_quality_report,
        business_questions,
    ]
    published = {key.path[-1]: definition.descriptions_by_key[key] for definition in tables for key in definition.keys}
    assets = [
        demo_company,
        *tables,
        *reports,
        published_snapshot_asset(published, [report.key for report in reports]),
        exports_asset(list(published)),
    ]
    checks = [
        *gates(tolerances),
        as_of_checks,
        mrr_bridge,
        governance_check(catalog),
        decisions_check,
        anomaly_checks(catalog),
    ]
    steps = frozenset(definition.op.name for definition in [*assets, *checks])
    return dg.Definitions(
        assets=assets,
        asset_checks=checks,
        jobs=[validate_sources([source_inventory, *datasets])],
        schedules=[daily_refresh(settings, sources.time_zone)],
        sensors=[new_files(settings)],
        resources=resources(settings, sources.time_zone) | {"inputs": run_inputs(steps)},
        executor=dg.in_process_executor,
    )


def resources(settings: RunSettings, time_zone: str) -> dict[str, object]:
    """What the assets run on, by the keys that they ask for."""
    home = settings.home
    return {
        "settings": settings,
        "warehouse": Warehouse(
            duckdb=DuckDBResource(
                database=str(home.warehouse),
                connection_config={"temp_directory": str(home.scratch)},
            ),
            glossary=str(GLOSSARY),
            time_zone=time_zone,
            wait_seconds=parse_wait(os.environ.get("PRODUCTPULSE_WAIT")),
        ),
        "reports": ReportFiles(folder=str(home.reports)),
    }


defs = build()
