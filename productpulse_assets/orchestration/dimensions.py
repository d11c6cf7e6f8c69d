"""Dimensions that the owner adds: a name that one of our tables gives to a column of its own cannot be one."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import ibis.expr.types as ir
from ibis.common.exceptions import IbisError

from asset_checks.contracts import DIMENSIONS
from resources.lineage import column_sources
from rules.loading.files import RulesError

USUAL = ("segment", "plan", "country", "acquisition_channel")
CARRIERS = {"customer_months": "customers", "customer_signals": "customers", "churn_risk_profiles": "customer_signals"}
"""The tables that carry every dimension, and the table from which each takes them as they are."""


def drawn_with_dimensions(draw: Callable[[], dict[str, ir.Table]]) -> dict[str, ir.Table]:
    """The tables that `draw` gives. Raises RulesError when a dimension's name is taken in them: the
    table cannot be drawn then, or its column holds something else."""
    own = [name for name in DIMENSIONS if name not in USUAL]
    try:
        drawn = draw()
    except (IbisError, TypeError) as error:
        if not own:
            raise
        raise _taken(own) from error
    if own and (other := [name for name in own if _is_something_else(name, drawn)]):
        raise _taken(other)
    return drawn


def _is_something_else(name: str, drawn: dict[str, ir.Table]) -> bool:
    return any(column_sources(drawn[table])[name] != {(origin, name)} for table, origin in CARRIERS.items())


def _taken(names: Sequence[str]) -> RulesError:
    which = names[0] if len(names) == 1 else f"one of {', '.join(names)}"
    return RulesError(
        f"segments.yaml: dimensions: {which} cannot be a dimension: the tables that carry it have a column of that "
        f"name already. Give it another name there, such as customer_{names[-1]}, and under datasets > customers > "
        f"columns in sources.yaml its name in your export: customer_{names[-1]}: {names[-1]}."
    )
