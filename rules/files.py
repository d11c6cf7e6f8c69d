"""Reading the YAML of the rules folder, with errors that say where and what is accepted."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any, TypeVar

import pydantic
import yaml

UNION_TAGS = ("Trailing", "Measure", "Ratio", "Derived", "str", "int", "float")
"""What Pydantic adds to an error's place when a value may be one of several kinds."""

Model = TypeVar("Model", bound=pydantic.BaseModel)


class RulesError(Exception):
    """A file of the rules folder cannot be used; the message says file, entry, field and remedy."""


def rules_dir() -> Path:
    """PRODUCTPULSE_RULES_DIR, else the rules that come with the program."""
    given = os.environ.get("PRODUCTPULSE_RULES_DIR")
    return Path(given).expanduser().resolve() if given else Path(__file__).resolve().parent


def rules_file(name: str) -> Path:
    return rules_dir() / f"{name}.yaml"


def file_hash(name: str) -> str:
    """The first 12 hex digits of the SHA-256 of a rules file: it changes when the rules do."""
    return hashlib.sha256(rules_file(name).read_bytes()).hexdigest()[:12]


def load(name: str, model: type[Model]) -> Model:
    """`<rules folder>/<name>.yaml` as a `model`; raises RulesError with every mistake in it."""
    path = rules_file(name)
    content = _read(path)
    try:
        return model.model_validate(content)
    except pydantic.ValidationError as error:
        found = error.errors(include_url=False)
        problems = "\n".join(f"  {_problem(issue, content)}" for issue in found)
        raise RulesError(f"{path.name} cannot be used ({path}):\n{problems}") from error


def _read(path: Path) -> dict[str, Any]:
    try:
        text = path.read_text(encoding="utf-8")
    except OSError as error:
        raise RulesError(
            f"{path.name} cannot be read at {path}: {error.strerror or error}. "
            "Put it there, or set PRODUCTPULSE_RULES_DIR to a folder that has it."
        ) from error
    except UnicodeDecodeError as error:
        raise RulesError(f"{path.name} is not UTF-8 text ({path}). Save it as UTF-8.") from error
    try:
        content = yaml.load(text, Loader=_UniqueKeys)  # a SafeLoader: plain data, no objects
    except (yaml.YAMLError, RecursionError) as error:
        raise RulesError(f"{path.name} is not valid YAML ({path}): {_yaml_problem(error)}") from error
    if not isinstance(content, dict):
        found = "empty" if content is None else f"a {type(content).__name__}"
        raise RulesError(f"{path.name} is {found}; a mapping of names to values is expected ({path}).")
    return content


class _UniqueKeys(yaml.SafeLoader):
    """YAML keeps the last of two equal keys and says nothing; a metric would be lost that way."""

    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict:
        seen: set = set()
        for key_node, _ in node.value:
            key = key_node.value
            if isinstance(key_node, yaml.ScalarNode) and key in seen:
                raise yaml.constructor.ConstructorError(None, None, f"'{key}' is defined twice", key_node.start_mark)
            seen.add(key if isinstance(key_node, yaml.ScalarNode) else None)
        return super().construct_mapping(node, deep)


def _yaml_problem(error: Exception) -> str:
    mark = getattr(error, "problem_mark", None)
    what = getattr(error, "problem", None) or "nested too deeply"
    return f"line {mark.line + 1}: {what}." if mark else f"{what}."


def _problem(issue: Mapping[str, Any], content: Any) -> str:
    path = " > ".join(str(part) for part in issue["loc"] if not _is_union_tag(part))
    accepted = issue.get("ctx", {}).get("expected")
    if issue["type"] == "missing":
        return f"{path}: is missing."
    if issue["type"] == "extra_forbidden":
        return f"{path}: is not a known key."
    if accepted:
        return f"{path}: is {_shown(issue['input'])}; accepted: {accepted}."
    message = issue["msg"].removeprefix("Value error, ")
    return f"{path}: is {_shown(issue['input'])}; {message[0].lower()}{message[1:].rstrip('.')}."


def _is_union_tag(part: Any) -> bool:
    return isinstance(part, str) and (part.startswith("function-") or (part[:1].isupper() and "[" in part))


def _shown(value: Any) -> str:
    text = repr(value)
    return text if len(text) <= 60 else f"{text[:57]}..."
