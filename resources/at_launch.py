"""Resources and executor of a run: the program sets them, never the configuration of a launch.

Everyone who can open Dagster's UI can launch a run with a configuration of their own. If a path, a connection
setting or a step's retry policy could be set there, it could be used to read files or to run code.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack

import dagster as dg

from resources.warehouse import Warehouse
from rules.text.errors import ProductPulseError

NOTHING: dict[str, object] = {}
"""A configuration schema in which nothing can be set. To Dagster, no schema means that anything can be set."""


def constant_resource(value: object) -> dg.ResourceDefinition:
    """A resource that has this value in every run."""
    if isinstance(value, dg.IOManager):
        manager = value
        return dg.IOManagerDefinition(resource_fn=lambda _context: manager, config_schema=NOTHING)
    return dg.ResourceDefinition(resource_fn=lambda _context: value, config_schema=NOTHING)


def warehouse_resource(warehouse: Warehouse) -> dg.IOManagerDefinition:
    """The warehouse, which is open while a run works."""

    @dg.io_manager(config_schema=NOTHING)  # type: ignore[arg-type]  # it may yield: Dagster documents it so
    def warehouse_of_run(context: dg.InitResourceContext) -> Iterator[Warehouse]:
        with ExitStack() as stack:
            try:
                ready = stack.enter_context(warehouse.open_for_run(context))
            except ProductPulseError as error:
                # Dagster records the error of a resource as text with a traceback; the sentence alone is in its log.
                assert context.log  # Dagster gives every run one
                context.log.error(str(error))
                raise
            yield ready

    return warehouse_of_run


executor = dg.in_process_executor.configured(lambda _nothing: {"retries": {"enabled": {}}}, config_schema=NOTHING)
"""One process for all steps, since DuckDB takes one writing process per file."""
