"""Assets that are made together: one step of the graph for several, each still an asset of its own."""

import inspect
from collections.abc import Iterator, Mapping, Sequence

import dagster as dg
import ibis.expr.operations as ops
import ibis.expr.types as ir

from resources.warehouse import Warehouse


def one_step(
    name: str,
    assets: Sequence[dg.AssetsDefinition],
    checks: Sequence[dg.AssetChecksDefinition] = (),
    *,
    drawn: Mapping[str, ir.Table],
) -> dg.AssetsDefinition:
    """One step that makes `assets`, in that order, and then runs the `checks` of them.

    A step costs more to start, to record and to end than most of these tables cost to make. Each
    asset keeps its name, description, owners and place in the graph, and can be selected alone; a
    blocking check still stops whatever lies behind the step. An asset here is a function of stored
    tables, which it names as its arguments; what is in `drawn`, by name, was made of such tables already.
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
                made = _drawn(asset, drawn, warehouse)
                made = _called(asset, context, warehouse) if made is None else made
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


def _drawn(asset: dg.AssetsDefinition, drawn: Mapping[str, ir.Table], warehouse: Warehouse) -> ir.Table | None:
    """The asset's expression as it was drawn, if the stored tables have the columns that it was drawn over."""
    expression = drawn.get(asset.key.path[-1])
    if expression is None:
        return None
    stored = {key.path[-1]: warehouse.table(key.path[-1]).schema() for key in asset.keys_by_input_name.values()}
    over = expression.op().find(ops.UnboundTable)
    return expression if all(stored[table.name] == table.schema for table in over) else None


def _called(definition: dg.AssetsDefinition, context: dg.AssetExecutionContext, warehouse: Warehouse) -> object:
    """What the function of an asset or check makes of the tables that it asks for."""
    function = definition.op.compute_fn.decorated_fn
    tables = {name: warehouse.table(key.path[-1]) for name, key in definition.keys_by_input_name.items()}
    return function(context, **tables) if "context" in inspect.signature(function).parameters else function(**tables)
