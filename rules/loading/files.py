"""Reading the YAML of the rules folder, with errors that say where and what is accepted."""

from __future__ import annotations

import functools
import hashlib
from collections.abc import Iterator, Mapping, Sequence
from decimal import Decimal
from pathlib import Path
from typing import Any, Literal, Self, TypeVar, get_args, get_origin

import pydantic
from pydantic_core import ErrorDetails, InitErrorDetails, PydanticCustomError

from rules.loading.problems import Problem, RulesError, invalid
from rules.loading.safe_yaml import MAX_BYTES, NotPlainYaml, parse_yaml
from rules.text.formats import printable_line

MAPPING = "a mapping of names to values"
EXPECTED = {
    "string_type": "text",
    "string_too_short": "a text that is not empty",
    "string_pattern_mismatch": "text that matches {pattern}",
    "int_type": "a whole number",
    "float_type": "a number",
    "bool_type": "true or false",
    "dict_type": MAPPING,
    "model_type": MAPPING,
    "tuple_type": "a list",
    "list_type": "a list",
    "greater_than": "more than {gt}",
    "greater_than_equal": "{ge} or more",
    "less_than": "less than {lt}",
    "less_than_equal": "{le} or less",
    "too_short": "at least {min_length} of them",
    "union_tag_invalid": "{expected_tags}",
    "union_tag_not_found": "a mapping with the key {discriminator}",
    "model_attributes_type": MAPPING,
}
"""What is accepted, by Pydantic's name for the mistake; other mistakes have Pydantic's own message."""

MISSING_KEY, UNKNOWN_KEY = KEY_PROBLEMS = ("rules.missing_key", "rules.unknown_key")
KINDS: dict[object, str] = {
    str: "text",
    int: "a whole number",
    float: "a number",
    Decimal: "a number",
    bool: "true or false",
    list: "a list",
    tuple: "a list",
}
IN_KEY = "[key]"
"""Pydantic's place of a mistake in a key itself."""

PLACE_LIMIT = 300

Model = TypeVar("Model", bound=pydantic.BaseModel)


class Strict(pydantic.BaseModel):
    """A mapping in a rules file with exactly these keys, whose values have exactly these types."""

    model_config = pydantic.ConfigDict(extra="forbid", strict=True, frozen=True)

    @classmethod
    def keys(cls) -> tuple[str, ...]:
        """The keys that the mapping has in the file."""
        return tuple(cls.model_fields)

    @pydantic.model_validator(mode="wrap")
    @classmethod
    def _name_accepted_keys(cls, data: Any, handler: pydantic.ModelWrapValidatorHandler[Self]) -> Self:
        """Pydantic reports a key that is missing or unknown, but not what would be accepted."""
        try:
            return handler(data)
        except pydantic.ValidationError as error:
            issues = [cls._with_accepted_keys(issue) for issue in error.errors(include_url=False)]
            raise pydantic.ValidationError.from_exception_data(cls.__name__, issues) from error

    @classmethod
    def _with_accepted_keys(cls, issue: ErrorDetails) -> InitErrorDetails:
        kind: str | PydanticCustomError = issue["type"]
        is_here = len(issue["loc"]) == 1
        if kind == "extra_forbidden" and is_here:
            kind = PydanticCustomError(UNKNOWN_KEY, "is not a known key", {"expected": ", ".join(cls.keys())})
        elif kind == "missing" and is_here:
            kind = PydanticCustomError(MISSING_KEY, "is missing", {"expected": cls._accepted_in(str(issue["loc"][0]))})
        elif kind == UNKNOWN_KEY:  # of a mapping inside this one, which has named its keys
            kind = PydanticCustomError(UNKNOWN_KEY, "is not a known key", issue["ctx"])
        elif kind == MISSING_KEY:
            kind = PydanticCustomError(MISSING_KEY, "is missing", issue["ctx"])
        return InitErrorDetails(type=kind, loc=issue["loc"], input=issue["input"], ctx=issue.get("ctx", {}))

    @classmethod
    def _accepted_in(cls, field: str) -> str:
        fields = {about.alias or name: about for name, about in cls.model_fields.items()}
        annotation = fields[field].annotation
        if get_origin(annotation) is Literal:
            return ", ".join(get_args(annotation))
        return KINDS.get(annotation, MAPPING)


def text_hash(path: Path) -> str:
    """The first 12 hex digits of the SHA-256 of a file: it changes when the file does."""
    return hashlib.sha256(path.read_bytes()).hexdigest()[:12]


