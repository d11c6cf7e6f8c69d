"""The type of the graph's checks: their specifications, the tables that they read, and their evaluation."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass

import dagster as dg
import ibis.expr.types as ir


@dataclass(frozen=True)
class Check:
    """One or more checks that are evaluated together.

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
            if result.asset_key is None or result.check_name is None:
                raise ValueError("a check yields results with the key of their asset and the name of the check")
            if dg.AssetCheckKey(result.asset_key, result.check_name) in wanted:
                yield result
