"""YAML as plain data of a bounded size: no objects, no key twice, no anchor inside itself, no bomb."""

from __future__ import annotations

from typing import Any

import yaml
from yaml.constructor import ConstructorError

MAX_BYTES = 1 << 20
MAX_VALUES = 100_000
"""Many times what the largest rules file holds; a few lines of anchors can stand for billions of values."""

LARGEST = 1 << 63
"""No whole number of the database is larger."""

Sizes = dict[yaml.Node, int | None]
"""How many values a node stands for with every anchor written out; None while that is being counted."""


class NotPlainYaml(Exception):
    """What is wrong with the text, with the line if one is known, as the end of a sentence."""


def parsed(text: str) -> Any:
    """The one document in the text. Raises NotPlainYaml."""
    loader = _PlainLoader(text)
    try:
        node = loader.get_single_node()
        if node is None:
            return None
        if _size(node, {}) > MAX_VALUES:
            raise NotPlainYaml(
                f"with its anchors written out it has more than {MAX_VALUES:,} values. Write it shorter."
            )
        return loader.construct_document(node)
    except yaml.YAMLError as error:
        raise NotPlainYaml(_problem(error)) from error
    except RecursionError as error:
        raise NotPlainYaml("nested too deeply.") from error
    finally:
        loader.dispose()


def _size(node: yaml.Node, sizes: Sizes) -> int:
    if isinstance(node, yaml.ScalarNode):
        return 1
    if node in sizes:
        if (size := sizes[node]) is None:
            raise ConstructorError(None, None, "the anchor here is used inside of itself", node.start_mark)
        return size
    sizes[node] = None
    if isinstance(node, yaml.MappingNode):
        size = sum(_size(key, sizes) + _size(value, sizes) for key, value in node.value)
    else:
        size = sum(_size(item, sizes) for item in node.value)
    sizes[node] = size + 1
    return size + 1


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
        for key_node, _ in node.value:
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
