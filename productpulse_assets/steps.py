"""Assets that are made together: one step of the graph for several, each still an asset of its own."""

import inspect
from collections.abc import Iterator, Sequence

import dagster as dg

from resources.warehouse import Warehouse


def one_step(
    name: str, assets: Sequence[dg.AssetsDefinition], checks: Sequence[dg.AssetChecksDefinition] = ()
) -> dg.AssetsDefinition:
    """One step that makes `assets`, in that order, and then runs the `checks` of them.

    A step costs more to start, to record and to end than most of these tables cost to make. Each
    asset keeps its name, description, owners and place in the graph, and can be selected alone; a
    blocking check still stops whatever lies behind the step. An asset here is a function of stored
    tables, which it names as its arguments.
    """

    @dg.multi_asset(
        name=name,
        specs=[_spec(asset) for asset in assets],
        check_specs=[spec for check in checks for spec in check.check_specs],
        can_subset=True,
        required_resource_keys={"warehouse"}.union(*(asset.required_resource_keys for asset in assets)),
    )
    def step(context: dg.AssetExecutionContext) -> Iterator[dg.MaterializeResult | dg.AssetCheckResult]:
        warehouse: Warehouse = context.resources.warehouse
        for asset in assets:
            if asset.key in context.selected_asset_keys:
                made = _called(asset, context, warehouse)
                value, told = (made.value, made.metadata) if isinstance(made, dg.Output) else (made, None)
                yield dg.MaterializeResult(asset.key, metadata=told, value=value)
        for check in checks:
            if check.check_keys & context.selected_asset_check_keys:
                found = _called(check, context, warehouse)
                yield from [found] if isinstance(found, dg.AssetCheckResult) else found

    return step


def _spec(asset: dg.AssetsDefinition) -> dg.AssetSpec:
    (spec,) = asset.specs
    return spec.with_io_manager_key(asset.get_io_manager_key_for_asset_key(asset.key))


def _called(definition: dg.AssetsDefinition, context: dg.AssetExecutionContext, warehouse: Warehouse) -> object:
    """What the function of an asset or check makes of the tables that it asks for."""
    function = definition.op.compute_fn.decorated_fn
    tables = {name: warehouse.table(key.path[-1]) for name, key in definition.keys_by_input_name.items()}
    return function(context, **tables) if "context" in inspect.signature(function).parameters else function(**tables)