def load(path: Path, model: type[Model]) -> Model:
    """A file of the rules folder as a `model`; raises RulesError with every mistake in it."""
    return _parse(path, _text(path), model)  # type: ignore[no-any-return]  # lru_cache loses the type variable


@functools.lru_cache(maxsize=64)
def _parse(path: Path, text: str, model: type[Model]) -> Model:
    """Files are read every time, and parsed again only when their text has changed."""
    content = _content(path, text)
    try:
        return model.model_validate(content)
    except pydantic.ValidationError as error:
        raise invalid(path, (_problem(issue, content) for issue in error.errors(include_url=False))) from error


def _text(path: Path) -> str:
    try:
        if path.exists() and not path.is_file():  # reading a pipe would never end
            found = "a folder" if path.is_dir() else "a pipe or a device"
            raise RulesError(
                "rules.not_a_file", f"{path.name} is {found}, not a file ({path}). Put a file in its place.", file=path
            )
        with path.open("rb") as stream:
            content = stream.read(MAX_BYTES + 1)
        if len(content) > MAX_BYTES:
            raise RulesError(
                "rules.file_too_large",
                f"{path.name} is larger than {MAX_BYTES >> 20} MB, the limit for rules files ({path}). "
                "Check that it is the right file.",
                file=path,
            )
        return content.decode("utf-8")
    except OSError as error:
        raise RulesError(
            "rules.file_not_readable",
            f"{path.name} cannot be read at {path}: {error.strerror or error}. "
            "Put it there, or set PRODUCTPULSE_RULES_DIR to a folder that has it.",
            file=path,
        ) from error
    except UnicodeDecodeError as error:
        raise RulesError(
            "rules.not_utf8", f"{path.name} is not UTF-8 text ({path}). Save it as UTF-8.", file=path
        ) from error


def _content(path: Path, text: str) -> dict[str, Any]:
    try:
        content = parse_yaml(text)
    except NotPlainYaml as error:
        raise RulesError(error.code, f"{path.name} is not valid YAML ({path}): {error}", file=path) from error
    if not isinstance(content, dict):
        found = "empty" if content is None else KINDS.get(type(content), "a single value")
        raise RulesError("rules.not_a_mapping", f"{path.name} is {found}; {MAPPING} is expected ({path}).", file=path)
    return content


def _problem(issue: Mapping[str, Any], content: Any) -> Problem:
    place = printable_line(" > ".join(_place(issue["loc"], content)), PLACE_LIMIT)
    context = issue.get("ctx", {})
    accepted = context.get("expected") or EXPECTED.get(issue["type"], "").format(**context)
    if issue["type"] in KEY_PROBLEMS:
        return Problem(issue["type"], place, issue["msg"], accepted)
    if accepted:
        return Problem("rules.wrong_value", place, f"is {_value_text(issue['input'])}", accepted)
    message = issue["msg"].removeprefix("Value error, ").rstrip(".")
    # A whole entry is no help in a message about it.
    found = "" if isinstance(issue["input"], dict) else f"is {_value_text(issue['input'])}; "
    return Problem("rules.wrong_value", place, f"{found}{message}")


def _place(parts: Sequence[str | int], content: Any) -> Iterator[str]:
    """The keys that lead to a mistake, as the file has them.

    Pydantic's path also has parts that are not in the file: the type that it tried, and the field that holds the
    value of a mapping's only key. Only the last part may be absent from the file: a key that is missing.
    """
    for number, part in enumerate(parts):
        if isinstance(content, list) and isinstance(part, int) and part < len(content):
            content = content[part]
            yield content["rule_id"] if _has_rule_id(content) else str(part + 1)
        elif isinstance(content, dict) and part in content:
            yield str(part)
            content = content[part]
        elif isinstance(content, dict) and content.get("kind") == part:
            continue  # the kind that decides which model the mapping has
        elif isinstance(content, dict) and len(content) == 1 and number + 1 < len(parts):
            ((key, content),) = content.items()
            yield str(key)
            if isinstance(content, dict) and part in content:
                yield str(part)
                content = content[part]
        elif number + 1 == len(parts) and isinstance(content, dict) and part != IN_KEY:
            yield str(part)


def _has_rule_id(entry: Any) -> bool:
    return isinstance(entry, dict) and isinstance(entry.get("rule_id"), str)


def _value_text(value: Any) -> str:
    if value is None:
        return "empty"
    text = str(value).lower() if isinstance(value, bool) else str(value) if isinstance(value, Decimal) else repr(value)
    return text if len(text) <= 60 else f"{text[:57]}..."
