"""YAML as plain data of a bounded size: no objects, no key twice, no anchor inside itself, no bomb."""

from __future__ import annotations

import itertools
from typing import Any, NamedTuple

import yaml
from yaml.constructor import ConstructorError

MAX_BYTES = 1 << 20
MAX_VALUES = 100_000
"""Many times what the largest rules file holds; a few lines of anchors can stand for billions of values."""

LARGEST = 1 << 63
"""No whole number of the database is larger."""

MAX_DEPTH = 50
TOO_DEEP = f"nested more than {MAX_DEPTH} levels deep. Write it flatter."
TOO_MANY = f"with its anchors written out it has more than {MAX_VALUES:,} values. Write it shorter."


class NotPlainYaml(Exception):
    """What is wrong with the text, with the line if one is known, as the end of a sentence."""


class Extent(NamedTuple):
    """How many values a node stands for, and over how many levels, with every anchor written out."""

    values: int
    levels: int


def parsed(text: str) -> Any:
    """The one document in the text. Raises NotPlainYaml."""
    try:
        loader = _PlainLoader(text)
        node = loader.get_single_node()
        if node is None:
            return None
        extent = _extent(node, {})
        if extent.levels > MAX_DEPTH:
            raise NotPlainYaml(TOO_DEEP)
        if extent.values > MAX_VALUES:
            raise NotPlainYaml(TOO_MANY)
        return loader.construct_document(node)
    except yaml.YAMLError as error:
        raise NotPlainYaml(_problem(error)) from error
    except RecursionError as error:
        raise NotPlainYaml(TOO_DEEP) from error


def _extent(node: yaml.Node, known: dict[yaml.Node, Extent | None]) -> Extent:
    """Of the node; `known` are those seen before, None for those that this one is inside of."""
    if isinstance(node, yaml.ScalarNode):
        return Extent(1, 0)
    if node in known:
        if (extent := known[node]) is None:
            raise ConstructorError(None, None, "the anchor here is used inside of itself", node.start_mark)
        return extent
    known[node] = None
    parts = itertools.chain.from_iterable(node.value) if isinstance(node, yaml.MappingNode) else node.value
    inside = [_extent(part, known) for part in parts]
    known[node] = Extent(1 + sum(part.values for part in inside), 1 + max((part.levels for part in inside), default=0))
    return known[node]


def _problem(error: yaml.YAMLError) -> str:
    mark = getattr(error, "problem_mark", None)
    if not mark:
        return f"{str(error).splitlines()[0].rstrip('.')}."
    # Some problems are only the second half of what the context begins.
    begun = f"{error.context}, " if str(error.problem).startswith("but ") else ""
    return f"line {mark.line + 1}: {begun}{error.problem}."


class _PlainLoader(yaml.SafeLoader):
    """A SafeLoader that refuses what SafeLoader lets pass or fails on with an error of Python's."""

    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict:
        """YAML keeps the last of two equal keys and says nothing; a metric would be lost that way."""
        seen: set = set()
        for key_node, _ in node.value if isinstance(node, yaml.MappingNode) else ():
            if isinstance(key_node, yaml.ScalarNode):
                if key_node.value in seen:
                    raise ConstructorError(None, None, f"{_shown(key_node)} is defined twice", key_node.start_mark)
                seen.add(key_node.value)
        return super().construct_mapping(node, deep)

    def construct_object(self, node: yaml.Node, deep: bool = False) -> Any:
        """A day such as 2026-02-30, or text that a tag calls a number."""
        try:
            value = super().construct_object(node, deep)
        except (ValueError, LookupError, AttributeError, TypeError) as error:
            told = f"{_shown(node)} cannot be read as {node.tag.rpartition(':')[2]}; put it in quotes if it is text"
            raise ConstructorError(None, None, told, node.start_mark) from error
        if isinstance(value, int) and abs(value) > LARGEST:
            raise ConstructorError(None, None, f"{_shown(node)} is too large a number", node.start_mark)
        return value


def _shown(node: yaml.ScalarNode) -> str:
    return repr(node.value if len(node.value) <= 60 else f"{node.value[:57]}...")
