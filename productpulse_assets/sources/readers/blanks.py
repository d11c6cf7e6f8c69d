"""Invisible characters around names and values, which are never intended."""

from __future__ import annotations

import re

BLANKS = (
    "\\t\\n\\x0b\\f\\r \\x{1c}-\\x{1f}\\x{85}\\x{a0}\\x{ad}\\x{1680}\\x{180e}\\x{2000}-\\x{200f}\\x{2028}\\x{2029}"
    "\\x{202f}\\x{205f}\\x{2060}\\x{3000}\\x{feff}"
)
"""Blanks of every width, also of zero width, soft hyphens, joiners, direction marks and byte order marks, as a
character class of the databases. They remain when text is copied from a spreadsheet or a web page."""

AROUND = f"^[{BLANKS}]+|[{BLANKS}]+$"

_AROUND = re.compile(re.sub(r"\\x\{([0-9a-f]+)\}", lambda found: f"\\u{found[1]:0>4}", AROUND))


def trimmed(name: str) -> str:
    """A column's name without the blanks around it."""
    return _AROUND.sub("", name)


def plain_name(name: str) -> str:
    """A column's name for comparisons: case and blanks around it do not count."""
    return trimmed(name).casefold()
