"""The text of the README and of the pages of docs/, for tests that compare them with the program."""

import re
import textwrap
from pathlib import Path

CHECKOUT = Path(__file__).parent.parent
PATHS = [CHECKOUT / "README.md", *sorted((CHECKOUT / "docs").rglob("*.md"))]


def text_of(path: str) -> str:
    """The text of a document; `path` is relative to the checkout."""
    return (CHECKOUT / path).read_text(encoding="utf-8")


def blocks(text: str, language: str = "") -> list[str]:
    """The code blocks of one language in a document, in order, without the indentation of a list."""
    found = re.findall(r"^( *)```(\w*)\n(.*?)^\1```$", text, re.DOTALL | re.MULTILINE)
    return [textwrap.dedent(block) if indent else block for indent, name, block in found if name == language]


def block_with(text: str, language: str, word: str) -> str:
    """The one code block of a language that contains a word."""
    (block,) = (block for block in blocks(text, language) if word in block)
    return block
