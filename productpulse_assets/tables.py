"""How a table of the graph is declared: a plain function, and a declaration attached to it."""

from __future__ import annotations

import datetime as dt
import inspect
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, TypeVar

import dagster as dg
import ibis
import ibis.expr.types as ir

Rows = list[dict[str, Any]]

Function = TypeVar("Function", bound=Callable[..., Any])

CONTEXT = ("rules", "settings", "plan", "run")
"""Parameters that are not tables: the rules, the settings, the compiled plan, and the `Run`."""

DAILY = dg.FreshnessPolicy.time_window(warn_window=dt.timedelta(hours=25), fail_window=dt.timedelta(days=2))
"""Freshness of published files: a warning when the daily run is an hour late, a failure after two days."""


@dataclass(frozen=True)
class Run:
    """What a table may know of the run besides its settings.

    today: the day in the company's time zone, the only clock. is_forced: the as-of date may be long after the newest
    event.
    """

    today: dt.date
    is_forced: bool = False


@dataclass(frozen=True)
class Declaration:
    """An asset of the graph: its function, and what the graph needs besides.

    inputs: the tables that it reads. takes: its parameters out of CONTEXT. schema: the columns of a table whose
    function returns rows, which it computes in Python or reads; without one, the function of a table returns one Ibis
    expression over its inputs, which is compiled ahead of the run. metadata_of: further metadata from the rows.
    """

    name: str
    group: str
    owner: str
    io_manager: str
    kinds: frozenset[str]
    function: Callable[..., Any]
    inputs: tuple[str, ...]
    takes: tuple[str, ...]
    schema: ibis.Schema | None = None
    metadata: Mapping[str, Any] = field(default_factory=dict)
    metadata_of: Callable[[Rows], dict[str, Any]] | None = None
    freshness: dg.FreshnessPolicy | None = None

    @property
    def description(self) -> str:
        """The function's docstring, as the UI shows it."""
        return inspect.getdoc(self.function) or ""

    @property
    def is_query(self) -> bool:
        """Whether the function returns an expression that is compiled ahead of the run."""
        return self.io_manager == "warehouse" and self.schema is None

    @property
    def spec(self) -> dg.AssetSpec:
        """The asset's specification for Dagster."""
        return dg.AssetSpec(
            self.name,
            deps=list(self.inputs),
            description=self.description,
            group_name=self.group,
            owners=[self.owner],
            kinds=set(self.kinds),
            metadata=dict(self.metadata),
            freshness_policy=self.freshness,
        ).with_io_manager_key(self.io_manager)

    def call(self, tables: Callable[[str], ir.Table], **context: Any) -> Any:
        """The result of the function; `tables` returns a stored table by its name."""
        asked = {name: context[name] for name in self.takes}
        return self.function(**asked, **{name: tables(name) for name in self.inputs})


def table(
    *,
    group: str,
    owner: str,
    key: tuple[str, ...],
    schema: ibis.Schema | None = None,
    reads: tuple[str, ...] = (),
    metadata_of: Callable[[Rows], dict[str, Any]] | None = None,
    personal: tuple[str, ...] = (),
) -> Callable[[Function], Function]:
    """Declare a function as a table of the graph; the function itself does not change.

    Its parameters name the tables that it reads and what it needs out of CONTEXT; `reads` are further tables, which
    come as keyword arguments. `key` identifies a row and orders the stored rows. `schema` marks a function that
    returns rows of these columns instead of one expression over its inputs. `personal` are columns whose personal
    data does not come from the inputs; previews mask them too.
    """

    def declare(function: Function) -> Function:
        inputs, takes = _parameters(function)
        function.declaration = Declaration(  # type: ignore[attr-defined]  # a function has no such field
            name=function.__name__,
            group=group,
            owner=owner,
            io_manager="warehouse",
            kinds=frozenset({"python", "duckdb"} if schema else {"duckdb"}),
            function=function,
            inputs=(*inputs, *reads),
            takes=takes,
            schema=schema,
            metadata={"key": list(key)} | ({"personal": list(personal)} if personal else {}),
            metadata_of=metadata_of,
        )
        return function

    return declare


def report(
    *,
    owner: str,
    name: str | None = None,
    file: str | None = None,
    kind: str = "markdown",
    reads: tuple[str, ...] = (),
    freshness: dg.FreshnessPolicy | None = None,
) -> Callable[[Function], Function]:
    """Declare a function that returns a text as a report of the graph.

    `file` is the name of its file where that is not the asset's own.
    """

    def declare(function: Function) -> Function:
        inputs, takes = _parameters(function)
        function.declaration = Declaration(  # type: ignore[attr-defined]  # a function has no such field
            name=name or function.__name__,
            group="reports",
            owner=owner,
            io_manager="reports",
            kinds=frozenset({kind}),
            function=function,
            inputs=(*inputs, *reads),
            takes=takes,
            metadata={"file": file} if file else {},
            freshness=freshness,
        )
        return function

    return declare


def declaration_of(function: Callable[..., Any]) -> Declaration:
    """The declaration that `table` or `report` attached to a function."""
    declaration: Declaration = function.declaration  # type: ignore[attr-defined]  # a function has no such field
    return declaration


def _parameters(function: Callable[..., Any]) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """The tables that a function reads, and its parameters out of CONTEXT."""
    parameters = inspect.signature(function).parameters.values()
    named = [each.name for each in parameters if each.kind is not inspect.Parameter.VAR_KEYWORD]
    return (
        tuple(name for name in named if name not in CONTEXT),
        tuple(name for name in named if name in CONTEXT),
    )
