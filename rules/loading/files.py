"""Reading the YAML of the rules folder, with errors that say where and what is accepted."""

from __future__ import annotations

import functools
import hashlib
from collections.abc import Iterable, Iterator, Mapping, Sequence
from decimal import Decimal
from pathlib import Path
from typing import Any, Literal, TypeVar, get_args, get_origin

import pydantic
from pydantic_core import ErrorDetails, InitErrorDetails, PydanticCustomError

from rules.loading.safe_yaml import MAX_BYTES, NotPlainYaml, parsed
from rules.text.formats import visible

EXPECTED = {
    "string_type": "text",
    "string_too_short": "a text that is not empty",
    "string_pattern_mismatch": "text that matches {pattern}",
    "int_type": "a whole number",
    "float_type": "a number",
    "bool_type": "true or false",
    "dict_type": "a mapping of names to values",
    "model_type": "a mapping of names to values",
    "tuple_type": "a list",
    "list_type": "a list",
    "greater_than": "more than {gt}",
    "greater_than_equal": "{ge} or more",
    "less_than": "less than {lt}",
    "less_than_equal": "{le} or less",
    "too_short": "at least {min_length} of them",
}
"""What is accepted, by Pydantic's name for the mistake; others are said in Pydantic's words."""

MISSING_KEY, UNKNOWN_KEY = KEY_PROBLEMS = ("missing_key", "unknown_key")
KINDS = {str: "text", int: "a whole number", float: "a number"}
IN_KEY = "[key]"
"""Pydantic's place of a mistake in a key itself."""

PLACE_LIMIT = 300

Model = TypeVar("Model", bound=pydantic.BaseModel)


class Strict(pydantic.BaseModel):
    """A mapping of the files with exactly these keys, of exactly these types."""

    model_config = pydantic.ConfigDict(extra="forbid", strict=True, frozen=True)

    @classmethod
    def keys(cls) -> tuple[str, ...]:
        """What the file may say here."""
        return tuple(cls.model_fields)

    @pydantic.model_validator(mode="wrap")
    @classmethod
    def _with_accepted_keys(cls, data: Any, handler: pydantic.ModelWrapValidatorHandler) -> Any:
        """Pydantic says that a key is missing or too many, but not what would be accepted."""
        try:
            return handler(data)
        except pydantic.ValidationError as error:
            issues = [cls._explained(issue) for issue in error.errors(include_url=False)]
            raise pydantic.ValidationError.from_exception_data(cls.__name__, issues) from error

    @classmethod
    def _explained(cls, issue: ErrorDetails) -> InitErrorDetails:
        kind: str | PydanticCustomError = issue["type"]
        is_here = len(issue["loc"]) == 1
        if kind == "extra_forbidden" and is_here:
            kind = PydanticCustomError(UNKNOWN_KEY, "is not a known key", {"expected": ", ".join(cls.keys())})
        elif kind == "missing" and is_here:
            kind = PydanticCustomError(MISSING_KEY, "is missing", {"expected": cls._accepted_in(issue["loc"][0])})
        elif kind in KEY_PROBLEMS:
            kind = PydanticCustomError(kind, issue["msg"], issue["ctx"])
        return InitErrorDetails(type=kind, loc=issue["loc"], input=issue["input"], ctx=issue.get("ctx", {}))

    @classmethod
    def _accepted_in(cls, field: str) -> str:
        annotation = cls.model_fields[field].annotation
        if get_origin(annotation) is Literal:
            return ", ".join(get_args(annotation))
        return KINDS.get(annotation, "a mapping of names to values")


class RulesError(Exception):
    """A file of the rules folder cannot be used; the message says file, entry, field and remedy."""


def refuse(path: Path, problems: Iterable[str]) -> None:
    """Raise RulesError with every problem of a rules file, a line each; nothing where there is none."""
    if lines := [f"  {problem}" for problem in problems]:
        raise RulesError("\n".join([f"{path.name} cannot be used ({path}):", *lines]))


def text_hash(path: Path) -> str:
    """The first 12 hex digits of the SHA-256 of a file: it changes when the file does."""
    return hashlib.sha256(path.read_bytes()).hexdigest()[:12]


