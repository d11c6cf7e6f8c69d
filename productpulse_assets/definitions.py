"""The graph: the only place where everything meets."""

import dagster as dg
import ibis
from dagster_duckdb import DuckDBResource

from asset_checks.anomalies import anomaly_checks
from asset_checks.as_of import as_of_checks
from asset_checks.contracts import CONTRACTS, REJECTS_SCHEMA, unbound
from asset_checks.governance import governance_check
from asset_checks.invariants import mrr_bridge
from asset_checks.validation_gate import gates
from productpulse_assets.automation import daily_refresh, validate_sources
from productpulse_assets.calendar import SCHEMA as CALENDAR_SCHEMA
from productpulse_assets.calendar import calendar
from productpulse_assets.cohorts import cohort_summary, funnel_summary, segment_funnel
from productpulse_assets.customer_months import customer_months
from productpulse_assets.demo import demo_company
from productpulse_assets.health import check_areas, health_scores
from productpulse_assets.metrics import kpi_history, kpi_summary, metric_lineage_asset
from productpulse_assets.publish import exports_asset, published_snapshot_asset
from productpulse_assets.quality import data_quality_scores
from productpulse_assets.reports.business_questions import business_questions
from productpulse_assets.reports.data_quality_report import data_quality_report
from productpulse_assets.reports.executive_summary import executive_summary
from productpulse_assets.reports.metric_definitions import metric_definitions
from productpulse_assets.segments import kpi_by_segment, revenue_drivers
from productpulse_assets.signals import customer_signals
from productpulse_assets.sources.assets import datasets
from productpulse_assets.sources.inventory import SCHEMA as INVENTORY_SCHEMA
from productpulse_assets.sources.inventory import source_inventory
from productpulse_assets.sources.location import load_sources
from resources.outputs import ReportFiles
from resources.settings import CHECKOUT, RunSettings
from resources.warehouse import Warehouse
from rules.catalog import check_against, load_catalog
from rules.files import load
from rules.models import HealthScores
from rules.questions import load_questions

GLOSSARY = CHECKOUT / "rules" / "glossary.yaml"


def model_tables() -> dict[str, ibis.Table]:
    """The tables that metrics may be made of, as expressions over source datasets without data."""
    datasets = {name: unbound(name) for name in CONTRACTS} | {"calendar": unbound_calendar()}
    months = made_of(customer_months, datasets)
    rejects = {f"{name}_rejects": ibis.table(REJECTS_SCHEMA, name=f"{name}_rejects") for name in CONTRACTS}
    inventory = ibis.table(INVENTORY_SCHEMA, name="source_inventory")
    return {
        "customer_months": months,
        "customer_signals": made_of(customer_signals, datasets | {"customer_months": months}),
        "data_quality_scores": made_of(data_quality_scores, datasets | rejects | {"source_inventory": inventory}),
    }


def made_of(asset: dg.AssetsDefinition, tables: dict[str, ibis.Table]) -> ibis.Table:
    """An asset's expression over the tables that it asks for."""
    return asset(**{name: tables[name] for name in asset.keys_by_input_name})


def unbound_calendar() -> ibis.Table:
    """The calendar as a table that exists in no database."""
    return ibis.table(CALENDAR_SCHEMA, name="calendar")


def build() -> dg.Definitions:
    """Read the rules, hold the catalog against the tables it names, and put the graph together.

    Raises RulesError when a file of the rules folder has a mistake.
    """
    sources, catalog, models = load_sources(), load_catalog(), model_tables()
    check_against(catalog, models)
    load_questions(catalog)
    check_areas(load("health_scores", HealthScores), catalog)
    settings = RunSettings.from_environment()
    tolerances = {name: sources.of(name).max_reject_share for name in CONTRACTS}
    tables = [
        source_inventory,
        *datasets,
        calendar,
        customer_months,
        customer_signals,
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
    ]
    reports = [executive_summary, metric_definitions, data_quality_report, business_questions]
    published = {key.path[-1]: definition.descriptions_by_key[key] for definition in tables for key in definition.keys}
    return dg.Definitions(
        assets=[
            demo_company,
            *tables,
            *reports,
            published_snapshot_asset(published, [report.key for report in reports]),
            exports_asset(list(published)),
        ],
        asset_checks=[*gates(tolerances), as_of_checks, mrr_bridge, governance_check(catalog), anomaly_checks(catalog)],
        jobs=[validate_sources([source_inventory, *datasets])],
        schedules=[daily_refresh(sources.time_zone)],
        resources=resources(settings, sources.time_zone),
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
        ),
        "reports": ReportFiles(folder=str(home.reports)),
    }


defs = build()
