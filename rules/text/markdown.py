"""Text from data as Markdown that shows it as it is: one escaping for reports and for the dashboard's brief."""

from __future__ import annotations

import html
import re

from rules.text.formats import NOT_AVAILABLE, is_unknown, shown

_AT_THE_START = re.compile(r"^(?:[-+](?=[-+:\s]|$)|:(?=-)|=(?!=)|\d{1,9}(?=[.)](?:\s|$)))")
"""What would begin a list, or underline the line above."""

_ANYWHERE = re.compile(r"[\\`*\[\]#|~]|_(?![^\W_])|(?<![^\W_])_|\$(?!\d)|=(?==)|(?<==)=")
"""What means something in Markdown wherever it stands. An underscore within a word does not, nor does a dollar
sign before a digit, which can end no formula."""

_LINKS_ITSELF = re.compile(
    r"[^\s`|<>\[\]]*(?:://|www\.|@(?=[\w-])|(?<!\d):[\w+-]+:(?!\d))[^\s`|<>\[\]]*", re.IGNORECASE | re.ASCII
)
"""Addresses, people and emoji. Renderers look for them in the finished text, where escapes are gone, but not
in code: as code they are shown as they are."""


class Markdown(str):
    """Text that is Markdown already: it is not escaped again."""

    __slots__ = ()


def escape(text: object) -> Markdown:
    """Text that Markdown and the HTML inside it show as it is: on one line, cut where it is very long.

    What is unknown is said to be not available.
    """
    line = NOT_AVAILABLE if is_unknown(text) else shown(text)
    pieces, end = [], 0
    for found in _LINKS_ITSELF.finditer(line):
        pieces += [_quoted(line[end : found.start()], is_first=end == 0), f"`{found[0]}`"]
        end = found.end()
    return Markdown("".join([*pieces, _quoted(line[end:], is_first=end == 0)]))


def _quoted(words: str, *, is_first: bool) -> str:
    """Words with a backslash before each mark; `is_first` where they may begin a line."""
    begins = _AT_THE_START.match(words) if is_first else None
    if not begins:
        return html.escape(_ANYWHERE.sub(r"\\\g<0>", words), quote=False)
    mark, rest = begins[0], words[begins.end() :]
    start = f"{mark}\\{rest[0]}" if mark.isdigit() else f"\\{mark}"
    return start + _quoted(rest[1:] if mark.isdigit() else rest, is_first=False)
