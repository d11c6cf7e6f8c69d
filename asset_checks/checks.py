"""What a check of the graph is: what it says it checks, the tables it reads, and how it decides."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass

import dagster as dg
import ibis.expr.types as ir


@dataclass(frozen=True)
class Check:
    """One or several checks that are evaluated together.

    `evaluate` gets the tables of `inputs` by name and yields a result for each spec, in any order.
    """

    specs: tuple[dg.AssetCheckSpec, ...]
    inputs: tuple[str, ...]
    evaluate: Callable[..., Iterator[dg.AssetCheckResult]]

    @property
    def keys(self) -> set[dg.AssetCheckKey]:
        """The keys of the checks."""
        return {spec.key for spec in self.specs}

    def results(
        self, tables: Callable[[str], ir.Table], wanted: set[dg.AssetCheckKey]
    ) -> Iterator[dg.AssetCheckResult]:
        """The results of the checks in `wanted`; `tables` gives a stored table by its name."""
        for result in self.evaluate(**{name: tables(name) for name in self.inputs}):
            if dg.AssetCheckKey(result.asset_key, result.check_name) in wanted:
                yield result
