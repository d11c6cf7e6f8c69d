"""Text from data, escaped for Markdown: one escaping for reports and for the dashboard's brief."""

from __future__ import annotations

import html
import re

from rules.text.formats import NOT_AVAILABLE, is_unknown, one_line

_AT_THE_START = re.compile(r"^(?:[-+](?=[-+:\s]|$)|:(?=-)|=(?!=)|\d{1,9}(?=[.)](?:\s|$)))")
"""Characters that would start a list, or underline the line above."""

_ANYWHERE = re.compile(r"[\\`*\[\]#|~]|_(?![^\W_])|(?<![^\W_])_|\$(?!\d)|=(?==)|(?<==)=")
"""Characters with a meaning in Markdown anywhere in a line. An underscore within a word has none, nor has a dollar
sign before a digit, which cannot end a formula."""

_LINKS_ITSELF = re.compile(
    r"[^\s`|<>\[\]]*(?:://|www\.|@(?=[\w-])|(?<!\d):[\w+-]+:(?!\d))[^\s`|<>\[\]]*", re.IGNORECASE | re.ASCII
)
"""URLs, @mentions and :emoji: codes. Renderers look for them in the final text, where the escapes are gone, but not
in code: so they are written as code."""


class Markdown(str):
    """Text that is already Markdown: it is not escaped again."""

    __slots__ = ()


def escape(text: object) -> Markdown:
    """Text that Markdown, and HTML inside it, show unchanged: on one line, cut where it is very long.

    An unknown value is written as not available.
    """
    line = NOT_AVAILABLE if is_unknown(text) else one_line(text)
    pieces, end = [], 0
    for found in _LINKS_ITSELF.finditer(line):
        pieces += [_quoted(line[end : found.start()], is_first=end == 0), f"`{found[0]}`"]
        end = found.end()
    return Markdown("".join([*pieces, _quoted(line[end:], is_first=end == 0)]))


def _quoted(words: str, *, is_first: bool) -> str:
    """Words with a backslash before each special character; `is_first` where they may begin a line."""
    begins = _AT_THE_START.match(words) if is_first else None
    if not begins:
        return html.escape(_ANYWHERE.sub(r"\\\g<0>", words), quote=False)
    mark, rest = begins[0], words[begins.end() :]
    start = f"{mark}\\{rest[0]}" if mark.isdigit() else f"\\{mark}"
    return start + _quoted(rest[1:] if mark.isdigit() else rest, is_first=False)
