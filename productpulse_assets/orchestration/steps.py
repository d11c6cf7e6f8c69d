"""One step of the graph for each group: its assets in order, then their checks."""

from collections.abc import Iterator, Sequence

import dagster as dg
import ibis.expr.types as ir

from asset_checks.checks import Check
from productpulse_assets.facts.calendar import FORCED
from productpulse_assets.tables import Declaration, Run
from resources.compiled_plan import CompiledTable, Plan
from resources.failures import step_failures
from resources.settings import Settings
from resources.tables import table_of
from resources.warehouse import Warehouse
from rules.rule_set import Rules
from rules.today import company_today


def group_step(
    name: str,
    assets: Sequence[Declaration],
    checks: Sequence[Check] = (),
    *,
    rules: Rules,
    settings: Settings,
) -> dg.AssetsDefinition:
    """One step that materializes `assets`, in that order, and then evaluates `checks`.

    To start, record and end a step takes longer than to compute most of these tables. Each asset keeps its name,
    description, owner and place in the graph, and can be selected alone; a failed blocking check stops the steps after
    this one.
    """
    specs = [asset.spec for asset in assets]

    @dg.multi_asset(
        name=name,
        specs=specs,
        check_specs=[spec for check in checks for spec in check.specs],
        can_subset=True,
        required_resource_keys={"warehouse", "plan"},
        config_schema={},
    )
    def step(context: dg.AssetExecutionContext) -> Iterator[dg.MaterializeResult[object] | dg.AssetCheckResult]:
        warehouse: Warehouse = context.resources.warehouse
        plan: Plan = context.resources.plan
        run = Run(company_today(rules.sources.time_zone), is_forced=FORCED in context.run.tags)
        with step_failures():
            for asset, spec in zip(assets, specs, strict=True):
                if spec.key in context.selected_asset_keys:
                    yield materialize(asset, warehouse, rules=rules, settings=settings, plan=plan, run=run)
            for check in checks:
                if selected := check.keys & set(context.selected_asset_check_keys):
                    yield from check.results(warehouse.table, selected)

    return step


def materialize(
    asset: Declaration, warehouse: Warehouse, *, rules: Rules, settings: Settings, plan: Plan, run: Run
) -> dg.MaterializeResult[object]:
    """The value of an asset, which its IO manager stores: a compiled query, a table of rows, or a text."""
    value: CompiledTable | ir.Table | str
    metadata = None
    if asset.is_query:
        value = plan.tables[asset.name]
        warehouse.require(asset.inputs)
    else:
        value = asset.call(warehouse.table, rules=rules, settings=settings, plan=plan, run=run)
        metadata = asset.metadata_of(value) if asset.metadata_of else None
        value = table_of(value, asset.schema) if asset.schema and isinstance(value, list) else value
    return dg.MaterializeResult(asset.name, metadata=metadata, value=value)


def check_step(name: str, *checks: Check) -> dg.AssetChecksDefinition:
    """Checks whose tables belong to several groups, as a step of their own."""

    @dg.multi_asset_check(
        name=name,
        specs=[spec for check in checks for spec in check.specs],
        can_subset=True,
        required_resource_keys={"warehouse"},
        config_schema={},
    )
    def step(context: dg.AssetCheckExecutionContext) -> Iterator[dg.AssetCheckResult]:
        warehouse: Warehouse = context.resources.warehouse
        with step_failures():
            for check in checks:
                yield from check.results(warehouse.table, set(context.selected_asset_check_keys))

    return step
