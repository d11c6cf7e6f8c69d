"""The SQL of the queries that are not in the compiled graph, kept from run to run.

The queries of sources, checks and reports depend on what is found, so they are not compiled ahead; but most runs build
the same ones again. To describe an expression takes a fiftieth of the time that Ibis needs to turn it into SQL: the
statement of each description is kept, and only new expressions are turned into SQL.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path

import ibis.expr.operations as ops
import ibis.expr.types as ir
from ibis.backends import BaseBackend

from resources.digests import digest_of
from resources.outputs import atomic_file

FILE = "statements.json"
MOST = 2_000
"""With more statements than these, the file keeps those of the last run alone."""


@dataclass
class Kept:
    """The statements of a run by the digests of their expressions; None outside a run, which keeps none."""

    statements: dict[str, str] | None = None
    used: set[str] = field(default_factory=set)


_kept = Kept()


@contextmanager
def kept_statements(folder: Path, fingerprint: str) -> Iterator[None]:
    """In this block statements are looked up and remembered; new ones are in the file in `folder` afterwards.

    `fingerprint` is that of the program and the libraries that write SQL. A file with another one is not used, nor is a
    file that is damaged.
    """
    path = folder / FILE
    found = load_statements(path, fingerprint)
    statements, before = dict(found), _kept.statements
    _kept.statements, _kept.used = statements, set()
    try:
        yield
    finally:
        _kept.statements = before
    if statements.keys() - found.keys():
        written = {key: sql for key, sql in statements.items() if len(statements) <= MOST or key in _kept.used}
        with suppress(OSError):
            write_statements(path, fingerprint, written)


def _content(fingerprint: str, statements: Mapping[str, str]) -> dict[str, object]:
    digest = digest_of([fingerprint, json.dumps(statements)])
    return {"fingerprint": fingerprint, "sha256": digest, "statements": statements}


def write_statements(path: Path, fingerprint: str, statements: Mapping[str, str]) -> None:
    """Replace the file of kept statements."""
    with atomic_file(path) as part:
        part.write_text(json.dumps(_content(fingerprint, statements), indent=1) + "\n", encoding="utf-8")


def load_statements(path: Path, fingerprint: str) -> dict[str, str]:
    """The statements of a file; none of one that is missing, damaged, or of another fingerprint."""
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
        statements: dict[str, str] = content["statements"]
        return statements if content == _content(fingerprint, statements) else {}
    except (OSError, ValueError, LookupError, TypeError):
        return {}


@dataclass
class Description:
    """What an expression is, part by part: equal for equal expressions alone, in any process.

    in_memory: the names of its tables in memory, which differ from process to process and are not in the parts.
    backend: the database that its tables are in; None if it has none.
    """

    parts: list[str] = field(default_factory=list)
    in_memory: list[str] = field(default_factory=list)
    backend: BaseBackend | None = None
    _numbers: dict[int, str] = field(default_factory=dict)

    def add(self, part: object) -> str:
        """A short text for a part of an expression; a node is described once, and later named by its number."""
        if isinstance(part, ops.Node):
            return self._numbers.get(id(part)) or self._add_node(part)
        if isinstance(part, Mapping):
            return "{" + ",".join([f"{name!r}:{self.add(each)}" for name, each in part.items()]) + "}"
        if isinstance(part, tuple):
            return "(" + ",".join([self.add(each) for each in part]) + ")"
        if isinstance(part, frozenset):  # such as the columns of a drop, whose order differs from process to process
            return f"{sorted(map(self.add, part))}"
        if isinstance(part, BaseBackend):
            self.backend = part
            return str(part.name)
        return f"{type(part).__name__} {part!r}"

    def _add_node(self, node: ops.Node) -> str:
        if isinstance(node, ops.InMemoryTable):
            self.in_memory.append(node.name)
            text = self.add(node.schema)
        else:
            text = ",".join([self.add(each) for each in node.__args__])
        self.parts.append(f"{type(node).__name__}({text})")
        return self._numbers.setdefault(id(node), f"#{len(self.parts)}")


def describe_expression(table: ir.Table) -> Description:
    """The description of an expression."""
    description = Description()
    description.add(table.op())
    return description


def kept_statement(write: Callable[[], str], description: Description, *settings: str) -> str:
    """The statement that `write` returns for an expression and these settings; a kept one if there is one."""
    statements = _kept.statements
    if statements is None:
        return write()
    key = digest_of([*settings, "", *description.parts])
    places = [(name, f"in_memory_table_{number}_") for number, name in enumerate(description.in_memory)]
    if key not in statements:
        statements[key] = _replaced(write(), places)
    _kept.used.add(key)
    return _replaced(statements[key], [(place, name) for name, place in places])


def _replaced(sql: str, names: list[tuple[str, str]]) -> str:
    for old, new in names:
        sql = sql.replace(old, new)
    return sql
