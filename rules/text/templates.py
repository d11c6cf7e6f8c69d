"""Texts with {placeholders}: split into words and names, and refused where they could not be filled."""

from __future__ import annotations

import string
from collections.abc import Iterable, Sequence

from rules.text.errors import ProductPulseError


class TemplateError(ProductPulseError):
    """A text whose placeholders cannot be filled; the message says why and what is accepted."""


def split_template(text: str) -> list[tuple[str, str | None]]:
    """The words of a text, each with the name of the placeholder after them, None at the end.

    Raises TemplateError for braces that do not match, and for a placeholder with a format.
    """
    try:
        parts = list(string.Formatter().parse(text))
    except ValueError as error:
        raise TemplateError("rules.braces", f"'{text}' is not a text with {{placeholders}}: {error}") from error
    for _words, name, form, conversion in parts:
        if form or conversion:
            raise TemplateError("rules.placeholder_format", f"'{text}' formats {name}; give the name alone: {{{name}}}")
    return [(words, name) for words, name, _form, _conversion in parts]


def placeholders(text: str, accepted: Iterable[str]) -> list[str]:
    """The names in braces, in the order of the text; raises TemplateError for one that is not accepted."""
    names = [name for _words, name in split_template(text) if name is not None]
    known: Sequence[str] = list(accepted)
    for name in names:
        if name not in known:
            raise TemplateError(
                "rules.unknown_placeholder", f"{{{name}}} is not a placeholder; accepted: {', '.join(known)}"
            )
    return names
