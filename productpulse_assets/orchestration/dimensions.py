"""Dimensions that the rules add: their names must not be those of columns that our tables compute."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager

import ibis.expr.types as ir
from ibis.common.exceptions import IbisError

from resources.lineage import column_sources
from rules.loading.problems import Problem, RulesError, invalid
from rules.rule_set import Rules

USUAL = ("segment", "plan", "country", "acquisition_channel")
CARRIERS = {"customer_months": "customers", "customer_signals": "customers", "churn_risk_profiles": "customer_signals"}
"""The tables that have every dimension, and the table from which each copies them."""


def own_dimensions(rules: Rules) -> list[str]:
    """The dimensions that the rules add to the usual ones."""
    return [name for name in rules.dimensions if name not in USUAL]


@contextmanager
def own_dimensions_named(rules: Rules) -> Iterator[None]:
    """Raise RulesError if a query cannot be built and the rules add dimensions: one of the names is taken."""
    try:
        yield
    except (IbisError, TypeError) as error:
        if own := own_dimensions(rules):
            raise _taken(rules, own) from error
        raise


def check_dimensions(rules: Rules, queries: Mapping[str, ir.Table]) -> None:
    """Raise RulesError for a dimension whose column is another one in a table that has the dimensions."""
    if other := [name for name in own_dimensions(rules) if _is_something_else(name, queries)]:
        raise _taken(rules, other)


def _is_something_else(name: str, queries: Mapping[str, ir.Table]) -> bool:
    return any(column_sources(queries[table])[name] != {(origin, name)} for table, origin in CARRIERS.items())


def _taken(rules: Rules, names: Sequence[str]) -> RulesError:
    which = names[0] if len(names) == 1 else f"one of {', '.join(names)}"
    problem = Problem(
        "rules.dimension_taken",
        "dimensions",
        f"{which} cannot be a dimension: the tables that carry it have a column of that "
        f"name already. Give it another name there, such as customer_{names[-1]}, and under datasets > customers > "
        f"columns in sources.yaml its name in your export: customer_{names[-1]}: {names[-1]}",
    )
    return invalid(rules.path("segments"), [problem])
