"""YAML as plain data of a limited size: no objects, no duplicate keys, no anchor inside itself, no anchor bombs."""

from __future__ import annotations

import itertools
from collections.abc import Hashable
from typing import Any, NamedTuple

import yaml

from rules.text.errors import ProductPulseError

MAX_BYTES = 1 << 20
MAX_VALUES = 100_000
"""Many times what the largest rules file holds; a few lines of anchors can stand for billions of values."""

LARGEST = 1 << 63
"""The database has no larger whole number."""

MAX_DEPTH = 50


class NotPlainYaml(ProductPulseError):
    """What is wrong with the text, with the line if it is known, as the end of a sentence."""


class Extent(NamedTuple):
    """How many values a node stands for, and over how many levels, with every anchor written out."""

    values: int
    levels: int


def parse_yaml(text: str) -> Any:
    """The one document in the text, None where there is none. Raises NotPlainYaml."""
    try:
        loader = _PlainLoader(text)
        node = loader.get_single_node()
        if node is None:
            return None
        extent = _extent(node, {})
        if extent.levels > MAX_DEPTH:
            raise _too_deep()
        if extent.values > MAX_VALUES:
            raise NotPlainYaml(
                "rules.too_many_values",
                f"with its anchors written out it has more than {MAX_VALUES:,} values. Write it shorter.",
            )
        return loader.construct_document(node)
    except yaml.YAMLError as error:
        raise NotPlainYaml("rules.yaml_syntax", _syntax_problem(error)) from error
    except RecursionError as error:
        raise _too_deep() from error


def _too_deep() -> NotPlainYaml:
    return NotPlainYaml("rules.too_deep", f"nested more than {MAX_DEPTH} levels deep. Write it flatter.")


def _extent(node: yaml.Node, known: dict[yaml.Node, Extent | None]) -> Extent:
    """The extent of the node; `known` has the nodes seen before, with None for those that contain this one."""
    if isinstance(node, yaml.ScalarNode):
        return Extent(1, 0)
    if node in known:
        extent = known[node]
        if extent is None:
            raise NotPlainYaml("rules.anchor_in_itself", _at(node, "the anchor here is used inside itself"))
        return extent
    known[node] = None
    parts = itertools.chain.from_iterable(node.value) if isinstance(node, yaml.MappingNode) else node.value
    inside = [_extent(part, known) for part in parts]
    extent = Extent(1 + sum(part.values for part in inside), 1 + max((part.levels for part in inside), default=0))
    known[node] = extent
    return extent


def _at(node: yaml.Node, problem: str) -> str:
    """The problem with the line of its node."""
    return f"line {node.start_mark.line + 1}: {problem}."


def _syntax_problem(error: yaml.YAMLError) -> str:
    """The parser's own words, with the line if it knows it."""
    if not isinstance(error, yaml.MarkedYAMLError) or error.problem_mark is None:
        return f"{str(error).splitlines()[0].rstrip('.')}."
    # Some problems are only the second half of a sentence that the context begins.
    context = f"{error.context}, " if str(error.problem).startswith("but ") else ""
    return f"line {error.problem_mark.line + 1}: {context}{error.problem}."


class _PlainLoader(yaml.SafeLoader):
    """A SafeLoader that also refuses duplicate keys, and values that PyYAML fails on with an error of Python's."""

    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict[Hashable, Any]:
        """PyYAML silently keeps the last of two equal keys; a metric would be lost that way."""
        seen: set[str] = set()
        for key_node, _ in node.value if isinstance(node, yaml.MappingNode) else ():
            if isinstance(key_node, yaml.ScalarNode):
                if key_node.value in seen:
                    raise NotPlainYaml(
                        "rules.duplicate_key", _at(key_node, f"{_value_text(key_node)} is defined twice")
                    )
                seen.add(key_node.value)
        return super().construct_mapping(node, deep)

    def construct_object(self, node: yaml.Node, deep: bool = False) -> Any:
        """Refuses a date such as 2026-02-30, and text with the tag of a number."""
        try:
            value = super().construct_object(node, deep)
        except (ValueError, LookupError, AttributeError, TypeError) as error:
            problem = (
                f"{_value_text(node)} cannot be read as {node.tag.rpartition(':')[2]}; put it in quotes if it is text"
            )
            raise NotPlainYaml("rules.unreadable_value", _at(node, problem)) from error
        if isinstance(value, int) and abs(value) > LARGEST:
            raise NotPlainYaml("rules.number_too_large", _at(node, f"{_value_text(node)} is too large a number"))
        return value


def _value_text(node: yaml.Node) -> str:
    text = str(node.value)
    return repr(text if len(text) <= 60 else f"{text[:57]}...")
