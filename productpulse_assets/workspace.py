"""The Definitions that Dagster's servers load: the graph, and past days as partitions of it.

Partitions are not in `productpulse_assets.definitions`, because Dagster's command line materializes no selection with
partitions and other assets together, such as `--select '*'`.
"""

import dagster as dg

from productpulse_assets.definitions import build
from productpulse_assets.orchestration.history_partitions import history_assets
from resources.settings import Settings
from rules.rule_set import read_rules


@dg.definitions
def defs() -> dg.Definitions:
    """The graph as the environment sets it, with the assets of the history."""
    settings = Settings()
    return dg.Definitions.merge(
        build(settings), dg.Definitions(assets=history_assets(settings, read_rules(settings.rules_dir)))
    )