def load(path: Path, model: type[Model]) -> Model:
    """A file of the rules folder as a `model`; raises RulesError with every mistake in it."""
    return _parse(path, _text(path), model)


@functools.lru_cache(maxsize=64)
def _parse(path: Path, text: str, model: type[Model]) -> Model:
    """Files are read every time, and parsed again only when their text has changed."""
    content = _content(path, text)
    try:
        return model.model_validate(content)
    except pydantic.ValidationError as error:
        found = error.errors(include_url=False)
        problems = "\n".join(f"  {_problem(issue, content)}" for issue in found)
        raise RulesError(f"{path.name} cannot be used ({path}):\n{problems}") from error


def _text(path: Path) -> str:
    try:
        if path.exists() and not path.is_file():  # a pipe would never end
            found = "a folder" if path.is_dir() else "a pipe or a device"
            raise RulesError(f"{path.name} is {found}, not a file ({path}). Put a file in its place.")
        with path.open("rb") as stream:
            content = stream.read(MAX_BYTES + 1)
        if len(content) > MAX_BYTES:
            raise RulesError(
                f"{path.name} is larger than {MAX_BYTES >> 20} MB, which no file of rules is ({path}). "
                "Check that it is the right file."
            )
        return content.decode("utf-8")
    except OSError as error:
        raise RulesError(
            f"{path.name} cannot be read at {path}: {error.strerror or error}. "
            "Put it there, or set PRODUCTPULSE_RULES_DIR to a folder that has it."
        ) from error
    except UnicodeDecodeError as error:
        raise RulesError(f"{path.name} is not UTF-8 text ({path}). Save it as UTF-8.") from error


def _content(path: Path, text: str) -> dict[str, Any]:
    try:
        content = parsed(text)
    except NotPlainYaml as error:
        raise RulesError(f"{path.name} is not valid YAML ({path}): {error}") from error
    if not isinstance(content, dict):
        found = "empty" if content is None else f"a {type(content).__name__}"
        raise RulesError(f"{path.name} is {found}; a mapping of names to values is expected ({path}).")
    return content


def _problem(issue: Mapping[str, Any], content: Any) -> str:
    place = visible(" > ".join(_place(issue["loc"], content)), PLACE_LIMIT) or "the file"
    about = issue.get("ctx", {})
    accepted = about.get("expected") or EXPECTED.get(issue["type"], "").format(**about)
    if issue["type"] in KEY_PROBLEMS:
        return f"{place}: {issue['msg']}; accepted: {accepted}."
    if accepted:
        return f"{place}: is {_shown(issue['input'])}; accepted: {accepted}."
    message = issue["msg"].removeprefix("Value error, ").rstrip(".")
    # A whole entry is no help in a message about it.
    found = "" if isinstance(issue["input"], dict) else f"is {_shown(issue['input'])}; "
    return f"{place}: {found}{message}."


def _place(parts: Sequence[str | int], content: Any) -> Iterator[str]:
    """The path to a mistake in the file's own words.

    Pydantic also names what the file does not: the kind that it took a value for, and the field
    that holds the value of a mapping's one key. Only the last part may be new: it is what is missing.
    """
    for number, part in enumerate(parts):
        if isinstance(content, list) and isinstance(part, int) and part < len(content):
            content = content[part]
            yield content["rule_id"] if _has_name(content) else str(part + 1)
        elif isinstance(content, dict) and part in content:
            yield str(part)
            content = content[part]
        elif isinstance(content, dict) and len(content) == 1 and number + 1 < len(parts):
            ((key, content),) = content.items()
            yield str(key)
            if isinstance(content, dict) and part in content:
                yield str(part)
                content = content[part]
        elif number + 1 == len(parts) and isinstance(content, dict) and part != IN_KEY:
            yield str(part)


def _has_name(entry: Any) -> bool:
    return isinstance(entry, dict) and isinstance(entry.get("rule_id"), str)


def _shown(value: Any) -> str:
    if value is None:
        return "empty"
    text = str(value).lower() if isinstance(value, bool) else str(value) if isinstance(value, Decimal) else repr(value)
    return text if len(text) <= 60 else f"{text[:57]}..."
