"""What a run is given to work with: decided by the program, never by the configuration of a launch.

Whoever can reach Dagster's UI can launch a run with a configuration of their own. A path, a connection
setting or a step's retry policy that could be set there would be a way to read files or to run code.
"""

from __future__ import annotations

from collections.abc import Iterator

import dagster as dg

from resources.warehouse import Warehouse

NOTHING: dict[str, object] = {}
"""A configuration schema in which nothing can be set. Dagster takes none at all for one that takes anything."""


def fixed(value: object) -> dg.ResourceDefinition:
    """A resource that is this value in every run."""
    kind = dg.IOManagerDefinition if isinstance(value, dg.IOManager) else dg.ResourceDefinition
    return kind(resource_fn=lambda _context: value, config_schema=NOTHING)


def opened(warehouse: Warehouse) -> dg.IOManagerDefinition:
    """The warehouse, open while a run works."""

    @dg.io_manager(config_schema=NOTHING)
    def warehouse_of_run(context: dg.InitResourceContext) -> Iterator[Warehouse]:
        with warehouse.opened(context) as ready:
            yield ready

    return warehouse_of_run


executor = dg.in_process_executor.configured(lambda _nothing: {"retries": {"enabled": {}}}, config_schema=NOTHING)
"""One process for all steps, since DuckDB takes one writing process per file."""
